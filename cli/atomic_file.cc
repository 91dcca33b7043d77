#include "cli/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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

// One write(2) moves less than 2 GiB on Linux anyway; smaller steps cost nothing.
constexpr size_t kMaxTransfer = size_t{1} << 30;
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
  if (::access(target.c_str(), W_OK) != 0) return CannotWrite(path, errno);
  return Status();
}

// A name in the directory of `target`; not built from its last component, which may already be as
// long as a name can be.
std::string TemporaryName(const std::string& target) {
  static std::atomic<uint32_t> counter{0};
  const size_t slash = target.rfind('/');
  const std::string directory = slash == std::string::npos ? "" : target.substr(0, slash + 1);
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return fmt::format("{}.tilewave-{}-{:x}-{}.tmp", directory, ::getpid(), now, counter++);
}

}  // namespace

Status SystemError(const std::string& what, int error) {
  return Status(CodeOfErrno(error),
                fmt::format("{}: {}", what, std::generic_category().message(error)));
}

Result<AtomicFile> AtomicFile::Create(const std::string& path) {
  Result<std::string> target = FollowLinks(path);
  if (!target.ok()) return target.status();
  if (Status status = CheckTarget(path, *target); !status.ok()) return status;
  for (int attempt = 0; attempt < kMaxNameAttempts; ++attempt) {
    std::string temporary = TemporaryName(*target);
    // O_EXCL never follows a link and never opens a file that somebody else has put there.
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return AtomicFile(path, *std::move(target), std::move(temporary), fd);
    if (errno != EEXIST && errno != EINTR) return CannotWrite(path, errno);
  }
  return CannotWrite(path, EEXIST);
}

AtomicFile::AtomicFile(std::string path, std::string target, std::string temporary, int fd)
    : path_(std::move(path)),
      target_(std::move(target)),
      temporary_(std::move(temporary)),
      fd_(fd) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, std::string())),
      fd_(std::exchange(other.fd_, -1)) {}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status AtomicFile::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), std::min(bytes.size(), kMaxTransfer));
    if (written > 0) {
      bytes = bytes.subspan(static_cast<size_t>(written));
    } else if (written == 0 || errno != EINTR) {
      return CannotWrite(path_, written == 0 ? EIO : errno);
    }
  }
  return Status();
}

Status AtomicFile::Commit() {
  // Some file systems report a full disk only here. After EINTR the descriptor is gone on Linux
  // and what was written is kept, so that is no error.
  if (::close(std::exchange(fd_, -1)) != 0 && errno != EINTR) return CannotWrite(path_, errno);
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) return CannotWrite(path_, errno);
  temporary_.clear();
  return Status();
}

}  // namespace tilewave::cli
