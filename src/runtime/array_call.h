#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "core/problem.h"
#include "runtime/call_memory.h"
#include "runtime/device_tensor.h"
#include "runtime/operand_image.h"
#include "runtime/phase_timer.h"
#include "runtime/plan_cache.h"
#include "tilewave/device_info.h"
#include "tilewave/status.h"
#include "tilewave/tensors.h"

namespace tilewave::runtime {

/// Where the operands of a call are tensors: they take the place of what Operands says.
struct CallTensors {
  DeviceTensor a;
  DeviceTensor b;
  std::shared_ptr<DeviceTensor::Impl> c;

  bool empty() const { return a.empty() && b.empty() && c == nullptr; }
};

/// One call on an array, from its submission to its end. Everything that a device may use while it
/// runs is kept alive by `attempt.memory`; what it reads of the caller's memory has been read when
/// the call is submitted, but is read again if the device fails.
class ArrayCall {
 public:
  // What was asked; filled by whoever submits it.
  core::Problem problem;
  core::Operands operands;
  Weights weights;  ///< Not empty exactly if the problem is prepacked.
  CallTensors tensors;
  std::atomic<int64_t>* progress = nullptr;
  CallStats* stats = nullptr;
  /// Of the call's waits, summed. Without it kDefaultTimeLimit, and ten times what the plan
  /// predicts, bound any single wait.
  std::optional<std::chrono::nanoseconds> time_limit;

  /// What the scheduler makes of it, once or, if the device fails, again.
  struct Attempt {
    core::Problem problem;    ///< With the tensors' strides and places.
    core::Operands operands;  ///< Likewise.
    PlanCache::Found plan;
    std::shared_ptr<TensorHome> a;  ///< Where A lay when this was submitted, if it is a tensor.
    std::shared_ptr<TensorHome> c;
    CallMemoryPool::Lease memory;
    Images images;
    /// The launch was submitted behind the one that writes A, which had not ended.
    bool follows = false;
    size_t launch = 0;  ///< Place in the chain.
    Status status;      ///< Of what has been done so far.
  };

  std::mutex mutex;  ///< Guards the rest once the call is submitted.
  Attempt attempt;
  PhaseTimer timer{nullptr, nullptr};
  int64_t start_ns = 0;     ///< Wall clock; only taken for stats.
  int64_t launched_ns = 0;  ///< Device clock; likewise.
  int64_t ended_ns = 0;     ///< Wall clock, of a call that ended when it was submitted; likewise.
  int64_t waited_ns = 0;    ///< For the device.
  int failed_attempts = 0;
  Status failure;                  ///< Of the first of them.
  Status result;                   ///< Once it has ended.
  std::atomic<bool> ended{false};  ///< Set last, with the mutex held; read without.
};

}  // namespace tilewave::runtime
