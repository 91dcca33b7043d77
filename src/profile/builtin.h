#pragma once

// The files of profiles/, compiled in.

#include <span>
#include <string_view>

namespace tilewave::profile {

struct BuiltinProfile {
  std::string_view name;  ///< Of the file, without ".json".
  std::string_view json;
};

/// Sorted by name.
std::span<const BuiltinProfile> BuiltinProfiles();

}  // namespace tilewave::profile
