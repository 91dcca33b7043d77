#include "device/xrt/driver_seam.h"

namespace tilewave::device::xrt {

std::string_view Name(RunState state) {
  switch (state) {
    case RunState::kNew:
      return "new";
    case RunState::kQueued:
      return "queued";
    case RunState::kRunning:
      return "running";
    case RunState::kCompleted:
      return "completed";
    case RunState::kError:
      return "error";
    case RunState::kAbort:
      return "abort";
    case RunState::kSubmitted:
      return "submitted";
    case RunState::kTimeout:
      return "timeout";
    case RunState::kNoResponse:
      return "no response";
    case RunState::kSkError:
      return "soft kernel error";
    case RunState::kSkCrashed:
      return "soft kernel crashed";
  }
  return "unknown";
}

bool HasEnded(RunState state) {
  switch (state) {
    case RunState::kNew:
    case RunState::kQueued:
    case RunState::kRunning:
    case RunState::kSubmitted:
      return false;
    case RunState::kCompleted:
    case RunState::kError:
    case RunState::kAbort:
    case RunState::kTimeout:
    case RunState::kNoResponse:
    case RunState::kSkError:
    case RunState::kSkCrashed:
      break;
  }
  return true;
}

}  // namespace tilewave::device::xrt
