#include "emit/mlir_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/printable.h"

namespace tilewave::emit {
namespace {

using program::ArrayProgram;
using program::Core;
using program::Tile;

constexpr size_t kLongestName = 64;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && IsLetter(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsLetter(c) || (c >= '0' && c <= '9'); });
}

Status CheckName(std::string_view what, std::string_view name) {
  if (IsName(name)) return {};
  return {StatusCode::kInvalidArgument,
          fmt::format("'{}' is no name of a {} in MLIR text; expected letters, digits and '_', at "
                      "most {}",
                      base::Printable(name), what, kLongestName)};
}

template <typename T>
Status CheckNamesOf(std::string_view what, const std::vector<T>& things) {
  for (const T& thing : things) {
    if (Status s = CheckName(what, thing.name); !s.ok()) return s;
  }
  return {};
}

Status Twice(std::string_view what, std::string_view name) {
  return {StatusCode::kUnimplemented, fmt::format("two {} are named '{}'", what, name)};
}

Status CheckSymbols(const ArrayProgram& program) {
  std::set<std::string> symbols;
  for (const program::TileBuffer& buffer : program.buffers) {
    const auto [symbol, added] = symbols.insert(SymbolName(buffer.tile, buffer.name));
    if (!added) return Twice("symbols", *symbol);
  }
  for (const program::Lock& lock : program.locks) {
    const auto [symbol, added] = symbols.insert(SymbolName(lock.tile, lock.name));
    if (!added) return Twice("symbols", *symbol);
  }
  for (const ParameterGroup& group : ParameterGroups(program)) {
    const auto [symbol, added] = symbols.insert(SymbolName(group.tile, kParameters));
    if (!added) return Twice("symbols", *symbol);
    if (static_cast<int64_t>(group.count) > kParameterWords) {
      return {StatusCode::kUnimplemented,
              fmt::format("{} has {} run-time parameters; at most {}", Name(group.tile),
                          group.count, kParameterWords)};
    }
  }
  return {};
}

Status CheckCore(const Core& core) {
  std::set<std::string_view> kernels;
  for (const program::Kernel& kernel : core.kernels) {
    if (!kernels.insert(kernel.name).second) return Twice("kernels of a core", kernel.name);
  }
  std::set<std::string_view> rings;
  std::set<int> buffers;
  for (const program::Ring& ring : core.rings) {
    if (!rings.insert(ring.name).second) return Twice("rings of a core", ring.name);
    if (ring.buffers.size() > kMostRingBuffers) {
      return {StatusCode::kUnimplemented,
              fmt::format("ring {} of {} has {} buffers; at most {}", ring.name, Name(core.tile),
                          ring.buffers.size(), kMostRingBuffers)};
    }
    for (const int buffer : ring.buffers) {
      if (!buffers.insert(buffer).second) {
        return {StatusCode::kUnimplemented,
                fmt::format("ring {} of {} has a buffer that is in a ring already", ring.name,
                            Name(core.tile))};
      }
    }
  }
  return {};
}

}  // namespace

std::string DeviceName(const program::DesignSpec& spec) {
  const arch::Npu& npu = arch::NpuOf(spec.arch);
  if (spec.columns == npu.columns) return std::string(npu.name);
  return fmt::format("{}_{}col", npu.name, spec.columns);
}

std::string TileName(const Tile& tile) {
  const char* kind = tile.row == 0 ? "shim" : tile.row == 1 ? "mem" : "core";
  return fmt::format("{}_{}_{}", kind, tile.column, tile.row);
}

std::string SymbolName(const Tile& tile, std::string_view name) {
  return fmt::format("{}_{}", TileName(tile), name);
}

std::vector<ParameterGroup> ParameterGroups(const ArrayProgram& program) {
  std::vector<ParameterGroup> groups;
  for (size_t i = 0; i < program.parameters.size(); ++i) {
    const program::Parameter& parameter = program.parameters[i];
    const bool continues =
        !groups.empty() && groups.back().tile == parameter.tile &&
        parameter.address == program.parameters[i - 1].address + arch::kWordBytes;
    if (!continues) groups.push_back({parameter.tile, i, 0});
    ++groups.back().count;
  }
  return groups;
}

Status CheckNames(const ArrayProgram& program) {
  if (Status s = CheckNamesOf("buffer", program.buffers); !s.ok()) return s;
  if (Status s = CheckNamesOf("lock", program.locks); !s.ok()) return s;
  if (Status s = CheckNamesOf("parameter", program.parameters); !s.ok()) return s;
  for (const Core& core : program.cores) {
    if (Status s = CheckNamesOf("kernel", core.kernels); !s.ok()) return s;
    if (Status s = CheckNamesOf("ring", core.rings); !s.ok()) return s;
    for (const program::Ring& ring : core.rings) {
      // Values are named after rings; none may look like a symbol.
      if (ring.name.starts_with("core_")) return CheckName("ring", "%" + ring.name);
    }
  }
  return {};
}

Status CheckDistinct(const ArrayProgram& program) {
  if (Status s = CheckSymbols(program); !s.ok()) return s;
  for (const Core& core : program.cores) {
    if (Status s = CheckCore(core); !s.ok()) return s;
  }
  return {};
}

}  // namespace tilewave::emit
