#pragma once

// Reads what mlir_printer.h prints, so that a text says which program it is.

#include <string_view>

#include "program/array_program.h"
#include "tilewave/status.h"

namespace tilewave::emit {

/// The program that MlirText printed. White space and comments may differ, but for lines that
/// begin with "// tilewave: "; everything else may not: what was read is printed again and
/// compared token by token, so that no part of the text is taken on trust.
/// kInvalidArgument: "line 3, column 5: expected <what>, found '<what>'", and what MlirText says
/// of a program that it cannot print. kOutOfRange: what Validate says of an illegal one.
[[nodiscard]] Result<program::ArrayProgram> ParseMlir(std::string_view text);

}  // namespace tilewave::emit
