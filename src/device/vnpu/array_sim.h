#pragma once

// The array in motion: DMA channels, locks, streams, cores and the controller of one loaded
// configuration, on real bytes and a time line of its own. Knows descriptors and registers, not
// what they are meant to compute.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "device/vnpu/access_pattern.h"
#include "device/vnpu/ddr_model.h"
#include "device/vnpu/kernel_table.h"
#include "profile/profile.h"
#include "program/array_program.h"
#include "program/sequence.h"
#include "program/stream_reader.h"
#include "tilewave/status.h"

namespace tilewave::device::vnpu {

/// What memory holds where nobody has written: no plausible operand, and as a trip count far too
/// large.
inline constexpr int kPoisonByte = 0xCB;

/// What a simulation does to bytes. Times, locks and refusals are the same either way.
enum class DataMode : uint8_t {
  kMoved,       ///< Transfers move them, kernels compute on them.
  kTimingOnly,  ///< There are none: no memory, no kernel runs, results are never written.
};

/// One loaded configuration. State (locks, memory, descriptors) stays from launch to launch, as on
/// the device. Not thread-safe: the device runs one launch at a time.
class ArraySim {
 public:
  /// Checks that the table and the profile know every kernel of the program, and lays it out.
  /// kInvalidArgument: the program is for another array, or pads where no channel can; kNotFound:
  /// a kernel or its cycle model; kUnimplemented: a kernel that can only be timed.
  /// REQUIRES: the program passes Validate; the profile and the table outlive the simulation.
  [[nodiscard]] static Result<std::unique_ptr<ArraySim>> Make(
      std::shared_ptr<const program::ArrayProgram> program, const profile::Profile& profile,
      KernelTable kernels, DataMode data = DataMode::kMoved);

  /// A buffer of a launch in device memory; no data if it is only timed.
  struct Argument {
    std::byte* data = nullptr;
    int64_t bytes = 0;
  };

  struct Outcome {
    Status status;
    int64_t end_ps = 0;     ///< When the controller has finished, or the driver gives up.
    int64_t kernel_ps = 0;  ///< Cores inside kernels, summed.
  };

  /// Executes one launch whose first controller instruction is fetched at start_ps. Errors
  /// (kInternal, each named: out of bounds, misuse of a lock, a fifth waiting task, a descriptor
  /// changed in use, data raced for, a deadlock with who waits for what) leave the array in an
  /// unknown state: Reset() before the next launch. REQUIRES: start_ps after the last end.
  Outcome Run(std::span<const uint32_t> stream, std::span<const Argument> arguments,
              int64_t start_ps);

  /// The state after loading: memory poisoned, locks at their initial values, nothing in flight.
  void Reset();

  const program::ArrayProgram& program() const { return *program_; }

  /// For Make, which also lays the program out.
  ArraySim(std::shared_ptr<const program::ArrayProgram> program, const profile::Profile& profile,
           DataMode data);

 private:
  /// Words that are on their way at a time: as much as a near cache keeps.
  static constexpr size_t kStreamBytes = size_t{1} << 15;
  // Directions of the memory.
  static constexpr int kDdrReads = 0;
  static constexpr int kDdrWrites = 1;

  struct Event {
    enum class Kind : uint8_t { kChannelReady, kFlowDone, kDdr, kCoreStep, kController };
    int64_t time_ps = 0;
    uint64_t order = 0;  ///< Breaks ties by age, so that every run is the same.
    Kind kind = Kind::kController;
    int index = 0;  ///< Of a channel, a flow, a memory direction or a core.
    bool operator<(const Event& other) const {  // Turned around: the heap's top is the earliest.
      return time_ps != other.time_ps ? time_ps > other.time_ps : order > other.order;
    }
  };

  struct Task {
    int descriptor = 0;
    int executions = 1;
    bool token = false;
  };

  /// A descriptor of a channel that runs by itself, with what its executions need.
  struct StaticDescriptor {
    const program::Descriptor* program = nullptr;
    int next = -1;             ///< Index in the channel; -1: the channel ends.
    int64_t stream_words = 0;  ///< Of one execution, padding included.
    int64_t first_byte = 0;    ///< In the tile's memory, of the first execution.
    int64_t extent_bytes = 0;  ///< From there to the last byte of one execution.
    int64_t iteration = 0;     ///< Executions so far, in turn.
  };

  struct ChannelState {
    enum class Phase : uint8_t { kIdle, kStarting, kWaitingForLock, kStreaming };
    program::ChannelId id;
    const program::Channel* program = nullptr;  ///< Null: a shim channel.
    int tile = 0;
    int flow = -1;
    Phase phase = Phase::kIdle;
    int descriptor = 0;  ///< Index in `descriptors`; shim channels have their running task's.
    int64_t remaining_words = 0;
    AccessPattern pattern;  ///< If bytes are moved.
    int64_t since_ps = 0;   ///< Waiting since.
    std::vector<StaticDescriptor> descriptors;
    // The bytes of the tile's memory that the running descriptor touches, for the race check.
    int64_t begin = 0;
    int64_t end = 0;  ///< 0: none.
    // Shim channels.
    std::vector<Task> waiting;  ///< In order; at most the depth of the queue.
    Task running;
    int execution = 0;
    double ddr_bytes_per_word = 0;  ///< What the running descriptor costs the memory.
    bool used_in_launch = false;
    bool controller_set = false;  ///< Tokens have somewhere to go.
    int tokens = 0;
  };

  struct FlowState {
    int source = 0;
    std::vector<int> destinations;
    int64_t word_ps = 0;
    int ddr = -1;              ///< Index in ddr_ of the direction that it uses; -1: none.
    int ddr_channel = -1;      ///< Its shim channel there.
    int64_t latency_ps = 0;    ///< Of what moves, once the memory is done with it.
    int64_t moving_words = 0;  ///< 0: idle.
    int64_t idle_since_ps = -1;
  };

  struct LockState {
    int value = 0;
    std::vector<int> waiting_channels;
    std::vector<int> waiting_cores;
  };

  struct LoadedKernel {
    const KernelEntry* entry = nullptr;
    int64_t duration_ps = 0;
  };

  struct CoreState {
    struct Loop {
      size_t begin = 0;  ///< Of its body.
      uint32_t left = 0;
      bool forever = false;
    };
    const program::Core* program = nullptr;
    int tile = 0;
    std::vector<LoadedKernel> kernels;
    std::vector<size_t> matching_end;  ///< For each op that opens a loop.
    std::vector<size_t> ring_position;
    std::vector<Loop> loops;
    size_t next = 0;
    int waiting_lock = -1;
    int64_t since_ps = 0;
    bool calling = false;  ///< Inside a kernel until its next step.
    struct Range {
      int64_t begin;
      int64_t end;
      bool writes;
    };
    std::vector<Range> in_use;  ///< By the kernel that runs, in the tile's memory.
  };

  /// What stands on one tile.
  struct TileState {
    base::AlignedBuffer memory;  ///< If it has memory in use, and bytes are moved.
    bool has_memory = false;
    std::vector<int> channels;    ///< Those that run by themselves.
    std::vector<int> parameters;  ///< Indices in the program.
    std::vector<int> locks;       ///< By id: the index in the program, or -1.
    int core = -1;
  };

  /// A shim descriptor as the stream has written it.
  struct ShimDescriptor {
    program::WriteDescriptor pattern;
    bool written = false;
    bool patched = false;
    int64_t iteration = 0;  ///< Executions since it was written.
  };

  // Loading.
  Status Lay(KernelTable kernels);
  void LayTiles();
  Status LayChannel(const program::Channel& channel);
  void LayFlow(const program::Flow& flow);
  Status LayCore(const program::Core& core, KernelTable kernels);
  bool IsFedByMemoryTiles(const program::Tile& core) const;
  Result<LoadedKernel> LoadKernel(const program::Kernel& kernel, const program::Tile& core,
                                  KernelTable kernels) const;
  /// -1: off the array.
  int TileIndex(const program::Tile& tile) const;
  size_t ShimSlot(const program::ChannelId& id) const;
  int64_t Ps(double cycles) const;

  void Post(int64_t time_ps, Event::Kind kind, int index);
  void Drain();  ///< Handles events until the launch has ended or failed.
  void Handle(const Event& event);
  void Fail(std::string what);

  // What a deadlock's sentence says.
  std::string DeadlockText() const;
  std::string LockText(const program::LockUse& use) const;
  std::string NotReadyText(const ChannelState& channel) const;

  // Controller.
  void StepController(int64_t now_ps);
  int64_t Execute(const program::StreamOp& op, size_t word, int64_t now_ps);
  int64_t ExecuteWrite(const program::Write32& write, int64_t now_ps);
  int64_t ExecuteBlockWrite(const program::BlockWrite& write);
  int64_t ExecutePatch(const program::PatchAddress& patch);
  int64_t ExecuteMaskWrite(const program::MaskWrite& write);
  int64_t ExecuteSync(const program::Sync& sync);
  bool PushTask(uint32_t address, uint32_t value, int64_t now_ps);
  bool WriteLock(const program::Tile& tile, uint32_t offset, uint32_t value, int64_t now_ps);
  bool WriteMemory(const program::Tile& tile, uint32_t offset, uint32_t value);

  // Channels and flows.
  /// Of a shim channel; -1: no flow uses it.
  int FindShimChannel(const program::ChannelId& id) const;
  ShimDescriptor* FindShimDescriptor(int column, uint32_t offset, uint32_t* within);
  bool DescriptorInUse(int column, int id) const;
  void StartTask(int channel, int64_t now_ps);
  void BeginDescriptor(int channel, int64_t now_ps);
  bool OpenPattern(ChannelState* channel);
  bool OpenShimPattern(ChannelState* channel);
  void EndDescriptor(int channel, int64_t now_ps);
  void EndExecution(int channel, int64_t now_ps);
  void TryFlow(int flow, int64_t now_ps);
  void EndTransfer(int flow, int64_t now_ps);
  void MoveData(const FlowState& flow, int64_t words);
  void PostDdr(int direction);
  void EndDdr(int direction, int64_t now_ps);
  static StaticDescriptor& Running(ChannelState* channel) {
    return channel->descriptors[static_cast<size_t>(channel->descriptor)];
  }

  // Locks and cores.
  bool TryAcquire(const program::LockUse& use);
  void ReleaseLock(const program::LockUse& use, int64_t now_ps);
  void WakeLock(int lock, int64_t now_ps);
  void StepCore(int core, int64_t now_ps);
  bool EnterLoop(CoreState* core, const program::CoreOp& op);
  void CallKernel(CoreState* core, const program::CoreOp& op);
  /// The value that a stream has written, or a failure.
  bool ReadParameter(int index, uint32_t* value);
  bool RaceWithKernel(const TileState& tile, int64_t begin, int64_t end, bool writes) const;

  std::shared_ptr<const program::ArrayProgram> program_;
  const profile::Profile& profile_;
  const arch::Npu& npu_;
  const DataMode data_;
  double ps_per_cycle_;

  std::vector<ChannelState> channels_;
  std::vector<FlowState> flows_;
  std::vector<LockState> locks_;
  std::vector<CoreState> cores_;
  std::vector<TileState> tiles_;    ///< Column by column.
  std::vector<int> shim_channels_;  ///< By column, direction, channel; -1: in no flow.
  std::vector<std::optional<uint32_t>> parameters_;
  std::vector<std::vector<ShimDescriptor>> shim_descriptors_;  ///< By column, by id.

  /// The memory behind the array, reads and writes, and the event that each has posted last.
  struct Ddr {
    DdrModel model;
    int64_t posted_ps = DdrModel::kNever;
    uint64_t posted_order = 0;
  };
  std::array<Ddr, 2> ddr_;

  base::AlignedBuffer stream_;  ///< Words on their way, if bytes are moved.

  std::vector<Event> events_;  ///< A heap.
  uint64_t next_order_ = 0;

  // The launch that runs.
  std::optional<program::StreamReader> reader_;
  std::span<const Argument> arguments_;
  int awaited_channel_ = -1;
  int64_t awaiting_since_ps_ = 0;
  bool ended_ = false;
  int64_t now_ps_ = 0;
  int64_t end_ps_ = 0;
  int64_t kernel_ps_ = 0;
  Status status_;
};

}  // namespace tilewave::device::vnpu
