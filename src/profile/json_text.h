#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "tilewave/status.h"

namespace tilewave::profile {

/// Reads JSON text; `what` ("profile 'x'") begins the message of an error. kDataLoss: truncated or
/// damaged. kInvalidArgument: a key stands twice in one object, where a reader would have to guess
/// which one is meant.
[[nodiscard]] Status ParseJsonText(std::string_view text, std::string_view what,
                                   nlohmann::json* value);

}  // namespace tilewave::profile
