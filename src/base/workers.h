#pragma once

namespace tilewave::base {

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
  /// work themselves: there is no promise that anybody but the caller comes. `wake`: whether
  /// sleeping threads are worth waking, which costs some microseconds. Thread-safe. The function
  /// must not throw.
  using Function = void (*)(void* context, int member);
  virtual void Run(Function function, void* context, bool wake) = 0;
};

}  // namespace tilewave::base
