#pragma once

// Faults on purpose at the device seam: which there are, and which one a call meets.

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace tilewave::device {

/// What goes wrong.
enum class Fault : uint8_t {
  kAllocation,  ///< Allocate or Slice: kResourceExhausted.
  kLoad,        ///< Load or LoadImage: kUnavailable, a hardware context was refused.
  kSubmission,  ///< TrySubmit: kRejected, kUnavailable.
  kTimeout,     ///< Accepted; the driver's time limit ends it with kDeadlineExceeded.
  kAbort,       ///< Accepted, ends with kUnavailable. As of kTimeout and kError, the first launches
                ///< of a chain ran (Fence::good_launches, perhaps none), the others did not.
  kError,       ///< The same, as an error that the device reports.
  kLost,        ///< This call and the next ones fail with kUnavailable; what is in flight ends so.
  kLate,        ///< Accepted; the next looks find it running. Then it runs, and ends well.
  kLie,         ///< Accepted and ends well, but nothing ran.
  kStale,       ///< TrySubmit: kRejected, kUnavailable, since the context is stale.
  kSync,        ///< Buffer::Sync: kOutOfRange, nothing was copied.
  kCount,
};

/// "allocation", "load", ...
std::string_view Name(Fault fault);

/// The calls of the seam that can fail, by what can go wrong with them.
enum class DeviceCall : uint8_t {
  kAllocate,  ///< Device::Allocate and Buffer::Slice.
  kLoad,      ///< Device::Load and LoadImage.
  kSubmit,    ///< Queue::TrySubmit.
  kSync,      ///< Buffer::Sync.
};

/// What a call meets.
struct DrawnFault {
  Fault fault = Fault::kCount;
  bool planned = false;  ///< By FaultInjector::Plan; else at random, or the device is still lost.
};

struct FaultOptions {
  uint64_t seed = 1;
  double rate = 0;                ///< Chance of a fault per DeviceCall.
  std::vector<Fault> kinds = {};  ///< Those drawn at random; empty: all.
  int lost_calls = 20;            ///< That fail after the one at which the device was lost.
};

/// Decides what goes wrong, and counts it. Shared between a test and the devices that it watches.
/// The same calls in the same order meet the same faults. Thread-safe.
class FaultInjector {
 public:
  explicit FaultInjector(const FaultOptions& options);

  /// Lets the fault happen at the next call that it fits, whatever the rate and the kinds. Several
  /// calls: to one call after another.
  void Plan(Fault fault);

  /// 0 stops what is drawn, and brings a lost device back.
  void SetRateForTest(double rate);
  double rate() const;

  /// Faults that have happened. A loss counts once.
  int64_t count(Fault fault) const;
  int64_t count() const;

  // For the device.

  /// What goes wrong with this call, if anything.
  std::optional<DrawnFault> Draw(DeviceCall call);
  /// The fault has not happened, as the call did nothing: one that was planned waits for the next.
  void PutBack(const DrawnFault& drawn);
  /// Uniform in [low, high].
  int64_t Between(int64_t low, int64_t high);
  /// How often the device was lost: what is older than the last loss has not survived it.
  int64_t losses() const { return count(Fault::kLost); }

 private:
  /// REQUIRES: mutex held.
  std::optional<Fault> DrawAtRandom(DeviceCall call);

  /// Whether it is drawn at random.
  bool IsDrawn(Fault fault) const;

  const std::vector<Fault> kinds_;
  const int lost_calls_;
  mutable std::mutex mutex_;  // Guards all below.
  base::Random random_;
  double rate_;
  std::vector<Fault> planned_;  ///< In order.
  int lost_left_ = 0;           ///< Calls that a lost device still refuses.
  std::array<int64_t, static_cast<size_t>(Fault::kCount)> counts_ = {};
};

}  // namespace tilewave::device
