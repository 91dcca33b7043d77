#include "cli/output_directory.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "cli/atomic_file.h"

namespace tilewave::cli {
namespace {

namespace fs = std::filesystem;

enum class Presence { kAbsent, kSame, kOther };

Presence PresenceOf(const fs::path& path, const std::string& bytes) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return Presence::kAbsent;
  if (!fs::is_regular_file(status)) return Presence::kOther;
  if (fs::file_size(path, error) != bytes.size() || error) return Presence::kOther;
  std::ifstream file(path, std::ios::binary);
  const std::string there{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return file && there == bytes ? Presence::kSame : Presence::kOther;
}

Status MakeDirectory(const fs::path& path) {
  std::error_code error;
  fs::create_directory(path, error);
  if (!error && fs::is_directory(path)) return {};
  return error
             ? SystemError(fmt::format("cannot make directory '{}'", path.string()), error.value())
             : Status(StatusCode::kInvalidArgument,
                      fmt::format("'{}' is no directory", path.string()));
}

/// Makes the directories between `root` and the file.
Status MakeParents(const fs::path& root, const std::string& name) {
  fs::path directory = root;
  for (const fs::path& part : fs::path(name).parent_path()) {
    directory /= part;
    if (Status s = MakeDirectory(directory); !s.ok()) return s;
  }
  return {};
}

Status WriteFile(const fs::path& path, const emit::EmittedFile& file) {
  Result<AtomicFile> out = AtomicFile::Create(path.string());
  if (!out.ok()) return out.status();
  if (Status s = out->Write(std::as_bytes(std::span(file.bytes))); !s.ok()) return s;
  if (Status s = out->Commit(); !s.ok()) return s;
  if (!file.executable) return {};
  // Whoever may read it may run it.
  std::error_code error;
  const fs::perms readable = fs::status(path, error).permissions() & static_cast<fs::perms>(0444);
  fs::permissions(path, static_cast<fs::perms>(static_cast<unsigned>(readable) >> 2),
                  fs::perm_options::add, error);
  if (!error) return {};
  return SystemError(fmt::format("cannot make '{}' executable", path.string()), error.value());
}

}  // namespace

Result<std::vector<bool>> WriteDirectory(const std::string& path,
                                         std::span<const emit::EmittedFile> files) {
  std::error_code error;
  const fs::path root(path);
  if (fs::exists(root, error) && !fs::is_directory(root, error)) {
    return Status(StatusCode::kInvalidArgument, fmt::format("'{}' is no directory", path));
  }
  std::vector<bool> missing;
  for (const emit::EmittedFile& file : files) {
    const Presence presence = PresenceOf(root / file.name, file.bytes);
    if (presence == Presence::kOther) {
      return Status(StatusCode::kFailedPrecondition,
                    fmt::format("'{}' is there already and differs; nothing was written",
                                (root / file.name).string()));
    }
    missing.push_back(presence == Presence::kAbsent);
  }
  if (Status s = MakeDirectory(root); !s.ok()) return s;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!missing[i]) continue;
    if (Status s = MakeParents(root, files[i].name); !s.ok()) return s;
    if (Status s = WriteFile(root / files[i].name, files[i]); !s.ok()) return s;
  }
  return missing;
}

}  // namespace tilewave::cli
