#pragma once

// Judges the host device with a CPU kernel against the reference. Needs no test framework and no
// more of the library than the device, so that it also runs where little else does.

#include <string>

namespace tilewave::testing {

/// Runs random products on the host device with this kernel, which this CPU must support: large and
/// small ones, few rows, few columns, with caches of this CPU and with tiny ones, on one thread and
/// on three, packed in the call and before. The first complaint, or "".
std::string FirstHostMismatch(const std::string& kernel);

}  // namespace tilewave::testing
