#include "cli/system_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace tilewave::cli {
namespace {

constexpr size_t kMaxLine = 120;
constexpr size_t kMaxLink = 4096;
constexpr int kMaxEntries = 65536;
constexpr std::string_view kBlanks = " \t\r";

std::string FirstLine(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  text = text.substr(0, text.find_last_not_of(kBlanks) + 1);
  std::string line(text.substr(0, kMaxLine));
  for (char& c : line) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return line;
}

}  // namespace

std::optional<std::string> SystemFiles::Read(const std::string& path, size_t max_bytes) const {
  const std::string full = Path(path);
  // Asked before opening too, since opening alone can move a device.
  struct stat info = {};
  if (::stat(full.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  const int fd = ::open(full.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return std::nullopt;
  std::optional<std::string> text;
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) text.emplace();
  std::array<char, 4096> block;
  while (text && text->size() < max_bytes) {
    const ssize_t count =
        ::read(fd, block.data(), std::min(block.size(), max_bytes - text->size()));
    if (count == 0) break;
    if (count > 0) {
      text->append(block.data(), static_cast<size_t>(count));
    } else if (errno != EINTR) {
      text.reset();
    }
  }
  ::close(fd);
  return text;
}

std::string SystemFiles::Line(const std::string& path) const {
  return FirstLine(Read(path, kMaxLine * 2).value_or(""));
}

std::optional<std::vector<std::string>> SystemFiles::List(const std::string& path,
                                                          std::string_view prefix) const {
  const auto close = [](DIR* folder) { ::closedir(folder); };
  const std::unique_ptr<DIR, decltype(close)> folder(::opendir(Path(path).c_str()), close);
  if (!folder) return std::nullopt;
  std::vector<std::string> names;
  for (int i = 0; i < kMaxEntries; ++i) {
    const dirent* const entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && name.starts_with(prefix)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string SystemFiles::Link(const std::string& path) const {
  std::string target(kMaxLink, '\0');
  const ssize_t count = ::readlink(Path(path).c_str(), target.data(), target.size());
  return count <= 0 ? ""
                    : FirstLine(std::string_view(target).substr(0, static_cast<size_t>(count)));
}

bool SystemFiles::Exists(const std::string& path) const {
  struct stat info = {};
  return ::stat(Path(path).c_str(), &info) == 0;
}

std::string_view LastPart(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace tilewave::cli
