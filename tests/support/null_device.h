#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "device/device.h"

namespace tilewave::testing {

/// What a NullDevice does and has seen; shared between the test and the device.
struct NullBehaviour {
  int depth = 4;           ///< Submissions in flight; a further one finds the queue full.
  bool stuck = false;      ///< Nothing ends while set.
  int64_t fail_at = -1;    ///< Index of the submission that ends with an error.
  int64_t reject_at = -1;  ///< Index of the submission that is refused.
  bool record = true;      ///< Fill the lists below.

  int64_t submissions = 0;
  int64_t most_in_flight = 0;
  std::vector<size_t> chains;                          ///< Launches of each submission.
  std::vector<std::vector<const void*>> first_inputs;  ///< Host memory of each launch's input.
};

/// An array device that does nothing at once: a submission ends when it is waited for, or when it
/// is polled for the second time. Its buffers are plain memory. One thread at a time.
std::unique_ptr<device::Device> MakeNullDevice(std::shared_ptr<NullBehaviour> behaviour);

}  // namespace tilewave::testing
