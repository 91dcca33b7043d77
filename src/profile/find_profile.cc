#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "profile/builtin.h"
#include "profile/profile.h"

namespace tilewave::profile {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFileBytes = size_t{1} << 20;  // A hundred times what a profile takes.

StatusCode CodeOfErrno(int error) {
  if (error == EACCES || error == EPERM) return StatusCode::kPermissionDenied;
  if (error == ELOOP || error == ENAMETOOLONG) return StatusCode::kInvalidArgument;
  return StatusCode::kUnavailable;
}

Status CannotRead(const std::string& path, int error) {
  return {CodeOfErrno(error),
          fmt::format("cannot read '{}': {}", path, std::generic_category().message(error))};
}

Result<std::string> ReadFile(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return Status(StatusCode::kNotFound, path + ": no such file");
  }
  if (status.type() == fs::file_type::none) return CannotRead(path, error.value());
  // Opening a pipe that nobody writes to would hang.
  if (status.type() != fs::file_type::regular) {
    return Status(StatusCode::kInvalidArgument,
                  path + " is not a regular file; expected a profile in JSON");
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) return CannotRead(path, errno);
  std::string text(kMaxFileBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return CannotRead(path, errno);
  if (text.size() > kMaxFileBytes) {
    return Status(StatusCode::kOutOfRange,
                  fmt::format("{} is longer than 1 MiB; expected a profile in JSON", path));
  }
  return text;
}

}  // namespace

Result<Profile> FindProfile(const std::string& name) {
  if (name.ends_with(".json")) {
    const Result<std::string> text = ReadFile(name);
    return text.ok() ? ParseProfile(*text, name) : text.status();
  }
  for (const BuiltinProfile& builtin : BuiltinProfiles()) {
    if (builtin.name == name) return ParseProfile(builtin.json, name);
  }
  return Status(StatusCode::kNotFound,
                fmt::format("no profile '{}'; expected {} or the path of a .json file", name,
                            fmt::join(ProfileNames(), ", ")));
}

std::vector<std::string_view> ProfileNames() {
  std::vector<std::string_view> names;
  for (const BuiltinProfile& builtin : BuiltinProfiles()) names.push_back(builtin.name);
  return names;
}

}  // namespace tilewave::profile
