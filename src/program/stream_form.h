#pragma once

// How the operations of a stream are laid out in words, in both versions: what the reader and the
// writer share.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tilewave::program {

/// Of a stream's header. What mlir-aie writes is 0.1; 1.0, the "optimised" form of aie-rt, says the
/// same in fewer words.
enum class StreamVersion : uint8_t { kV01, kV10 };

inline constexpr size_t kStreamHeaderWords = 4;
inline constexpr uint32_t kMemoryTileRows = 1;
inline constexpr size_t kStreamWordBytes = sizeof(uint32_t);

namespace opcode {

inline constexpr uint32_t kWrite = 0x00;
inline constexpr uint32_t kBlockWrite = 0x01;
inline constexpr uint32_t kMaskWrite = 0x03;
inline constexpr uint32_t kMaskPoll = 0x04;
inline constexpr uint32_t kNoop = 0x05;
inline constexpr uint32_t kPreempt = 0x06;
inline constexpr uint32_t kMaskPollBusy = 0x07;
inline constexpr uint32_t kLoadPdi = 0x08;
inline constexpr uint32_t kLoadProgram = 0x09;
inline constexpr uint32_t kCreateScratchpad = 0x0A;
inline constexpr uint32_t kUpdateStateTable = 0x0B;
inline constexpr uint32_t kUpdateRegister = 0x0C;
inline constexpr uint32_t kUpdateScratchpad = 0x0D;
inline constexpr uint32_t kFirstCustom = 0x80;  // From here on the second word is the size.
inline constexpr uint32_t kSync = 0x80;
inline constexpr uint32_t kPatchAddress = 0x81;
inline constexpr uint32_t kMergeSync = 0x84;

}  // namespace opcode

/// What one version makes of an operation.
struct OpLayout {
  size_t words = 0;      ///< All of it, or what stands before its payload.
  size_t size_word = 0;  ///< Which word has the size in bytes; 0: none, the size is fixed.
};

struct OpForm {
  /// What may follow the words of the layout, if the size says so.
  enum class Tail : uint8_t {
    kNone,
    kPadding,     ///< In 0.1 one word, if a C compiler laid out the structure with its 64 bits.
    kPayload,     ///< At least one word.
    kAnyPayload,  ///< None or more words.
  };

  uint32_t opcode = 0;
  std::string_view name;
  OpLayout v01;
  OpLayout v10;
  Tail tail = Tail::kNone;

  const OpLayout& In(StreamVersion version) const {
    return version == StreamVersion::kV01 ? v01 : v10;
  }
};

/// The form of an operation; null if it is not known, which a custom one always is.
/// REQUIRES: opcode < 256.
const OpForm* FindForm(uint32_t opcode);

}  // namespace tilewave::program
