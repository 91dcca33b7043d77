#pragma once

// What goes wrong at random in the fake: which calls fail, and how submissions end.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/random.h"
#include "device/xrt/xrt_fake/fake_xrt.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// How a submission goes wrong.
struct FakeFate {
  FakeFault fault = FakeFault::kNone;
  size_t run = 0;          ///< From this one on.
  int64_t hang_calls = 0;  ///< What hangs ends by itself after so many calls of the seam. 0: never.
  bool writes_late = true;  ///< Then. If not, the driver's time limit has run out.
};

/// Draws faults from a seed and counts them. Not thread-safe.
class FakeFaults {
 public:
  /// `rate`: chance per call, and once more per submission. 0 stops, and ends a loss. `lies`:
  /// FakeFault::kLie is one of the fates.
  void Start(uint64_t seed, double rate, bool lies);

  /// Why this call fails, or ok. While the device is lost all calls fail; `*lost` is set when it
  /// goes.
  [[nodiscard]] Status Draw(FakeCall call, bool* lost);
  /// How a submission that is not refused goes.
  FakeFate DrawFate(size_t runs);
  /// The device goes, by a plan.
  [[nodiscard]] Status Lose();

  int64_t count(FakeCall call) const { return refused_[static_cast<size_t>(call)]; }
  int64_t count(FakeFault fault) const { return happened_[static_cast<size_t>(fault)]; }
  int64_t count() const;

 private:
  base::Random random_{0};
  double rate_ = 0;
  bool lies_ = true;
  int lost_left_ = 0;  ///< Calls that a lost device still fails.
  std::array<int64_t, static_cast<size_t>(FakeCall::kCount)> refused_ = {};
  std::array<int64_t, static_cast<size_t>(FakeFault::kCount)> happened_ = {};
};

}  // namespace tilewave::device::xrt
