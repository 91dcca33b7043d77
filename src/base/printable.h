#pragma once

#include <string>
#include <string_view>

namespace tilewave::base {

/// Text from outside made fit for a message: at most 48 characters of it and then "...", on one
/// line; bytes that are not printable ASCII become "\x1b" and the like.
std::string Printable(std::string_view text);

}  // namespace tilewave::base
