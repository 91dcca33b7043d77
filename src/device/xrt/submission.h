#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "device/xrt/driver_seam.h"
#include "device/xrt/instruction_cache.h"
#include "device/xrt/xrt_buffer.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// What one run is started with.
struct RunArguments {
  std::shared_ptr<Instructions> instructions;
  std::array<XrtBuffer::Argument, kMaxLaunchArguments> buffers;
  size_t buffer_count = 0;
};

/// Run objects that are submitted together: one alone, or several as a run list. They are used
/// again and keep their arguments, so that what is submitted again as it was takes one call.
/// Not thread-safe, but for Wait beside Poll of another submission.
class Submission {
 public:
  /// Makes `runs` run objects, and a list if they are more than one. Errors: the driver's.
  [[nodiscard]] static Result<std::unique_ptr<Submission>> Make(DriverContext* context,
                                                                DriverKernel* kernel, size_t runs);

  /// For Make, which also fills it.
  Submission() = default;

  size_t size() const { return runs_.size(); }

  /// Whether the runs have these arguments already.
  bool Has(std::span<const RunArguments> arguments) const;

  /// Gives the runs these arguments, with calls for those that differ. After an error they have no
  /// known ones. REQUIRES: as many as runs; not started, or ended.
  [[nodiscard]] Status Set(std::span<const RunArguments> arguments);

  /// Hands the runs to the device. After an error a list may be running in part: Poll tells.
  [[nodiscard]] Status Start();

  [[nodiscard]] Result<Outcome> Poll();
  [[nodiscard]] Result<Outcome> Wait(std::chrono::milliseconds limit);

  /// Lets go of the instructions of a submission that has ended; the runs still remember which.
  void Release();

 private:
  struct Run {
    std::unique_ptr<DriverRun> run;
    std::shared_ptr<Instructions> instructions;  ///< While in use.
    uint64_t instructions_id = 0;                ///< 0: none.
    std::array<uint64_t, kMaxLaunchArguments> buffer_ids = {};
  };

  static bool Same(const Run& run, const RunArguments& arguments);

  std::vector<Run> runs_;
  std::unique_ptr<DriverRunList> list_;  ///< Null for one run. Goes before its runs.
};

}  // namespace tilewave::device::xrt
