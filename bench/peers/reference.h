#pragma once

#include <string>

#include "bench/peers/peer.h"

namespace peers {

/// Writes the operands of a case into `dir`, always the same ones for the same case, and what every
/// library has to make of them.
void WriteInputs(const Case& wanted, const std::string& dir);

/// Compares the C in `file` with the reference in `dir`, every element. "" or what is wrong.
/// numerics: "exact" (s32), "row" or "tensor" (see Made).
std::string Compare(const Case& wanted, const std::string& dir, const std::string& file,
                    const std::string& numerics);

}  // namespace peers
