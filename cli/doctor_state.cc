#include "cli/doctor_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "arch/npu_pci.h"
#include "cli/system_files.h"
#include "cli/text.h"

namespace tilewave::cli {
namespace {

constexpr size_t kMaxSystemFileBytes = size_t{64} << 10;
constexpr size_t kMaxProcesses = 32768;
constexpr const char* kXrtFolder = "/opt/xilinx/xrt/lib";
constexpr const char* kPciFolder = "/sys/bus/pci/devices";
// linux/capability.h
constexpr int kCapDacOverride = 1;
constexpr int kCapIpcLock = 14;

/// The words of a text, split at blanks and line ends.
std::vector<std::string_view> Words(std::string_view text) {
  constexpr std::string_view kSeparators = " \t\n";
  std::vector<std::string_view> words;
  for (size_t begin = 0; (begin = text.find_first_not_of(kSeparators, begin)) != text.npos;) {
    const size_t end = std::min(text.find_first_of(kSeparators, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

/// The rest of the line that begins with `key`; empty if there is none.
std::string_view FieldOf(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(key)) return line.substr(key.size());
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return {};
}

/// "0x1502" or "1502".
template <typename T>
std::optional<T> ParseHex(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> ParseBytes(std::string_view text) {
  if (text == "unlimited") return std::numeric_limits<int64_t>::max();
  int64_t value = 0;
  if (!ParseNumber(text, &value) || value < 0) return std::nullopt;
  return value;
}

/// Addresses become parts of commands that the user may run, so nothing else passes.
bool IsPciAddress(std::string_view name) {
  return name.find_first_not_of("0123456789abcdef:.") == std::string_view::npos;
}

std::optional<NpuFunction> ReadNpu(const SystemFiles& files,
                                   const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    const std::string folder = fmt::format("{}/{}", kPciFolder, address);
    const auto vendor = ParseHex<uint32_t>(files.Line(folder + "/vendor"));
    const auto device = ParseHex<uint32_t>(files.Line(folder + "/device"));
    const auto revision = ParseHex<uint32_t>(files.Line(folder + "/revision"));
    if (vendor != arch::kAmdPciVendor || !device || !revision || !arch::IsNpuPciDevice(*device) ||
        !IsPciAddress(address)) {
      continue;
    }
    NpuFunction npu;
    npu.address = address;
    npu.device = *device;
    npu.revision = *revision;
    npu.driver = LastPart(files.Link(folder + "/driver"));
    for (const std::string& name :
         files.List(folder + "/accel", "accel").value_or(std::vector<std::string>())) {
      int number = 0;
      if (ParseNumber(std::string_view(name).substr(5), &number) && npu.accel.empty()) {
        npu.accel = name;
      }
    }
    npu.board = files.Line(folder + "/vbnv");
    npu.firmware_version = files.Line(folder + "/fw_version");
    npu.power_status = files.Line(folder + "/power/runtime_status");
    return npu;
  }
  return std::nullopt;
}

DriverModule ReadDriver(const SystemFiles& files, const std::string& kernel_release) {
  DriverModule driver;
  const std::string modules = files.Read("/proc/modules", kMaxSystemFileBytes).value_or("");
  driver.loaded = files.Exists("/sys/module/amdxdna") || !FieldOf(modules, "amdxdna ").empty();
  driver.version = files.Line("/sys/module/amdxdna/version");
  driver.srcversion = files.Line("/sys/module/amdxdna/srcversion");
  for (const char* folder : {"updates/dkms", "updates", "extra", "kernel/drivers/accel/amdxdna"}) {
    for (const char* ending : {".ko", ".ko.zst", ".ko.xz", ".ko.gz"}) {
      const std::string path =
          fmt::format("/lib/modules/{}/{}/amdxdna{}", kernel_release, folder, ending);
      if (driver.file.empty() && !kernel_release.empty() && files.Exists(path)) driver.file = path;
    }
  }
  return driver;
}

std::vector<FirmwareFile> ReadFirmware(const SystemFiles& files, const NpuFunction& npu,
                                       const std::string& kernel_release) {
  std::vector<std::string> folders = {fmt::format("{:04x}_{:02x}", npu.device, npu.revision)};
  if (const arch::NpuPciId* id = arch::FindNpuPciId(npu.device, npu.revision); id != nullptr) {
    folders.assign(id->firmware_folders.begin(), id->firmware_folders.end());
  }
  folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
  // Where the kernel looks, in its order; in each, what the driver asks for, newest first.
  std::vector<std::string> roots = {"/lib/firmware/updates", "/lib/firmware"};
  if (!kernel_release.empty()) {
    roots = {"/lib/firmware/updates/" + kernel_release, "/lib/firmware/updates",
             "/lib/firmware/" + kernel_release, "/lib/firmware"};
  }
  std::vector<FirmwareFile> found;
  for (const std::string& root : roots) {
    for (const std::string& folder : folders) {
      for (const char* name : {"npu.dev.sbin", "npu_7.sbin", "npu.sbin"}) {
        for (const char* ending : {"", ".zst", ".xz"}) {
          const std::string path = fmt::format("{}/amdnpu/{}/{}{}", root, folder, name, ending);
          if (!files.Exists(path)) continue;
          found.push_back({path, std::string(LastPart(files.Link(path)))});
        }
      }
    }
  }
  return found;
}

std::string GroupName(const SystemFiles& files, int64_t gid) {
  const std::string groups = files.Read("/etc/group", kMaxSystemFileBytes).value_or("");
  std::string_view rest = groups;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const size_t name_end = line.find(':');
    const size_t gid_begin = name_end == line.npos ? line.npos : line.find(':', name_end + 1);
    if (gid_begin == line.npos) continue;
    const std::string_view field =
        line.substr(gid_begin + 1, line.find(':', gid_begin + 1) - gid_begin - 1);
    int64_t value = 0;
    if (!ParseNumber(field, &value) || value != gid) continue;
    const std::string_view name = line.substr(0, name_end);
    // Becomes part of a command, as an address does.
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-';
    });
    return plain ? std::string(name) : "";
  }
  return "";
}

std::optional<AccelNode> ReadNode(const SystemFiles& files, const std::string& accel) {
  const std::string path = "/dev/accel/" + accel;
  struct stat info = {};
  if (::stat(files.Path(path).c_str(), &info) != 0) return std::nullopt;
  AccelNode node;
  node.mode = info.st_mode & 07777U;
  node.uid = info.st_uid;
  node.gid = info.st_gid;
  node.group = GroupName(files, node.gid);
  // The kernel knows of access lists and name spaces, which the mode does not show. It knows
  // nothing of the users of a recorded system.
  if (files.live()) {
    node.may_open = ::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) == 0;
  }
  return node;
}

std::optional<Caller> ReadCaller(const SystemFiles& files) {
  const std::optional<std::string> status = files.Read("/proc/self/status", kMaxSystemFileBytes);
  if (!status) return std::nullopt;
  // Real, effective, saved, and the one that counts for files.
  const std::vector<std::string_view> uids = Words(FieldOf(*status, "Uid:"));
  const std::vector<std::string_view> gids = Words(FieldOf(*status, "Gid:"));
  Caller caller;
  if (uids.size() != 4 || gids.size() != 4 || !ParseNumber(uids[3], &caller.uid)) {
    return std::nullopt;
  }
  std::vector<std::string_view> all = Words(FieldOf(*status, "Groups:"));
  all.push_back(gids[3]);
  for (const std::string_view text : all) {
    int64_t gid = 0;
    if (ParseNumber(text, &gid)) caller.gids.push_back(gid);
  }
  const std::vector<std::string_view> capabilities = Words(FieldOf(*status, "CapEff:"));
  const uint64_t bits =
      capabilities.size() == 1 ? ParseHex<uint64_t>(capabilities[0]).value_or(0) : 0;
  caller.overrides_permissions = (bits >> kCapDacOverride & 1) != 0;
  caller.locks_any_memory = (bits >> kCapIpcLock & 1) != 0;
  return caller;
}

std::optional<MemoryLock> ReadMemoryLock(const SystemFiles& files) {
  const std::string limits = files.Read("/proc/self/limits", kMaxSystemFileBytes).value_or("");
  const std::vector<std::string_view> words = Words(FieldOf(limits, "Max locked memory"));
  if (words.size() < 2) return std::nullopt;
  const std::optional<int64_t> soft = ParseBytes(words[0]);
  const std::optional<int64_t> hard = ParseBytes(words[1]);
  if (!soft || !hard) return std::nullopt;
  return MemoryLock{*soft, *hard};
}

/// What XRT's own note says, for a library whose name does not.
std::optional<Version> NotedXrtVersion(const SystemFiles& files) {
  const std::string text =
      files.Read("/opt/xilinx/xrt/version.json", kMaxSystemFileBytes).value_or("");
  const nlohmann::json note = nlohmann::json::parse(text, nullptr, false);
  if (!note.is_object()) return std::nullopt;
  const auto version = note.find("BUILD_VERSION");
  if (version == note.end() || !version->is_string()) return std::nullopt;
  return ParseVersion(version->get<std::string>());
}

/// Of XRT's own packages, then of others.
std::vector<std::string> LibraryFolders() {
  return {kXrtFolder,
          "/usr/local/lib",
          "/usr/local/lib64",
          "/usr/local/lib/x86_64-linux-gnu",
          "/usr/lib/x86_64-linux-gnu",
          "/usr/lib64",
          "/usr/lib"};
}

/// A library wherever it is, once per folder.
std::vector<Library> FindLibrary(const SystemFiles& files, const std::string& name) {
  const std::string prefix = name + ".so";
  std::vector<Library> found;
  for (const std::string& folder : LibraryFolders()) {
    // Merged systems list one folder under two names.
    if (files.Link(folder) == "lib") continue;
    Library library;
    for (const std::string& file :
         files.List(folder, prefix).value_or(std::vector<std::string>())) {
      const std::string path = fmt::format("{}/{}", folder, file);
      if (!files.Exists(path)) continue;
      if (library.path.empty()) library.path = path;
      const size_t digits = prefix.size() + 1;
      const std::optional<Version> version =
          file.size() > digits ? ParseVersion(std::string_view(file).substr(digits)) : std::nullopt;
      if (version && (!library.version || *version > *library.version)) {
        library = {path, version};
      }
    }
    if (library.path.empty()) continue;
    if (!library.version && folder == kXrtFolder) library.version = NotedXrtVersion(files);
    found.push_back(std::move(library));
  }
  return found;
}

std::optional<int64_t> CountProcesses(const SystemFiles& files, const std::string& accel) {
  const std::optional<std::vector<std::string>> processes = files.List("/proc");
  if (!processes) return std::nullopt;
  const std::string node = "/dev/accel/" + accel;
  int64_t count = 0;
  for (size_t i = 0; i < std::min(processes->size(), kMaxProcesses); ++i) {
    const std::string& process = (*processes)[i];
    if (process[0] < '0' || process[0] > '9') continue;
    const std::string folder = fmt::format("/proc/{}/fd", process);
    const std::optional<std::vector<std::string>> open = files.List(folder);
    if (!open) continue;  // Of another user.
    const bool has_node = std::any_of(open->begin(), open->end(), [&](const std::string& fd) {
      return files.Link(fmt::format("{}/{}", folder, fd)) == node;
    });
    if (has_node) ++count;
  }
  return count;
}

}  // namespace

std::optional<Version> ParseVersion(std::string_view text) {
  Version version = {};
  size_t count = 0;
  while (count < version.size()) {
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), version.at(count));
    if (error != std::errc() || version.at(count) < 0) break;
    ++count;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  if (count < 2) return std::nullopt;
  return version;
}

SystemState ReadSystemState(const std::string& root) {
  const SystemFiles files(root);
  SystemState state;
  state.kernel_release = files.Line("/proc/sys/kernel/osrelease");
  if (state.kernel_release.find('/') != std::string::npos) state.kernel_release.clear();
  const std::string cpu = files.Read("/proc/cpuinfo", kMaxSystemFileBytes).value_or("");
  std::string_view processor = FieldOf(cpu, "model name");
  processor.remove_prefix(std::min(processor.find_first_not_of("\t: "), processor.size()));
  state.processor = processor;
  const std::optional<std::vector<std::string>> addresses = files.List(kPciFolder);
  state.pci_listed = addresses.has_value();
  if (addresses) state.npu = ReadNpu(files, *addresses);
  state.driver = ReadDriver(files, state.kernel_release);
  state.caller = ReadCaller(files);
  state.memory_lock = ReadMemoryLock(files);
  state.xrt = FindLibrary(files, "libxrt_coreutil");
  state.xrt_plugin = FindLibrary(files, "libxrt_driver_xdna");
  if (!state.npu) return state;
  state.firmware = ReadFirmware(files, *state.npu, state.kernel_release);
  if (state.npu->accel.empty()) return state;
  state.node = ReadNode(files, state.npu->accel);
  state.processes_with_node = CountProcesses(files, state.npu->accel);
  return state;
}

}  // namespace tilewave::cli
