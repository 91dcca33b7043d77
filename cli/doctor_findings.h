#pragma once

// The judgement of `tilewave doctor`: a pure function from a snapshot of the system to findings.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/doctor_state.h"

namespace tilewave::cli {

enum class FindingState : uint8_t {
  kOk,
  kTrouble,        ///< Stands between the user and the NPU; `mend` removes it.
  kUnknown,        ///< The system does not say; `mend`, if there is one, finds out.
  kNotApplicable,  ///< No NPU here, or another finding comes first.
};

/// "ok", "trouble", "unknown", "not_applicable".
std::string_view Name(FindingState state);

/// What one check found.
struct Finding {
  std::string_view check;  ///< "memlock"
  FindingState state = FindingState::kUnknown;
  std::string seen;
  std::string mend;  ///< One line: a command, or what to do. May be empty.
};

struct Diagnosis {
  std::vector<Finding> findings;  ///< In the order in which troubles are best mended.
  bool usable = false;  ///< An NPU is here, and every check that decides found it in order.
  std::string summary;  ///< One sentence.

  /// How many findings are in trouble.
  int64_t troubles() const;
};

Diagnosis Diagnose(const SystemState& state);

}  // namespace tilewave::cli
