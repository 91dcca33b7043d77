#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "arch/npu.h"
#include "device/device.h"
#include "device/xrt/xrt_fake/fake_xrt.h"
#include "tilewave/status.h"

namespace tilewave::testing {

/// An array for the fake of XRT: it adds one to each of so many bytes of buffer 0 and writes the
/// sums to buffer 1.
inline constexpr size_t kAddOneBytes = 128;

/// Its loader; takes any binary that is not empty.
Result<std::unique_ptr<device::xrt::FakeArray>> LoadAddOne(std::span<const std::byte> binary);

/// A stream for it, one of many with the same effect.
std::vector<uint32_t> AddOneStream(uint32_t value, arch::NpuArch arch = arch::NpuArch::kNpu1);

/// A chain of launches that add one to the same input, with an output for each, and their buffers.
class AddOneChain {
 public:
  /// Errors: the device's, as from Write and Read.
  static Result<std::unique_ptr<AddOneChain>> Make(device::Device* device, size_t launches);

  /// Fills the input with a value, and all outputs with another one.
  [[nodiscard]] Status Write(int value);
  [[nodiscard]] Status Read();

  /// Of an output, since Write, as of the last Read.
  bool IsRight(size_t launch) const;
  bool IsUnwritten(size_t launch) const;

  std::span<const device::Launch> Launches(const device::Executable& executable);

 private:
  bool OutputIs(size_t launch, int value) const;

  std::unique_ptr<device::Buffer> data_;
  std::vector<std::unique_ptr<device::Buffer>> windows_;  ///< The input, then the outputs.
  std::vector<std::vector<device::BufferRange>> arguments_;
  std::vector<device::Launch> launches_;
  std::vector<uint32_t> stream_ = AddOneStream(1);
  int value_ = 0;
};

}  // namespace tilewave::testing
