#pragma once

// The program of one core, read from MLIR.

#include "emit/mlir_symbols.h"
#include "emit/mlir_tokens.h"
#include "program/array_program.h"

namespace tilewave::emit {

/// From the "{" after "aie.core(%tile)" to the end of its attributes. What contradicts itself is
/// found by printing what was read; see ParseMlir.
program::Core TakeCore(const program::Tile& tile, const MlirSymbols& symbols, Cursor* cursor);

}  // namespace tilewave::emit
