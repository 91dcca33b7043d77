#include "cli/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cli/atomic_file.h"

namespace tilewave::cli {
namespace {

Status CannotRead(const std::string& path, int error) {
  if (error == ENOENT) return Status(StatusCode::kNotFound, path + ": no such file");
  return SystemError(fmt::format("cannot read '{}'", path), error);
}

}  // namespace

InputFile::InputFile(std::string path, int fd) noexcept : path_(std::move(path)), fd_(fd) {}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), bytes_(other.bytes_) {}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<InputFile> InputFile::Open(const std::string& path, const std::string& expected) {
  if (path.empty()) {
    return Status(StatusCode::kInvalidArgument, "the file name is empty; expected " + expected);
  }
  int raw = -1;
  do {
    // Without O_NONBLOCK a pipe that nobody writes to would hang here instead of being refused.
    raw = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (raw < 0 && errno == EINTR);
  if (raw < 0) return CannotRead(path, errno);
  InputFile file(path, raw);
  struct stat info = {};
  if (::fstat(raw, &info) != 0) return CannotRead(path, errno);
  if (S_ISDIR(info.st_mode)) {
    return Status(StatusCode::kInvalidArgument, path + " is a directory; expected " + expected);
  }
  if (!S_ISREG(info.st_mode)) {
    return Status(StatusCode::kInvalidArgument,
                  path + " is not a regular file; expected " + expected + " on disk");
  }
  file.bytes_ = static_cast<uint64_t>(info.st_size);
  return file;
}

Status InputFile::ReadAt(size_t offset, std::span<std::byte> bytes,
                         std::atomic<int64_t>* progress) const {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(fd_, bytes.data(), std::min(bytes.size(), kMaxTransferBytes),
                                  static_cast<off_t>(offset));
    if (count > 0) {
      if (progress != nullptr) progress->fetch_add(count, std::memory_order_relaxed);
      offset += static_cast<size_t>(count);
      bytes = bytes.subspan(static_cast<size_t>(count));
    } else if (count == 0) {
      return Status(StatusCode::kDataLoss, path_ + " became shorter while it was read");
    } else if (errno != EINTR) {
      return CannotRead(path_, errno);
    }
  }
  return Status();
}

}  // namespace tilewave::cli
