#pragma once

#include <memory>
#include <utility>

#include "base/float_environment.h"
#include "base/workers.h"
#include "tilewave/executor.h"

namespace tilewave::device::host {

/// The caller's own threads as workers.
class ExecutorWorkers final : public base::Workers {
 public:
  /// `threads` of its threads.
  ExecutorWorkers(std::shared_ptr<Executor> executor, int threads)
      : executor_(std::move(executor)), threads_(threads) {}

  int threads() const override { return threads_; }

  /// Work that is too small to wake a thread of our own is too small to be handed over; whether
  /// threads sleep is the executor's affair.
  void Run(Function function, void* context, base::Wake wake) override {
    if (wake == base::Wake::kNever || threads_ == 1) {
      function(context, 0);
      return;
    }
    struct Call {
      Function function;
      void* context;
    } call{function, context};
    executor_->ParallelFor(
        threads_,
        [](void* opaque, int64_t i) {
          const base::DefaultFloatEnvironment environment;
          const auto* c = static_cast<const Call*>(opaque);
          c->function(c->context, static_cast<int>(i));
        },
        &call);
  }

 private:
  std::shared_ptr<Executor> executor_;
  int threads_;
};

}  // namespace tilewave::device::host
