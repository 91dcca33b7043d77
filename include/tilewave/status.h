#pragma once

// Status and Result: how every call of this library says that something could not be done.
// The library never prints, never exits and never throws across this interface.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tilewave {

/// What went wrong, by what the caller can do about it.
enum class StatusCode {
  kOk = 0,
  kInvalidArgument,     ///< The call can never work as written: mend the arguments.
  kOutOfRange,          ///< A value passes a named limit (K, an extent, a byte count): make it fit.
  kFailedPrecondition,  ///< Right call, wrong moment or object (Weights of another K or N).
  kNotFound,            ///< A named thing (device, profile, kernel, file) does not exist.
  kUnimplemented,       ///< Documented, but not built yet; docs/architecture.md lists these.
  kUnavailable,         ///< The device is not there or cannot be used now; try another one.
  kResourceExhausted,   ///< Out of memory, queue slots or contexts: free some, then try again.
  kDeadlineExceeded,    ///< A bounded wait ran out.
  kDataLoss,            ///< Outside data is truncated or damaged.
  kPermissionDenied,    ///< The system refused access.
  kInternal,            ///< A bug in tilewave; please report the message.
};

/// Stable lower-case name of a code, for example "invalid_argument".
std::string_view Name(StatusCode code);

/// Ok, or a code with one sentence that names the thing and the expected form.
/// Cheap to move and to test: ok() is one null compare, and an ok Status owns nothing.
/// Immutable after construction, so one Status may be read from many threads.
class [[nodiscard]] Status {
 public:
  /// Ok.
  Status() = default;

  /// An error. `message` is one sentence without a trailing newline.
  /// REQUIRES: code != kOk.
  Status(StatusCode code, std::string message);

  bool ok() const { return detail_ == nullptr; }
  StatusCode code() const { return ok() ? StatusCode::kOk : detail_->code; }

  /// The sentence; empty when ok.
  const std::string& message() const;

  /// "ok" or "invalid_argument: <message>".
  std::string ToString() const;

 private:
  struct Detail {
    StatusCode code;
    std::string message;
  };
  std::shared_ptr<const Detail> detail_;
};

/// For Result: says what is wrong on standard error and aborts.
[[noreturn]] void EndForWantOfValue(const Status& status);

/// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)

  /// An ok Status in the place of a value is a bug of the caller and becomes kInternal.
  Result(Status status)  // NOLINT(google-explicit-constructor)
      : status_(status.ok() ? Status(StatusCode::kInternal, "a Result was made without a value")
                            : std::move(status)) {}

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  /// REQUIRES: ok(). Without a value the program ends with the sentence of the Status.
  T& value() & { return Checked(); }
  const T& value() const& { return Checked(); }
  T&& value() && { return std::move(Checked()); }
  T& operator*() & { return Checked(); }
  const T& operator*() const& { return Checked(); }
  T&& operator*() && { return std::move(Checked()); }
  T* operator->() { return &Checked(); }
  const T* operator->() const { return &Checked(); }

 private:
  T& Checked() {
    if (!value_) EndForWantOfValue(status_);
    return *value_;
  }
  const T& Checked() const {
    if (!value_) EndForWantOfValue(status_);
    return *value_;
  }

  Status status_;
  std::optional<T> value_;
};

}  // namespace tilewave
