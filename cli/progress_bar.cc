#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

namespace tilewave::cli {
namespace {

constexpr std::chrono::milliseconds kQuietTime{1000};
constexpr std::chrono::milliseconds kRedrawTime{100};
constexpr int kBarWidth = 40;

}  // namespace

std::string ProgressLine(const std::string& label, double share) {
  const double clamped = std::clamp(share, 0.0, 1.0);
  const auto filled = static_cast<size_t>(clamped * kBarWidth);
  return fmt::format("{} [{}{}] {:3.0f} %", label, std::string(filled, '='),
                     std::string(kBarWidth - filled, ' '), clamped * 100);
}

ProgressBar::ProgressBar(std::string label, int64_t total, bool wanted)
    : label_(std::move(label)), total_(std::max<int64_t>(total, 1)) {
  if (wanted && isatty(STDERR_FILENO) == 1) drawer_ = std::thread([this] { Draw(); });
}

ProgressBar::~ProgressBar() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  if (drawer_.joinable()) drawer_.join();
}

void ProgressBar::Draw() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (stopping_.wait_for(lock, kQuietTime, [this] { return stop_; })) return;
  size_t width = 0;
  while (!stop_) {
    const std::string line =
        ProgressLine(label_, static_cast<double>(done_.load(std::memory_order_relaxed)) /
                                 static_cast<double>(total_));
    width = line.size();
    fmt::print(stderr, "\r{}", line);
    std::fflush(stderr);
    stopping_.wait_for(lock, kRedrawTime, [this] { return stop_; });
  }
  // Leaves the line empty for what the command prints next.
  fmt::print(stderr, "\r{}\r", std::string(width, ' '));
  std::fflush(stderr);
}

}  // namespace tilewave::cli
