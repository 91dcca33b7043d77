#pragma once

// The one object that a program needs: tilewave::Engine.
//
//   auto engine = tilewave::Engine::Create();
//   if (!engine.ok()) ...
//   tilewave::Status status = engine->Run({.a = tilewave::RowMajor(a, m, k),
//                                          .b = tilewave::RowMajor(b, k, n),
//                                          .c = tilewave::RowMajor(c, m, n)});

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tilewave/device_info.h"
#include "tilewave/executor.h"
#include "tilewave/problem.h"
#include "tilewave/status.h"

namespace tilewave {

namespace engine {
struct Composer;
}

/// How products are cut into launches on an NPU; each empty or 0 field is tilewave's choice. An
/// unknown name is an error that lists the known ones. The host device ignores all of it.
struct ArrayOptions {
  std::string design = {};   ///< "packed_tile", "k_stream" or "whole_array" (docs/designs.md).
  int64_t tile = 0;          ///< Rows, columns and depth of a tile.
  std::string kernel = {};   ///< Tile kernel: "scalar" or "vector".
  std::string mode = {};     ///< "sequential", "wave" or "runlist".
  std::string buffers = {};  ///< "one" set, one "per_tile", or a "pool" of them.
  int64_t pool = 0;          ///< Buffer sets of the pool.

  // whole_array only.

  int64_t tile_m = 0;         ///< Rows of C in a core's tile; goes before `tile`, as the next two.
  int64_t tile_k = 0;         ///< Depth.
  int64_t tile_n = 0;         ///< Columns of C.
  int64_t k_mt = 0;           ///< Depth that passes a memory tile at once: a multiple of tile_k.
  int columns = 0;            ///< Of the array; 0: all.
  std::string b_layout = {};  ///< Of B on the device: "row", "col" or "packed".
  int c_buffers = 0;          ///< Tiles of C that a core holds: 1 or 2.
  std::optional<int64_t> stack_bytes = {};  ///< Of each core.

  /// One sync for all buffers that are ready; false: one for each buffer.
  bool batched_syncs = true;
  /// The host packs and reads tiles while the NPU works; false: one after the other.
  bool interleave = true;
};

/// Set once, at Engine::Create.
struct EngineOptions {
  // Behaviour.

  /// "auto", "host", "vnpu:PROFILE" or "xrt[:N]". auto takes the host, as long as no NPU has run
  /// these products on silicon. PROFILE is a built-in name or a .json file; "vnpu:PROFILE:host"
  /// measures the host's share of the time instead of charging it from the profile.
  std::string device = "auto";

  /// CPU kernel by name, or empty for the best one that this CPU runs. An unknown name, or one
  /// that this CPU cannot run, is an error, never a silent default.
  std::string cpu_kernel = {};

  /// Check every submission at the device seam and poison fresh device buffers. Finds bugs in
  /// tilewave, not in the caller, whose arguments are always checked.
  bool validate_submissions = false;

  // Performance.

  /// Most CPU threads of one call, the calling one among them, 0 to 1024; 0: as many as this
  /// process may use CPUs at a time (affinity, control group), or all of the executor's. Results do
  /// not depend on it. Calls too small to gain from a second thread take one. Calls at the same
  /// time share the threads: one that finds them taken computes in the thread that calls.
  int threads = 0;

  /// The program's own threads instead of threads of the engine's. Shared. Null: the engine starts
  /// threads when a call first wants them.
  std::shared_ptr<Executor> executor = {};

  ArrayOptions array = {};

  // Failure. What follows concerns devices other than the host.

  /// How often a call that the device failed is run on it again, 0 to 100.
  int retries = 2;
  /// Whether the host computes what the device could not. CallStats says so. If not, or if it
  /// cannot, the call fails with what the device said first.
  bool host_fallback = true;
  /// Fills the memory of results before each launch and looks, after it, whether every cache line
  /// was written: a launch that ended well but wrote nothing is then a failure. Costs two more
  /// passes over C, and a call that takes another one's result waits for that one to be looked at.
  bool poison_outputs = false;

  /// For trying how a program gets along with a device that fails: the chance, 0 to 1, that a call
  /// of the device goes wrong, in one of the ways of docs/calls.md. The same seed and calls meet
  /// the same faults. Of devices other than the host.
  double fault_rate = 0;
  uint64_t fault_seed = 1;

  /// Most calls that Submit starts before it waits for the oldest, 1 to 4096.
  int pending_calls = 64;
};

/// Per call; all optional.
struct RunOptions {
  /// Cleared at the start, filled before the call returns (Submit: before Wait returns) if it
  /// ended well. Not owned.
  CallStats* stats = nullptr;

  /// Set to 0, then counts finished elements of C, up to batch * M * N, while the call runs;
  /// another thread may read it to draw progress. Not owned.
  std::atomic<int64_t>* progress = nullptr;

  /// Longest time the call may wait for a device, all waits together and in the device's own time,
  /// beside those for calls that make its operands, which have limits of their own; more than an
  /// hour is an hour. 0: any single wait may take 30 s and ten times what the call is predicted to
  /// take. The host device is part of the process: there is nothing to wait for.
  std::chrono::nanoseconds time_limit{0};
};

/// One of several calls that are submitted together.
struct SubmittedCall {
  Matmul call = {};
  RunOptions options = {};
};

/// For Engine::Prepare.
struct WeightsOptions {
  Parameter<int32_t> zero = {};  ///< Of B: one, or one per column. Copied.
  DynamicQuantisation quantise = DynamicQuantisation::kPerVector;  ///< Read if B is f32.
};

/// A submitted call. Move-only. C is written while something waits for the call: Wait, the end of
/// the handle, a later Submit that finds too many pending, or a call that needs the result.
/// Destroying it (or assigning to it) waits for the call, at most its time limit; its Status is
/// then lost. What a device may still be using after that stays allocated until the device is done
/// with it. Used from one thread at a time.
class Handle {
 public:
  Handle();
  ~Handle();
  Handle(Handle&&) noexcept;
  Handle& operator=(Handle&&) noexcept;

  /// True if what was submitted has ended; Wait then waits for the device only if that was a
  /// failure and the call is run again.
  bool done() const;

  /// Blocks until the call has ended, then says how. May be called again.
  [[nodiscard]] Status Wait();

 private:
  friend class Engine;
  struct State;
  std::unique_ptr<State> state_;
  Status status_;
};

/// Multiplies. Owns its devices, caches and threads; there are no globals.
/// Thread-safe: any member may be called from any number of threads at once. Movable; the moved
/// from Engine can only be destroyed or assigned to. Must outlive its handles.
class Engine {
 public:
  /// Errors: kNotFound (no such device or kernel), kUnavailable, kUnimplemented,
  /// kInvalidArgument (the form of a name).
  static Result<Engine> Create(const EngineOptions& options = {});

  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// Computes C and returns when it is written. `Run` is Submit and Wait.
  /// Errors leave C as it was: kInvalidArgument (shapes, strides, overlap, null, non-finite
  /// scales, NaN in a dynamically quantised operand: the row is named), kOutOfRange (K beyond
  /// MaxK, extents whose product overflows), kFailedPrecondition (Weights of another shape),
  /// kUnimplemented, kResourceExhausted, kDeadlineExceeded (see RunOptions), and kInternal for
  /// what a device found wrong while it ran.

  /// Allocates nothing when a call of the same shapes, types and strides has run before (with
  /// Weights: on a device that has used them before).
  [[nodiscard]] Status Run(const Matmul& call, const RunOptions& options = {});

  /// Starts a call; all views must stay valid until the handle has been waited for. An array whose
  /// design has one launch for the product (whole_array) has been given it when this returns; on
  /// the host, and with designs of many launches, the product is done or has failed. At most
  /// EngineOptions::pending_calls are pending: then the oldest is waited for. Errors are those of
  /// Run; those of the device come from Handle::Wait.
  [[nodiscard]] Result<Handle> Submit(const Matmul& call, const RunOptions& options = {});

  /// Starts calls in this order, as few submissions: those that follow each other with one design
  /// go to the device as one run list, up to 24 at a time, if their time limits are equal. A call
  /// may take the result of an earlier one: let the earlier one's DeviceOutput::tensor point at the
  /// DeviceTensor that is the later one's operand in `calls`. One handle for each. Errors: those of
  /// Submit; then none is pending, those before the bad one have ended, output tensors are what
  /// they were, and the message names it.
  [[nodiscard]] Result<std::vector<Handle>> SubmitAll(const std::vector<SubmittedCall>& calls);

  /// Copies a right operand (K x N, or a batch) and prepacks it for this engine's device, for use
  /// in many calls. The view is no longer needed afterwards. Other engines may use the result
  /// too, and pack it on their first call if their device wants another layout.
  [[nodiscard]] Result<Weights> Prepare(const ConstMatrix& b, const WeightsOptions& options = {});

  /// Copies a matrix or batch of s8, u8 or f32 to the device, to be an operand of many calls.
  [[nodiscard]] Result<DeviceTensor> Upload(const ConstMatrix& matrix);

  /// Copies a device tensor into host memory of the same extents and type; waits for the call that
  /// makes it. kFailedPrecondition if that call failed, or if it is a tensor of another device.
  [[nodiscard]] Status Download(const DeviceTensor& tensor, const Matrix& matrix);

  /// Every device that this build knows, usable or not, and why not.
  std::vector<DeviceInfo> Devices() const;

  /// The device that calls run on.
  const DeviceInfo& device() const;

 private:
  friend struct engine::Composer;
  class Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// "0.1.0".
std::string_view Version();

}  // namespace tilewave
