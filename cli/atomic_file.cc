#include "cli/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>

namespace tilewave::cli {
namespace {

constexpr int kMaxNameAttempts = 100;

StatusCode CodeOfErrno(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return StatusCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return StatusCode::kPermissionDenied;
    case EISDIR:
    case EINVAL:
    case ELOOP:
    case ENAMETOOLONG:
      return StatusCode::kInvalidArgument;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return StatusCode::kResourceExhausted;
    case EIO:
      return StatusCode::kDataLoss;
    default:
      return StatusCode::kUnavailable;
  }
}

Status CannotWrite(const std::string& path, int error) {
  return SystemError(fmt::format("cannot write '{}'", path), error);
}

// The path that a rename has to name: `path`, or the file behind it if it is a symbolic link.
Result<std::string> FollowLinks(const std::string& path) {
  struct stat info = {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISLNK(info.st_mode)) return path;
  struct Free {
    void operator()(char* text) const { std::free(text); }
  };
  const std::unique_ptr<char, Free> resolved(::realpath(path.c_str(), nullptr));
  if (resolved == nullptr) {
    return SystemError(fmt::format("cannot follow the symbolic link '{}'", path), errno);
  }
  return std::string(resolved.get());
}

// Whether a rename over `target` does what the caller means.
Status CheckTarget(const std::string& path, const std::string& target) {
  struct stat info = {};
  if (::stat(target.c_str(), &info) != 0) {
    return errno == ENOENT ? Status() : CannotWrite(path, errno);
  }
  if (S_ISDIR(info.st_mode)) return CannotWrite(path, EISDIR);
  if (!S_ISREG(info.st_mode)) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("cannot write '{}': it is not a regular file", path));
  }
  static constexpr std::array kStreams = {"input", "output", "error"};
  for (int fd = 0; fd < static_cast<int>(kStreams.size()); ++fd) {
    struct stat stream = {};
    if (::fstat(fd, &stream) == 0 && stream.st_dev == info.st_dev && stream.st_ino == info.st_ino) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("cannot write '{}': it is this program's own standard {}", path,
                                kStreams[static_cast<size_t>(fd)]));
    }
  }
  if (::access(target.c_str(), W_OK) != 0) return CannotWrite(path, errno);
  return Status();
}

// With its final slash; empty for the current directory.
std::string DirectoryOf(const std::string& target) {
  const size_t slash = target.rfind('/');
  return slash == std::string::npos ? "" : target.substr(0, slash + 1);
}

// A name in the directory of `target`; not built from its last component, which may already be as
// long as a name can be.
std::string TemporaryName(const std::string& target) {
  static std::atomic<uint32_t> counter{0};
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return fmt::format("{}.tilewave-{}-{:x}-{}.tmp", DirectoryOf(target), ::getpid(), now, counter++);
}

// A file without a name in the directory of `target`, or -1 where there are none. Readable, so
// that Commit can copy it if it must not be linked.
int OpenNameless(const std::string& target) {
  const std::string directory = DirectoryOf(target);
  return ::open(directory.empty() ? "." : directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
}

// Gives the nameless file `fd` a name; false and errno if that cannot be.
bool Link(int fd, const std::string& name) {
  const std::string source = fmt::format("/proc/self/fd/{}", fd);
  return ::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

// Copies the whole of `from` to `to`; false and errno on failure.
bool Copy(int from, int to) {
  off_t offset = 0;
  ssize_t moved = 0;
  do {
    moved = ::sendfile(to, from, &offset, kMaxTransferBytes);
  } while (moved > 0 || (moved < 0 && errno == EINTR));
  return moved == 0;
}

// Lets `fd` have the mode of the file that it is going to replace.
bool KeepMode(int fd, const std::string& target) {
  struct stat info = {};
  return ::stat(target.c_str(), &info) != 0 || ::fchmod(fd, info.st_mode & 0777) == 0;
}

}  // namespace

Status SystemError(const std::string& what, int error) {
  return Status(CodeOfErrno(error),
                fmt::format("{}: {}", what, std::generic_category().message(error)));
}

Status CheckOutputPath(const std::string& path) {
  const Result<std::string> target = FollowLinks(path);
  return target.ok() ? CheckTarget(path, *target) : target.status();
}

Result<AtomicFile> AtomicFile::Create(const std::string& path) {
  Result<std::string> target = FollowLinks(path);
  if (!target.ok()) return target.status();
  if (Status status = CheckTarget(path, *target); !status.ok()) return status;
  AtomicFile file(path, *std::move(target));
  file.fd_ = OpenNameless(file.target_);
  if (file.fd_ < 0) {
    if (Status status = file.OpenNamed(); !status.ok()) return status;
  }
  if (!KeepMode(file.fd_, file.target_)) return CannotWrite(path, errno);
  return file;
}

AtomicFile::AtomicFile(std::string path, std::string target) noexcept
    : path_(std::move(path)), target_(std::move(target)) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, std::string())),
      fd_(std::exchange(other.fd_, -1)) {}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

// Opens a temporary file that has a name.
Status AtomicFile::OpenNamed() {
  for (int attempt = 0; attempt < kMaxNameAttempts; ++attempt) {
    std::string temporary = TemporaryName(target_);
    // O_EXCL never follows a link and never opens a file that somebody else has put there.
    fd_ = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ >= 0) {
      temporary_ = std::move(temporary);
      return Status();
    }
    if (errno != EEXIST && errno != EINTR) return CannotWrite(path_, errno);
  }
  return CannotWrite(path_, EEXIST);
}

// Gives a nameless file a temporary name, by copying it if it must not be linked.
Status AtomicFile::LinkTemporary() {
  std::string temporary = TemporaryName(target_);
  if (Link(fd_, temporary)) {
    temporary_ = std::move(temporary);
    return Status();
  }
  const int nameless = std::exchange(fd_, -1);
  Status status = OpenNamed();
  if (status.ok() && (!Copy(nameless, fd_) || !KeepMode(fd_, target_))) {
    status = CannotWrite(path_, errno);
  }
  ::close(nameless);
  return status;
}

Status AtomicFile::Write(std::span<const std::byte> bytes, std::atomic<int64_t>* progress) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), std::min(bytes.size(), kMaxTransferBytes));
    if (written > 0) {
      bytes = bytes.subspan(static_cast<size_t>(written));
      if (progress != nullptr) progress->fetch_add(written, std::memory_order_relaxed);
    } else if (written == 0 || errno != EINTR) {
      return CannotWrite(path_, written == 0 ? EIO : errno);
    }
  }
  return Status();
}

Status AtomicFile::Commit() {
  // Linking to the final name takes one step, but never replaces a file.
  const bool nameless = temporary_.empty();
  const bool placed = nameless && Link(fd_, target_);
  if (nameless && !placed) {
    if (Status status = LinkTemporary(); !status.ok()) return status;
  }
  // Some file systems report a full disk only here. After EINTR the descriptor is gone on Linux
  // and what was written is kept, so that is no error.
  if (::close(std::exchange(fd_, -1)) != 0 && errno != EINTR) {
    const int error = errno;
    if (placed) ::unlink(target_.c_str());
    return CannotWrite(path_, error);
  }
  if (placed) return Status();
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) return CannotWrite(path_, errno);
  temporary_.clear();
  return Status();
}

}  // namespace tilewave::cli
