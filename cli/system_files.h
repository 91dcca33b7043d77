#pragma once

// The small files in which a Linux system says what it has: /proc, /sys, /dev, folders of libraries
// and firmware. Whatever they hold, reading them ends soon and takes little memory: nothing but
// regular files is opened, no more than a given size is read, and what cannot be read is absent.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tilewave::cli {

class SystemFiles {
 public:
  /// `root` stands before every path: "" for this system, a folder for a recorded one.
  explicit SystemFiles(std::string root) : root_(std::move(root)) {}

  /// Whether this is the system that the program runs on.
  bool live() const { return root_.empty(); }

  std::string Path(const std::string& path) const { return root_ + path; }

  /// The first `max_bytes` of a regular file, or nothing.
  std::optional<std::string> Read(const std::string& path, size_t max_bytes) const;

  /// The first line of a file, without blanks around it, as printable ASCII ('?' for what is not)
  /// of at most 120 characters; "" if it cannot be read.
  std::string Line(const std::string& path) const;

  /// The names in a folder that begin with `prefix`, sorted, of its first 65,536 entries; nothing
  /// if it cannot be listed.
  std::optional<std::vector<std::string>> List(const std::string& path,
                                               std::string_view prefix = "") const;

  /// What a symbolic link holds, made printable as a line is; "" if there is none.
  std::string Link(const std::string& path) const;

  /// Whether there is something of that name (what a link leads to counts).
  bool Exists(const std::string& path) const;

 private:
  std::string root_;
};

/// The part of a path behind its last slash.
std::string_view LastPart(std::string_view path);

}  // namespace tilewave::cli
