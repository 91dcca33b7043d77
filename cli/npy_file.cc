#include "cli/npy_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cli/atomic_file.h"
#include "cli/memory.h"

namespace tilewave::cli {
namespace {

// Linux would read just under 2 GiB in one call; smaller steps cost nothing and show progress.
constexpr size_t kMaxTransfer = size_t{16} << 20;

// An open descriptor that closes itself.
class UniqueFd {
 public:
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&&) = delete;
  ~UniqueFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Status CannotRead(const std::string& path, int error) {
  if (error == ENOENT) return Status(StatusCode::kNotFound, path + ": no such file");
  return SystemError(fmt::format("cannot read '{}'", path), error);
}

// Opens a regular file and gives its size.
Result<UniqueFd> OpenRegular(const std::string& path, uint64_t* file_bytes) {
  if (path.empty()) {
    return Status(StatusCode::kInvalidArgument, "the file name is empty; expected a .npy file");
  }
  int raw = -1;
  do {
    // Without O_NONBLOCK a pipe that nobody writes to would hang here instead of being refused.
    raw = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (raw < 0 && errno == EINTR);
  if (raw < 0) return CannotRead(path, errno);
  UniqueFd fd(raw);
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return CannotRead(path, errno);
  if (S_ISDIR(info.st_mode)) {
    return Status(StatusCode::kInvalidArgument, path + " is a directory; expected a .npy file");
  }
  if (!S_ISREG(info.st_mode)) {
    return Status(StatusCode::kInvalidArgument,
                  path + " is not a regular file; expected a .npy file on disk");
  }
  *file_bytes = static_cast<uint64_t>(info.st_size);
  return fd;
}

Status ReadAt(const UniqueFd& fd, const std::string& path, size_t offset,
              std::span<std::byte> bytes, std::atomic<int64_t>* progress) {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(fd.get(), bytes.data(), std::min(bytes.size(), kMaxTransfer),
                                  static_cast<off_t>(offset));
    if (count > 0) {
      if (progress != nullptr) progress->fetch_add(count, std::memory_order_relaxed);
      offset += static_cast<size_t>(count);
      bytes = bytes.subspan(static_cast<size_t>(count));
    } else if (count == 0) {
      return Status(StatusCode::kDataLoss, path + " became shorter while it was read");
    } else if (errno != EINTR) {
      return CannotRead(path, errno);
    }
  }
  return Status();
}

}  // namespace

Result<NpyArray> ReadNpy(const std::string& path, std::atomic<int64_t>* progress) {
  uint64_t file_bytes = 0;
  Result<UniqueFd> fd = OpenRegular(path, &file_bytes);
  if (!fd.ok()) return fd.status();
  std::vector<std::byte> prefix(std::min<uint64_t>(file_bytes, kMaxNpyPrefixBytes));
  if (Status status = ReadAt(*fd, path, 0, prefix, nullptr); !status.ok()) return status;
  Result<NpyHeader> header = ParseNpyHeader(prefix, path);
  if (!header.ok()) return header.status();
  if (Status status = CheckNpyFileBytes(*header, file_bytes, path); !status.ok()) return status;
  Result<base::AlignedBuffer> data = Allocate(path, header->data_bytes);
  if (!data.ok()) return data.status();
  const std::span<std::byte> target(data->data(), data->bytes());
  const Status status = ReadAt(*fd, path, header->data_offset, target, progress);
  if (!status.ok()) return status;
  return NpyArray{*std::move(header), *std::move(data)};
}

Status WriteNpy(const std::string& path, ElementType type, std::span<const int64_t> shape,
                std::span<const std::byte> data, std::atomic<int64_t>* progress) {
  Status status = CheckNpyArguments(path, type, shape, data.size());
  if (!status.ok()) return status;
  Result<AtomicFile> file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  const std::string header = NpyHeaderText(type, false, shape);
  status = file->Write(std::as_bytes(std::span(header)));
  if (status.ok()) status = file->Write(data, progress);
  return status.ok() ? file->Commit() : status;
}

}  // namespace tilewave::cli
