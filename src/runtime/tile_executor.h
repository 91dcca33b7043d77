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
#include "runtime/weights.h"
#include "tilewave/device_info.h"
#include "tilewave/status.h"
#include "tilewave/tensors.h"

namespace tilewave::runtime {

/// What one call on an array needs beside the caller's memory; kept from call to call.
struct TileMemory {
  ImageMemory images;
  base::AlignedBuffer sums;
  std::unique_ptr<WaveRunner> runner;        ///< With its buffer sets; null until the first call.
  std::shared_ptr<const PreparedPlan> plan;  ///< Read by launches, if the plan cache has it not.
  Weights weights;                   ///< Read by launches, if the call's B stays on the device.
  std::unique_ptr<TileMemory> next;  ///< In quarantine: linked, so that entering cannot fail.
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
  /// `weights` is the call's B if the problem is prepacked, else null.
  /// Late launches of a call that fails still read `prepared`: it is either in the plan cache,
  /// which outlives this, or `owner` keeps it (else null).
  [[nodiscard]] Status Run(const PreparedPlan& prepared, std::shared_ptr<const PreparedPlan> owner,
                           const core::Problem& problem, core::Operands operands,
                           const Weights* weights, const WaitLimits& limits,
                           std::atomic<int64_t>* progress, CallStats* stats);

 private:
  /// Memory that goes back when the call is over, however it ends.
  class Lease;

  std::unique_ptr<TileMemory> Take(const plan::ArrayPlan& plan);
  void GiveBack(std::unique_ptr<TileMemory> memory) noexcept;
  /// Keeps memory for the next call, or frees it. REQUIRES: the mutex held.
  void Keep(std::unique_ptr<TileMemory> memory) noexcept;
  /// Takes memory that the device has let go of out of quarantine. REQUIRES: the mutex held.
  void Sweep() noexcept;

  [[nodiscard]] Status RunIn(TileMemory* memory, const PreparedPlan& prepared,
                             const core::Problem& problem, core::Operands* operands,
                             const WaitLimits& limits, std::atomic<int64_t>* progress,
                             PhaseTimer* timer);
  [[nodiscard]] Status RunWhole(TileMemory* memory, const PreparedPlan& prepared,
                                const core::Problem& problem, const core::Operands& operands,
                                const Images& images, const WaitLimits& limits,
                                std::atomic<int64_t>* progress, PhaseTimer* timer);
  void ChargeFinish(const core::Problem& problem, PhaseTimer* timer);

  device::Device* device_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<TileMemory>> idle_;  ///< Guarded. The latest used last.
  std::unique_ptr<TileMemory> quarantine_;         ///< Guarded, linked. A device may write late.
};

}  // namespace tilewave::runtime
