#pragma once

#include <cstdint>

namespace tilewave {

/// Threads that a program has already, to be used by an Engine instead of threads of its own: see
/// EngineOptions::executor. Called by any number of threads at once.
class Executor {
 public:
  virtual ~Executor() = default;

  /// How many threads work on a ParallelFor at a time, the caller among them if it takes part; 1
  /// to 1024. Asked once, when the engine is made.
  virtual int threads() const = 0;

  /// Calls task(context, i) once for each i in [0, tasks), on any threads and in any order, at the
  /// same time or one after the other, and returns when all have returned; must not throw, and
  /// must not run other work of the program on the calling thread meanwhile. Tasks neither throw,
  /// nor block, nor call the executor; they want 128 KiB of stack. `tasks` is at most threads().
  using Task = void (*)(void* context, int64_t i);
  virtual void ParallelFor(int64_t tasks, Task task, void* context) = 0;
};

}  // namespace tilewave
