#pragma once

#include <cstdint>

namespace tilewave::base {

/// Whether sleeping threads are to be woken for a piece of work. That costs the caller some
/// microseconds, and the others come some tens of microseconds later.
enum class Wake : uint8_t {
  kNever,
  kIfBusy,  ///< If other work that wanted company ended a moment ago: then there may be more.
  kAlways,
};

/// Threads that work on one thing together, the caller among them.
class Workers {
 public:
  Workers() = default;
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  virtual ~Workers() = default;

  /// The most that take part, the caller among them.
  virtual int threads() const = 0;

  /// Calls function(context, member) here and, at the same time, on other threads, each with
  /// another member in [0, threads()); comes back when all are done. The functions share out the
  /// work themselves: there is no promise that anybody but the caller comes. Thread-safe. The
  /// function must not throw.
  using Function = void (*)(void* context, int member);
  virtual void Run(Function function, void* context, Wake wake) = 0;
};

}  // namespace tilewave::base
