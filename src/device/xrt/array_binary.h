#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "device/device.h"
#include "program/design_spec.h"

namespace tilewave::device::xrt {

/// The image that an NPU loads: what the array's toolchain has made of one configuration.
class ArrayBinary final : public ArrayImage {
 public:
  ArrayBinary(const program::DesignSpec& spec, std::vector<std::byte> bytes)
      : spec_(spec), bytes_(std::move(bytes)) {}

  const program::DesignSpec& spec() const { return spec_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  program::DesignSpec spec_;
  std::vector<std::byte> bytes_;
};

}  // namespace tilewave::device::xrt
