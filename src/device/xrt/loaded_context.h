#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "device/xrt/driver_seam.h"
#include "device/xrt/instruction_cache.h"
#include "device/xrt/submission.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// A hardware context with its kernel and all that is made from the two. Shared by its
/// configuration and by what is in flight on it; when the last lets go, all of it goes. Not
/// thread-safe.
class LoadedContext {
 public:
  /// Errors: the driver's; kResourceExhausted if there is no context to be had.
  [[nodiscard]] static Result<std::shared_ptr<LoadedContext>> Make(DriverDevice* device,
                                                                   BinaryId binary);

  LoadedContext(std::unique_ptr<DriverContext> context, std::unique_ptr<DriverKernel> kernel);

  /// Of no other context of this process, ever.
  uint64_t number() const { return number_; }

  /// As InstructionCache::Find, after dropping idle streams if the heap is full.
  [[nodiscard]] Result<std::shared_ptr<Instructions>> FindInstructions(
      std::span<const uint32_t> stream, arch::NpuArch arch);

  /// Runs with these arguments, ready to start: those that have them already, or new ones, or
  /// others with their arguments changed. Errors: the driver's.
  [[nodiscard]] Result<std::unique_ptr<Submission>> Take(std::span<const RunArguments> arguments);

  /// Takes back what has ended well.
  void GiveBack(std::unique_ptr<Submission> submission);

 private:
  /// As many runs are kept with the arguments that they have.
  static constexpr size_t kMaxIdleRuns = 4 * kMaxChainLaunches;

  const uint64_t number_;
  // What is made from it goes before the context.
  std::unique_ptr<DriverContext> context_;
  std::unique_ptr<DriverKernel> kernel_;
  InstructionCache instructions_;
  std::vector<std::unique_ptr<Submission>> idle_;  ///< The latest used last.
  size_t idle_runs_ = 0;
};

}  // namespace tilewave::device::xrt
