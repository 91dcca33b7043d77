#pragma once

// Writing of instruction streams into storage that the caller owns and uses again: a sequence is
// encoded anew for every shape, between a call and its launch.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "arch/npu.h"
#include "program/sequence.h"
#include "program/stream_form.h"
#include "program/stream_op.h"
#include "tilewave/status.h"

namespace tilewave::program {

/// What toolchains and their vintages do differently. The defaults are what this project launches.
struct StreamOptions {
  /// When the control register of a channel that reports tokens gets its controller id.
  enum class ControllerIds : uint8_t {
    kOncePerChannel,  ///< Before its first token: the register keeps the id.
    kEveryToken,      ///< Before each, as mlir-aie does.
    kExplicit,        ///< Only by SetController.
  };

  StreamVersion version = StreamVersion::kV01;
  int columns = 0;  ///< In the header: mlir-aie's npu1_2col says 2. 0: all of the array.
  ControllerIds controller_ids = ControllerIds::kOncePerChannel;
  /// The offset of a descriptor stands in its address registers, too, from where patching removes
  /// it: one generation of mlir-aie.
  bool offset_in_descriptor = false;

  bool operator==(const StreamOptions&) const = default;
};

/// Lets a channel's tokens say which controller they are for.
struct SetController {
  ChannelId channel;
  int id = 0;

  bool operator==(const SetController&) const = default;
};

/// Appends operations to a stream. Allocates only when the words do not fit the vector's capacity.
///
/// Every Add returns whether the operation could be written; if not, status() says why, and the
/// stream stays without it. Errors: kOutOfRange, naming the operation, the field, the value and
/// what fits; kInvalidArgument if the dims of a descriptor do not multiply to its length. Which
/// operations may follow each other is Validate's to judge.
class StreamWriter {
 public:
  /// The writer uses `words` as its storage and replaces what is in it. Both must outlive it.
  StreamWriter(const arch::Npu& npu, const StreamOptions& options, std::vector<uint32_t>* words);

  bool Add(const WriteDescriptor& descriptor);
  bool Add(const PushTask& task);
  bool Add(const AwaitToken& await);
  bool Add(const WriteParameter& write);
  bool Add(const SetLock& set);
  bool Add(const SetController& set);
  /// Of a raw operation only what version 1.0 has no room for is refused.
  bool Add(const StreamOp& op);

  const Status& status() const { return status_; }

  /// Completes the header; afterwards the vector holds the stream and nothing else. kOutOfRange:
  /// more bytes than a header can say, or columns that the array has not.
  [[nodiscard]] Status Finish();

 private:
  uint32_t* Extend(size_t words);
  void Grow(size_t words);
  void AppendWrite(uint32_t address, uint32_t value);
  void AppendMasked(uint32_t code, uint32_t address, uint32_t value, uint32_t mask);
  uint32_t* AppendBlock(uint32_t address, size_t words);
  void AppendPatch(uint32_t address, uint32_t argument, uint64_t offset_bytes);
  void AppendSync(const Sync& sync);
  void AppendController(const ChannelId& channel, uint32_t id);
  void AppendRaw(const StreamOp& op);

  void Begin(std::string_view name);
  bool InRange(const char* field, int64_t value, int64_t least, int64_t most);
  bool IsAligned(const char* field, int64_t value);
  bool IsTile(const Tile& tile, int least_row, int most_row);
  bool IsChannel(const ChannelId& id);
  bool AreDims(const WriteDescriptor& descriptor);
  void Refuse(const char* field, int64_t value, int64_t least, int64_t most);
  void RefuseDims(const WriteDescriptor& descriptor);

  const arch::Npu& npu_;
  const StreamOptions options_;
  const arch::TileRegisters& shim_registers_;
  const int columns_;
  std::vector<uint32_t>& words_;
  size_t used_ = 0;
  uint32_t ops_ = 0;
  uint64_t reporting_ = 0;  // A bit for each channel whose tokens have an id.
  int64_t position_ = -1;
  std::string_view name_;  // Of the operation being added.
  Status status_;
};

}  // namespace tilewave::program
