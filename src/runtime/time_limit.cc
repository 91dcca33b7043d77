#include "runtime/time_limit.h"

#include <fmt/format.h>

namespace tilewave::runtime {

Status TooLate(std::string_view what, std::chrono::nanoseconds limit) {
  return {StatusCode::kDeadlineExceeded,
          fmt::format("the device has not {} within {} ms", what,
                      std::chrono::duration_cast<std::chrono::milliseconds>(limit).count())};
}

}  // namespace tilewave::runtime
