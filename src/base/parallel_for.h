#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/workers.h"

namespace tilewave::base {

/// Tasks in shares, one for each member (of more than kMost, some have one together): whoever did a
/// task last time most often does it again, and finds what it has read and written in its own
/// caches.
class TaskShares {
 public:
  static constexpr int64_t kMost = 16;

  /// REQUIRES: tasks and members are at least 1.
  TaskShares(int64_t tasks, int64_t members) : count_(std::min({tasks, members, kMost})) {
    for (int64_t i = 0; i < count_; ++i) {
      shares_[i].next.store(tasks * i / count_, std::memory_order_relaxed);
      shares_[i].end = tasks * (i + 1) / count_;
    }
  }

  int64_t count() const { return count_; }
  /// The next task of a share, or -1 when there is none left.
  int64_t Next(int64_t share) {
    const int64_t task = shares_[share].next.fetch_add(1, std::memory_order_relaxed);
    return task < shares_[share].end ? task : -1;
  }

 private:
  struct alignas(64) Share {
    std::atomic<int64_t> next;
    int64_t end;
  };
  int64_t count_;
  Share shares_[kMost];
};

/// What one member takes its tasks from, each of which is handed out once: its own share, in order,
/// then what is left of others.
class TaskSource {
 public:
  /// All of them, without the cost of atomic exchanges.
  explicit TaskSource(int64_t tasks) : alone_end_(tasks) {}
  TaskSource(TaskShares* shares, int member)
      : shares_(shares), share_(member % shares->count()), left_(shares->count()) {}

  /// The next task, or -1 when there is none left.
  int64_t Next() {
    if (shares_ == nullptr) return alone_ < alone_end_ ? alone_++ : -1;
    for (; left_ > 0; --left_) {
      const int64_t task = shares_->Next(share_);
      if (task >= 0) return task;
      share_ = (share_ + 1) % shares_->count();
    }
    return -1;
  }

 private:
  TaskShares* shares_ = nullptr;
  int64_t share_ = 0;
  int64_t left_ = 0;  ///< Shares that may have tasks.
  int64_t alone_ = 0;
  int64_t alone_end_ = 0;
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
  if (crew.workers == nullptr || tasks <= 1) {
    TaskSource source(tasks);
    body(source, 0);
    return;
  }
  struct Context {
    TaskShares shares;
    Body* body;
  };
  Context context{TaskShares(tasks, crew.threads()), &body};
  crew.workers->Run(
      [](void* opaque, int member) {
        auto* c = static_cast<Context*>(opaque);
        TaskSource source(&c->shares, member);
        (*c->body)(source, member);
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
