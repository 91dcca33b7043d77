#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/aligned_buffer.h"
#include "core/problem.h"
#include "device/device.h"
#include "runtime/operand_image.h"
#include "runtime/plan_cache.h"
#include "runtime/wave_runner.h"
#include "tilewave/device_info.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// What one call on an array needs beside the caller's memory; kept from call to call.
struct TileMemory {
  ImageMemory images;
  base::AlignedBuffer sums;
  std::unique_ptr<WaveRunner> runner;  ///< With its buffer sets; null until the first call.
  std::unique_ptr<TileMemory> next;    ///< In quarantine: linked, so that entering cannot fail.
};

/// Executes plans of strategy kTiles: operands to signed bytes, launches over pooled buffers, sums
/// over K, epilogue. Thread-safe: each call takes memory of its own from a pool; a plan that has
/// run before allocates nothing.
class TileExecutor {
 public:
  explicit TileExecutor(device::Device* device);
  TileExecutor(const TileExecutor&) = delete;
  TileExecutor& operator=(const TileExecutor&) = delete;
  /// Waits for the device to let go of memory; what it does not is leaked rather than freed.
  ~TileExecutor();

  /// Runs a product to its end. C is written only if all went well. Errors: those of MakeImages,
  /// kDeadlineExceeded, kResourceExhausted, and what the device found.
  /// `prepared` must live until Idle() if this fails: late launches still read it.
  [[nodiscard]] Status Run(const PreparedPlan& prepared, const core::Problem& problem,
                           core::Operands operands, const WaitLimits& limits,
                           std::atomic<int64_t>* progress, CallStats* stats);

  /// Whether no failed call's launches are still in flight; never blocks.
  bool Idle();

 private:
  /// Memory that goes back when the call is over, however it ends.
  class Lease;

  std::unique_ptr<TileMemory> Take(const plan::ArrayPlan& plan);
  void GiveBack(std::unique_ptr<TileMemory> memory) noexcept;
  [[nodiscard]] Status RunIn(TileMemory* memory, const PreparedPlan& prepared,
                             const core::Problem& problem, core::Operands* operands,
                             const WaitLimits& limits, std::atomic<int64_t>* progress,
                             PhaseTimer* timer);

  device::Device* device_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<TileMemory>> idle_;  ///< Guarded. The latest used last.
  std::unique_ptr<TileMemory> quarantine_;         ///< Guarded, linked. A device may write late.
};

}  // namespace tilewave::runtime
