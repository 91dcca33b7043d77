#pragma once

// What the tests of the virtual NPU share.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "arch/npu.h"
#include "profile/profile.h"
#include "program/array_program.h"
#include "program/design_spec.h"
#include "tests/support/program_samples.h"
#include "tests/support/stream_samples.h"
#include "tilewave/status.h"

namespace tilewave::device::vnpu {

inline constexpr int64_t kMicrosecondPs = 1000000;
/// When the first launch of an array starts, later than anything that the array has done before.
inline constexpr int64_t kStartPs = 100 * kMicrosecondPs;

inline constexpr program::ChannelId kIn{program::kShim, program::kMm2s, 0};
inline constexpr program::ChannelId kOut{program::kShim, program::kS2mm, 0};

inline constexpr program::DesignSpec kPacked{program::kPacked, arch::NpuArch::kNpu1, 16, 16, 16};

/// So many of these stand behind memory that a test gives away.
inline constexpr size_t kGuards = 64;
inline constexpr std::byte kGuard{0xA5};

inline const profile::Profile& Phoenix() {
  static const Result<profile::Profile> phoenix = profile::FindProfile("phoenix");
  return *phoenix;
}

inline profile::Profile PhoenixAs(arch::NpuArch arch) {
  profile::Profile profile = Phoenix();
  profile.arch = arch;
  return profile;
}

/// Of one launch of a design for npu1, over one step of K.
inline std::vector<uint32_t> GoodStream(const program::DesignSpec& spec = kPacked) {
  return program::Encoded(program::SequenceOf(program::Lowered(spec), 1));
}

}  // namespace tilewave::device::vnpu
