#pragma once

// What the names in MLIR text stand for, while it is read.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "emit/mlir_tokens.h"
#include "program/array_program.h"

namespace tilewave::emit {

/// Names with their '%', into the text.
struct MlirSymbols {
  std::map<std::string_view, program::Tile> tiles;
  std::map<std::string_view, int> buffers;     ///< Indices into ArrayProgram::buffers.
  std::map<std::string_view, int> locks;       ///< Indices into ArrayProgram::locks.
  std::map<std::string_view, int> parameters;  ///< Of a core's buffer: index of the first.
};

/// Integers that a region has named.
using MlirConstants = std::map<std::string_view, int64_t>;

/// Takes a value that must be one of the names; a default after a failure.
template <typename T>
T TakeNamed(const std::map<std::string_view, T>& names, std::string_view what, Cursor* cursor) {
  const Token token = cursor->Peek();
  const auto found = names.find(cursor->Take(Token::Kind::kValue, what));
  if (found != names.end()) return found->second;
  cursor->Fail(token, what);
  return T();
}

/// The rest of "%name = arith.constant 1 : i32", from "arith.constant" on.
void TakeConstant(std::string_view name, MlirConstants* constants, Cursor* cursor);

/// "aie.use_lock(%lock, Release, %one)"; `releases` says which of the two it is.
program::LockUse TakeLockUse(const MlirSymbols& symbols, const MlirConstants& constants,
                             bool* releases, Cursor* cursor);

}  // namespace tilewave::emit
