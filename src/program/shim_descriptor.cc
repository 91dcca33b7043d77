#include "program/shim_descriptor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace tilewave::program {
namespace {

// AM025 noc_module/dma/bd.
constexpr size_t kShimDims = 3;
constexpr uint32_t kStepMask = 0xFFFFF;
constexpr uint32_t kWrapMask = 0x3FF;
constexpr uint32_t kIterationMask = 0x3F;
constexpr int kWrapShift = 20;
constexpr int kBurstShift = 30;
constexpr uint32_t kAxCacheUpsize = 2u << 24;  // mlir-aie: lets the interconnect widen accesses.
constexpr uint32_t kValid = 1u << 25;

using ShimDims = std::array<Dim, kShimDims>;

/// All dimensions, those that are not there with size 1. REQUIRES: at most three.
ShimDims Padded(std::span<const Dim> dims) {
  ShimDims padded;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].size != 1) padded[i] = dims[i];
  }
  return padded;
}

uint32_t WrapAndStep(const Dim& dim) {
  return static_cast<uint32_t>(dim.size) << kWrapShift | static_cast<uint32_t>(dim.step_words - 1);
}

int64_t StepOf(uint32_t word) { return int64_t{word & kStepMask} + 1; }
int64_t WrapOf(uint32_t word) { return word >> kWrapShift & kWrapMask; }

template <typename... Args>
Status BadDescriptor(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kInvalidArgument,
          "a shim descriptor " + fmt::format(format, std::forward<Args>(args)...)};
}

/// Everything that a WriteDescriptor cannot say must be off.
Status CheckUnused(std::span<const uint32_t> words) {
  constexpr struct {
    size_t word;
    uint32_t mask;
    uint32_t expected;
  } kFixed[] = {{2, 0xFFFF0000, 0},        // Packets and out-of-order ids.
                {3, 0xC0000000, 0},        // Secure accesses.
                {6, 0xFC000000, 0},        // An iteration under way.
                {7, 0xFFFFFFFF, kValid}};  // Locks, chains, suppressed TLAST.
  for (const auto& fixed : kFixed) {
    const uint32_t bits = words[fixed.word] & fixed.mask;
    if (bits != fixed.expected) {
      return BadDescriptor("has {:#010x} in the bits {:#010x} of word {}; expected {:#010x}", bits,
                           fixed.mask, fixed.word, fixed.expected);
    }
  }
  return {};
}

Result<DimList> DecodeDims(std::span<const uint32_t> words) {
  const int64_t length = words[0];
  const int64_t wrap0 = WrapOf(words[3]);
  const int64_t wrap1 = WrapOf(words[4]);
  if (wrap0 == 0) {
    const bool linear = words[3] == 0 && (words[4] & (kWrapMask << kWrapShift | kStepMask)) == 0 &&
                        (words[5] & kStepMask) == 0;
    if (linear) return DimList();
    return BadDescriptor("has steps or a d1 wrap without a d0 wrap; expected all of them or none");
  }
  if (wrap1 == 0) return BadDescriptor("has a d0 wrap of {} without a d1 wrap", wrap0);
  if (length % (wrap0 * wrap1) != 0) {
    return BadDescriptor("has {} words; expected a multiple of its wraps {} x {}", length, wrap0,
                         wrap1);
  }
  const ShimDims dims =
      Padded(std::array{Dim{wrap0, StepOf(words[3])}, Dim{wrap1, StepOf(words[4])},
                        Dim{length / (wrap0 * wrap1), StepOf(words[5])}});
  if (IsOneRun(dims)) return DimList();
  size_t used = kShimDims;
  while (dims[used - 1].size == 1) --used;
  return DimList(std::span(dims).first(used));
}

}  // namespace

void EncodeShimDescriptor(const WriteDescriptor& descriptor, const arch::Npu& npu,
                          std::span<uint32_t, kShimDescriptorWords> registers) {
  std::fill(registers.begin(), registers.end(), 0);
  registers[0] = static_cast<uint32_t>(descriptor.length_words);
  registers[4] = npu.burst_code << kBurstShift;
  registers[5] = kAxCacheUpsize;
  registers[7] = kValid;
  if (!IsOneRun(descriptor.dims)) {
    // Of a dimension that is not there the size is 1, which is a wrap of 1 and a step of any kind.
    const auto field = [&dims = descriptor.dims](size_t i) {
      return i < dims.size() && dims[i].size != 1 ? dims[i] : Dim();
    };
    registers[3] = WrapAndStep(field(0));
    registers[4] |= WrapAndStep(field(1));
    registers[5] |= static_cast<uint32_t>(field(2).step_words - 1);
  }
  const Dim& iteration = descriptor.iteration;
  if (iteration.size != 1) registers[6] = WrapAndStep({iteration.size - 1, iteration.step_words});
}

Result<WriteDescriptor> DecodeShimDescriptor(std::span<const uint32_t> words) {
  if (words.size() != kShimDescriptorWords) {
    return BadDescriptor("of {} words was given; expected {}", words.size(), kShimDescriptorWords);
  }
  if (Status s = CheckUnused(words); !s.ok()) return s;
  WriteDescriptor descriptor;
  descriptor.length_words = words[0];
  if (descriptor.length_words == 0) return BadDescriptor("has 0 words; expected at least 1");
  Result<DimList> dims = DecodeDims(words);
  if (!dims.ok()) return dims.status();
  descriptor.dims = *dims;
  const int64_t iterations = int64_t{words[6] >> kWrapShift & kIterationMask} + 1;
  if (iterations != 1) descriptor.iteration = {iterations, StepOf(words[6])};
  return descriptor;
}

}  // namespace tilewave::program
