#pragma once

// Input files: regular ones, read whole or in part.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tilewave/status.h"

namespace tilewave::cli {

/// An open regular file; closes itself.
class InputFile {
 public:
  /// `expected` is what the file should be, for messages: "a .npy file".
  static Result<InputFile> Open(const std::string& path, const std::string& expected);

  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile();

  uint64_t bytes() const { return bytes_; }

  /// Fills `bytes` from a place in the file. `progress`, if not null, counts them.
  Status ReadAt(size_t offset, std::span<std::byte> bytes,
                std::atomic<int64_t>* progress = nullptr) const;

 private:
  InputFile(std::string path, int fd) noexcept;

  std::string path_;
  int fd_;
  uint64_t bytes_ = 0;
};

}  // namespace tilewave::cli
