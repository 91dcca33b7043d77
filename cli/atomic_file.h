#pragma once

// Output files that appear whole or not at all.

#include <cstddef>
#include <span>
#include <string>

#include "tilewave/status.h"

namespace tilewave::cli {

/// The Status for a failed system call: "<what>: <the system's text for error>". The code follows
/// from `error`, for example kNotFound for ENOENT.
Status SystemError(const std::string& what, int error);

/// Writes to a temporary file next to the target and renames it over the target in Commit. Until
/// then an existing target stays as it is; a file that was never committed, or whose Write failed,
/// removes its temporary when it is destroyed. (A process killed by a signal cannot do that; it
/// leaves ".tilewave-*.tmp".) The new file gets mode 0666 less the umask.
/// A symbolic link is followed: the file it names is replaced, the link stays.
class AtomicFile {
 public:
  /// Refuses directories, devices and pipes (a rename would replace the device itself) and an
  /// existing file that the caller may not write.
  static Result<AtomicFile> Create(const std::string& path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  /// Appends all of `bytes`, or says why not; after an error only destruction makes sense.
  Status Write(std::span<const std::byte> bytes);

  /// Puts the file in place. Nothing may be written afterwards.
  Status Commit();

 private:
  AtomicFile(std::string path, std::string target, std::string temporary, int fd);

  std::string path_;       // As the caller spells it, for messages.
  std::string target_;     // path_ after following symbolic links.
  std::string temporary_;  // Empty when there is nothing left to remove.
  int fd_ = -1;
};

}  // namespace tilewave::cli
