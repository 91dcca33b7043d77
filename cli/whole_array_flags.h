#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/text.h"
#include "tilewave/status.h"

namespace tilewave::cli {

/// Parameters of the whole_array design beside its tile, as they were typed.
struct WholeArrayFlags {
  std::optional<std::string> k_mt;
  std::optional<std::string> b_layout;
  std::optional<std::string> columns;
  std::optional<std::string> c_buffers;
  std::optional<std::string> stack;
};

void AddWholeArrayFlags(CLI::App* command, WholeArrayFlags* flags);

/// Far beyond any tile's memory, which is refused with what would fit.
inline constexpr int64_t kLargestSide = int64_t{1} << 16;
inline constexpr int64_t kLargestStack = int64_t{1} << 20;

/// Reads the numbers into a struct with these fields (ArrayOptions, DesignSpec); those that were
/// not given stay. kInvalidArgument: what is no number, or out of all bounds.
template <typename Target>
[[nodiscard]] Status ParseWholeArrayFlags(const WholeArrayFlags& flags, Target* target) {
  Status s = ParseOptional("--k-mt", flags.k_mt, 1, kLargestSide, &target->k_mt);
  if (s.ok()) s = ParseOptional("--cols", flags.columns, 1, kLargestSide, &target->columns);
  if (s.ok()) s = ParseOptional("--c-buffers", flags.c_buffers, 1, 2, &target->c_buffers);
  if (s.ok()) s = ParseOptional("--stack", flags.stack, 0, kLargestStack, &target->stack_bytes);
  return s;
}

}  // namespace tilewave::cli
