#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <utility>

#include "cli/text.h"

namespace tilewave::cli {
namespace {

constexpr std::chrono::milliseconds kQuietTime{1000};
constexpr std::chrono::milliseconds kRedrawTime{100};
constexpr int kBarWidth = 40;
constexpr size_t kMaxNameBytes = 24;  // Label, bar and share fit a line of 80 columns.

}  // namespace

std::string FileLabel(std::string_view verb, std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  const bool cut = name.size() > kMaxNameBytes;
  name = name.substr(0, kMaxNameBytes);
  // Not in the middle of a character of UTF-8.
  while (cut && !name.empty() && (static_cast<unsigned char>(name.back()) & 0x80) != 0) {
    name.remove_suffix(1);
  }
  return fmt::format("{} {}{}", verb, EscapeControls(name), cut ? "..." : "");
}

std::string ProgressLine(const std::string& label, double share) {
  const double clamped = std::clamp(share, 0.0, 1.0);
  const auto filled = static_cast<size_t>(clamped * kBarWidth);
  return fmt::format("{} [{}{}] {:3.0f} %", label, std::string(filled, '='),
                     std::string(kBarWidth - filled, ' '), clamped * 100);
}

ProgressBar::ProgressBar(std::string label, int64_t total, bool wanted)
    : label_(std::move(label)), total_(std::max<int64_t>(total, 1)) {
  if (!wanted || isatty(STDERR_FILENO) != 1) return;
  try {
    drawer_ = std::thread([this] { Draw(); });
  } catch (const std::system_error&) {
    // No more threads: the work goes on without a bar.
  }
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
