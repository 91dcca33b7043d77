#pragma once

// Where the checkers put what they find. What is legal passes no limit, so texts are put together
// only for what is not: sequences have thousands of operations.

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "program/validate.h"

namespace tilewave::program {

/// Collects what passes a limit. `where` and `limit` are texts, or functions that return one.
class LimitCollector {
 public:
  template <typename Where, typename Limit>
  void AtMost(const Where& where, const Limit& limit, int64_t value, int64_t maximum) {
    if (value > maximum) found_.push_back({Text(where), Text(limit), value, maximum});
  }
  template <typename Where, typename Limit>
  void AtLeast(const Where& where, const Limit& limit, int64_t value, int64_t minimum) {
    if (value < minimum) found_.push_back({Text(where), "least " + Text(limit), value, minimum});
  }
  template <typename Where, typename Limit>
  void Between(const Where& where, const Limit& limit, int64_t value, int64_t minimum,
               int64_t maximum) {
    AtLeast(where, limit, value, minimum);
    AtMost(where, limit, value, maximum);
  }
  template <typename Where, typename Limit>
  void MultipleOf(const Where& where, const Limit& limit, int64_t value, int64_t granule) {
    if (granule > 0 && value % granule != 0)
      found_.push_back({Text(where), Text(limit) + ", remainder", value, granule});
  }

  /// What was found of something at `where` by a check that did not know where it is.
  template <typename Where>
  void Add(const Where& where, std::vector<Violation> found) {
    for (Violation& each : found) {
      each.where = Text(where);
      found_.push_back(std::move(each));
    }
  }

  void Add(Violation found) { found_.push_back(std::move(found)); }

  size_t size() const { return found_.size(); }
  std::vector<Violation> Take() { return std::move(found_); }

 private:
  template <typename T>
  static std::string Text(const T& text) {
    if constexpr (std::is_invocable_v<const T&>) {
      return std::string(text());
    } else {
      return std::string(text);
    }
  }

  std::vector<Violation> found_;
};

}  // namespace tilewave::program
