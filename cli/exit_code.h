#pragma once

#include "tilewave/status.h"

namespace tilewave::cli {

/// What the process returns; documented in docs/cli.md and in --help.
enum class ExitCode : int {
  kOk = 0,
  kWrongResult = 1,   ///< A check found elements that differ from the reference.
  kUsage = 2,         ///< The command line cannot be read.
  kBadInput = 3,      ///< Shapes, types, values or file contents that cannot be multiplied.
  kNotFound = 4,      ///< A file, device or kernel does not exist or may not be accessed.
  kNotAvailable = 5,  ///< A device or feature that is not there, or not built yet.
  kFailed = 6,        ///< Out of memory, out of time, or a bug.
};

/// The exit code of an error. REQUIRES: !status.ok().
constexpr ExitCode ExitCodeOf(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return ExitCode::kOk;
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kDataLoss:
      return ExitCode::kBadInput;
    case StatusCode::kNotFound:
    case StatusCode::kPermissionDenied:
      return ExitCode::kNotFound;
    case StatusCode::kUnimplemented:
    case StatusCode::kUnavailable:
      return ExitCode::kNotAvailable;
    case StatusCode::kResourceExhausted:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kInternal:
      return ExitCode::kFailed;
  }
  return ExitCode::kFailed;
}

}  // namespace tilewave::cli
