#pragma once

// Output files that appear whole or not at all.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tilewave/status.h"

namespace tilewave::cli {

/// What is asked of the system in one call: Linux would move just under 2 GiB; smaller steps cost
/// nothing and show progress.
inline constexpr size_t kMaxTransferBytes = size_t{16} << 20;

/// The Status for a failed system call: "<what>: <the system's text for error>". The code follows
/// from `error`, for example kNotFound for ENOENT.
Status SystemError(const std::string& what, int error);

/// Whether AtomicFile::Create could write there, as far as can be told without opening a file: not
/// a directory, device or pipe (a rename would replace the device itself), not a file that the
/// caller may not write, and not what this process has open as standard input, output or error.
Status CheckOutputPath(const std::string& path);

/// A file that has no name until Commit puts it in place, so that an existing target stays as it
/// is until then and nothing is left of a file that was never committed, however the process ends.
/// Where the file system has no files without a name, it is ".tilewave-*.tmp" next to the target
/// and removed by the destructor. A replaced file hands on its mode (0777); a new one gets mode
/// 0666 less the umask. A symbolic link is followed: the file it names is replaced, the link stays.
class AtomicFile {
 public:
  /// Refuses what CheckOutputPath refuses.
  static Result<AtomicFile> Create(const std::string& path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  /// Appends all of `bytes`, or says why not; after an error only destruction makes sense.
  /// `progress`, if not null, counts the bytes.
  Status Write(std::span<const std::byte> bytes, std::atomic<int64_t>* progress = nullptr);

  /// Puts the file in place. Nothing may be written afterwards.
  Status Commit();

 private:
  AtomicFile(std::string path, std::string target) noexcept;

  Status OpenNamed();
  Status LinkTemporary();

  std::string path_;       // As the caller spells it, for messages.
  std::string target_;     // path_ after following symbolic links.
  std::string temporary_;  // Empty when there is nothing to remove.
  int fd_ = -1;
};

}  // namespace tilewave::cli
