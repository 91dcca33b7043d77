#include "device/xrt/xrt_fake/fake_faults.h"

#include <numeric>

namespace tilewave::device::xrt {
namespace {

/// Of the calls that fail: a loss is many faults in one.
constexpr double kLossShare = 1.0 / 32;
constexpr int kLostCalls = 20;

/// Between them lies when something that hangs ends.
constexpr int64_t kFewestHangCalls = 5;
constexpr int64_t kMostHangCalls = 60;

/// A lie comes last.
constexpr std::array kFates = {FakeFault::kError, FakeFault::kAbort,      FakeFault::kStale,
                               FakeFault::kHang,  FakeFault::kNoResponse, FakeFault::kTimeout,
                               FakeFault::kLie};

/// What a machine cannot be without is there.
bool MayFail(FakeCall call) { return call != FakeCall::kOpen && call != FakeCall::kRegister; }

Status RefusalOf(FakeCall call) {
  switch (call) {
    case FakeCall::kContext:
      return {StatusCode::kUnavailable, "context refused"};
    case FakeCall::kData:
      return {StatusCode::kResourceExhausted, "no memory that may be locked"};
    case FakeCall::kInstructions:
      return {StatusCode::kResourceExhausted, "the heap for instructions is full"};
    case FakeCall::kSync:
      return {StatusCode::kOutOfRange, "sync out of range"};
    case FakeCall::kStart:
      return {StatusCode::kUnavailable, "submission refused"};
    default:
      return {StatusCode::kUnavailable, "a call of the driver failed"};
  }
}

}  // namespace

void FakeFaults::Start(uint64_t seed, double rate, bool lies) {
  random_ = base::Random(seed);
  rate_ = rate;
  lies_ = lies;
  if (rate == 0) lost_left_ = 0;
}

Status FakeFaults::Draw(FakeCall call, bool* lost) {
  *lost = false;
  if (lost_left_ > 0) {
    --lost_left_;
    return {StatusCode::kUnavailable, "no such device"};
  }
  if (rate_ == 0 || !MayFail(call) || random_.Unit() >= rate_) return {};
  if (random_.Unit() < kLossShare) {
    *lost = true;
    ++happened_[static_cast<size_t>(FakeFault::kLost)];
    return Lose();
  }
  ++refused_[static_cast<size_t>(call)];
  return RefusalOf(call);
}

FakeFate FakeFaults::DrawFate(size_t runs) {
  FakeFate fate;
  if (rate_ == 0 || random_.Unit() >= rate_) return fate;
  const int64_t last = static_cast<int64_t>(kFates.size()) - (lies_ ? 1 : 2);
  fate.fault = kFates[static_cast<size_t>(random_.Between(0, last))];
  fate.run = static_cast<size_t>(random_.Between(0, static_cast<int64_t>(runs) - 1));
  if (fate.fault == FakeFault::kHang) {
    fate.hang_calls = random_.Between(kFewestHangCalls, kMostHangCalls);
    fate.writes_late = random_.Between(0, 1) == 1;
  }
  ++happened_[static_cast<size_t>(fate.fault)];
  return fate;
}

Status FakeFaults::Lose() {
  lost_left_ = kLostCalls;
  return {StatusCode::kUnavailable, "no such device"};
}

int64_t FakeFaults::count() const {
  return std::accumulate(refused_.begin(), refused_.end(), int64_t{0}) +
         std::accumulate(happened_.begin(), happened_.end(), int64_t{0});
}

}  // namespace tilewave::device::xrt
