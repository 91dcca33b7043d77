#pragma once

#include <string>

namespace tilewave::testing {

inline bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace tilewave::testing
