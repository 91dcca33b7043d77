#pragma once

#include <atomic>
#include <cstdint>

#include "base/workers.h"

namespace tilewave::base {

/// Numbers of tasks, each handed out once, in order, to whoever asks.
class TaskSource {
 public:
  TaskSource(int64_t tasks, bool shared) : tasks_(tasks), shared_(shared) {}

  /// The next task, or -1 when there is none left.
  int64_t Next() {
    // Alone, without the cost of an atomic exchange.
    const int64_t task = shared_ ? next_.fetch_add(1, std::memory_order_relaxed) : alone_++;
    return task < tasks_ ? task : -1;
  }

 private:
  int64_t tasks_;
  bool shared_;
  int64_t alone_ = 0;
  std::atomic<int64_t> next_{0};
};

/// Who may help with a piece of work. Borrowed.
struct Crew {
  Workers* workers = nullptr;  ///< Null: the caller alone.
  Wake wake = Wake::kNever;

  /// The most that take part, the caller among them.
  int threads() const { return workers == nullptr ? 1 : workers->threads(); }
};

/// Calls body(TaskSource&, member) here and on the threads of the crew that come, with different
/// members in [0, threads of the crew); each takes tasks until there are none. Comes back when all
/// are done. The body must not throw.
template <typename Body>
void ShareTasks(const Crew& crew, int64_t tasks, Body body) {
  struct Context {
    TaskSource source;
    Body* body;
  };
  const bool shared = crew.workers != nullptr && tasks > 1;
  Context context{TaskSource(tasks, shared), &body};
  if (!shared) {
    body(context.source, 0);
    return;
  }
  crew.workers->Run(
      [](void* opaque, int member) {
        auto* c = static_cast<Context*>(opaque);
        (*c->body)(c->source, member);
      },
      &context, crew.wake);
}

/// Calls task(i) for i in [0, tasks), shared out to the crew.
template <typename Task>
void ParallelFor(const Crew& crew, int64_t tasks, Task task) {
  ShareTasks(crew, tasks, [&](TaskSource& source, int /*member*/) {
    for (int64_t i = source.Next(); i >= 0; i = source.Next()) task(i);
  });
}

}  // namespace tilewave::base
