#pragma once

#include <utility>

#include "tilewave/status.h"

namespace tilewave::runtime {

/// What a device said while it worked. Ranges and permissions that it refuses are its own: those of
/// the call have been checked by then, so that another try, or another device, may do.
inline Status OfDevice(Status status) {
  if (status.code() != StatusCode::kOutOfRange && status.code() != StatusCode::kPermissionDenied) {
    return status;
  }
  return {StatusCode::kUnavailable, status.message()};
}

}  // namespace tilewave::runtime
