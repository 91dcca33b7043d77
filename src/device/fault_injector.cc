#include "device/fault_injector.h"

#include <algorithm>
#include <numeric>

namespace tilewave::device {
namespace {

/// Of the faults drawn where others fit, too: a loss is many faults in one.
constexpr double kLossShare = 1.0 / 16;

bool Fits(Fault fault, DeviceCall call) {
  switch (fault) {
    case Fault::kAllocation:
      return call == DeviceCall::kAllocate;
    case Fault::kLoad:
      return call == DeviceCall::kLoad;
    case Fault::kSync:
      return call == DeviceCall::kSync;
    case Fault::kLost:
      return true;
    case Fault::kSubmission:
    case Fault::kTimeout:
    case Fault::kAbort:
    case Fault::kError:
    case Fault::kLate:
    case Fault::kLie:
    case Fault::kStale:
    case Fault::kCount:
      break;
  }
  return call == DeviceCall::kSubmit;
}

}  // namespace

std::string_view Name(Fault fault) {
  switch (fault) {
    case Fault::kAllocation:
      return "allocation";
    case Fault::kLoad:
      return "load";
    case Fault::kSubmission:
      return "submission";
    case Fault::kTimeout:
      return "timeout";
    case Fault::kAbort:
      return "abort";
    case Fault::kError:
      return "error";
    case Fault::kLost:
      return "lost";
    case Fault::kLate:
      return "late";
    case Fault::kLie:
      return "lie";
    case Fault::kStale:
      return "stale";
    case Fault::kSync:
      return "sync";
    case Fault::kCount:
      break;
  }
  return "unknown";
}

FaultInjector::FaultInjector(const FaultOptions& options)
    : kinds_(options.kinds),
      lost_calls_(options.lost_calls),
      random_(options.seed),
      rate_(options.rate) {}

void FaultInjector::Plan(Fault fault) {
  const std::lock_guard<std::mutex> lock(mutex_);
  planned_.push_back(fault);
}

void FaultInjector::SetRateForTest(double rate) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rate_ = rate;
  if (rate == 0) lost_left_ = 0;
}

double FaultInjector::rate() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return rate_;
}

int64_t FaultInjector::count(Fault fault) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_[static_cast<size_t>(fault)];
}

int64_t FaultInjector::count() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

std::optional<DrawnFault> FaultInjector::Draw(DeviceCall call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (lost_left_ > 0) {
    --lost_left_;
    return DrawnFault{Fault::kLost, false};
  }
  std::optional<Fault> fault;
  const auto first =
      std::find_if(planned_.begin(), planned_.end(), [&](Fault each) { return Fits(each, call); });
  const bool planned = first != planned_.end();
  if (planned) {
    fault = *first;
    planned_.erase(first);
  } else if (rate_ > 0 && random_.Unit() < rate_) {
    fault = DrawAtRandom(call);
  }
  if (!fault) return std::nullopt;
  ++counts_[static_cast<size_t>(*fault)];
  if (*fault == Fault::kLost) lost_left_ = lost_calls_;
  return DrawnFault{*fault, planned};
}

void FaultInjector::PutBack(const DrawnFault& drawn) {
  const std::lock_guard<std::mutex> lock(mutex_);
  --counts_[static_cast<size_t>(drawn.fault)];
  if (drawn.planned) planned_.insert(planned_.begin(), drawn.fault);
}

int64_t FaultInjector::Between(int64_t low, int64_t high) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return random_.Between(low, high);
}

std::optional<Fault> FaultInjector::DrawAtRandom(DeviceCall call) {
  std::array<Fault, static_cast<size_t>(Fault::kCount)> fitting = {};
  int64_t count = 0;
  for (size_t i = 0; i < fitting.size(); ++i) {
    const auto fault = static_cast<Fault>(i);
    if (fault == Fault::kLost || !IsDrawn(fault) || !Fits(fault, call)) continue;
    fitting[static_cast<size_t>(count++)] = fault;
  }
  const bool may_lose = IsDrawn(Fault::kLost);
  if (may_lose && (count == 0 || random_.Unit() < kLossShare)) return Fault::kLost;
  if (count == 0) return std::nullopt;
  return fitting[static_cast<size_t>(random_.Between(0, count - 1))];
}

bool FaultInjector::IsDrawn(Fault fault) const {
  return kinds_.empty() || std::find(kinds_.begin(), kinds_.end(), fault) != kinds_.end();
}

}  // namespace tilewave::device
