#pragma once

#include <new>

#include "tilewave/status.h"

namespace tilewave::base {

/// kResourceExhausted, made at program start: returning a copy allocates nothing.
const Status& OutOfMemoryStatus();

/// Runs the body of a public call. Exceptions of the standard library (only std::bad_alloc can
/// occur) stop here. T is Status or a Result.
template <typename T, typename Body>
T WithoutExceptions(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return OutOfMemoryStatus();
  }
}

}  // namespace tilewave::base
