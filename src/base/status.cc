#include "tilewave/status.h"

#include "base/check.h"

namespace tilewave {

std::string_view Name(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kInvalidArgument:
      return "invalid_argument";
    case StatusCode::kOutOfRange:
      return "out_of_range";
    case StatusCode::kFailedPrecondition:
      return "failed_precondition";
    case StatusCode::kNotFound:
      return "not_found";
    case StatusCode::kUnimplemented:
      return "unimplemented";
    case StatusCode::kUnavailable:
      return "unavailable";
    case StatusCode::kResourceExhausted:
      return "resource_exhausted";
    case StatusCode::kDeadlineExceeded:
      return "deadline_exceeded";
    case StatusCode::kDataLoss:
      return "data_loss";
    case StatusCode::kPermissionDenied:
      return "permission_denied";
    case StatusCode::kInternal:
      return "internal";
  }
  return "unknown";
}

void EndForWantOfValue(const Status& status) {
  base::FailCheck(__FILE__, __LINE__, "a Result without a value was read: " + status.ToString());
}

Status::Status(StatusCode code, std::string message) {
  TW_CHECK(code != StatusCode::kOk);
  detail_ = std::make_shared<const Detail>(Detail{code, std::move(message)});
}

const std::string& Status::message() const {
  static const std::string kEmpty;
  return ok() ? kEmpty : detail_->message;
}

std::string Status::ToString() const {
  if (ok()) return "ok";
  return std::string(Name(code())) + ": " + message();
}

}  // namespace tilewave
