#pragma once

// Changes of legal programs and what Validate must find in them.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "arch/npu.h"
#include "program/array_program.h"
#include "program/validate.h"

namespace tilewave::program {

using Texts = std::vector<std::string>;

Texts TextsOf(const std::vector<Violation>& violations);

/// What is done to a legal program, and all that must be found; nothing: it stays legal.
struct ProgramCase {
  const char* what;
  std::function<void(ArrayProgram*)> mutate;
  Texts expected;
};

/// Each case by itself, on every array.
void ExpectAll(ArrayProgram (*legal)(arch::NpuArch), const std::vector<ProgramCase>& cases);

/// Moves the ends of a channel's flows, too.
void MoveChannel(size_t channel, int to, ArrayProgram* p);

/// Of a chain of one.
void SetId(size_t channel, int id, ArrayProgram* p);

}  // namespace tilewave::program
