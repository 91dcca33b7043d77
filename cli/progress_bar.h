#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace tilewave::cli {

/// Draws a bar on stderr from a second after its construction until its destruction, if stderr is
/// a terminal and `wanted`. The work itself advances counter() from 0 to `total`.
class ProgressBar {
 public:
  ProgressBar(std::string label, int64_t total, bool wanted);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  std::atomic<int64_t>* counter() { return &done_; }

 private:
  void Draw();

  std::string label_;
  int64_t total_;
  std::atomic<int64_t> done_{0};
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;   // Guarded by mutex_.
  std::thread drawer_;  // Last: it uses the members above.
};

/// "read A.npy": a label for work on a file, from the last part of its path.
std::string FileLabel(std::string_view verb, std::string_view path);

/// "label [=====     ]  50 %", for a share in [0, 1].
std::string ProgressLine(const std::string& label, double share);

}  // namespace tilewave::cli
