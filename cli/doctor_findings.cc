#include "cli/doctor_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "arch/npu_pci.h"
#include "base/printable.h"
#include "cli/system_files.h"

namespace tilewave::cli {
namespace {

using State = FindingState;

// amdxdna needs the IOMMU interface of 6.10 (README of amd/xdna-driver), and is part of Linux since
// 6.14.
constexpr Version kOldestKernel = {6, 10, 0};
constexpr Version kKernelWithDriver = {6, 14, 0};
// Run::wait2 came with 2.15 (XRT's change log), run lists with 2.17 (its first commit of them).
constexpr Version kOldestXrt = {2, 17, 0};

constexpr std::string_view kDriverSource = "https://github.com/amd/xdna-driver";
constexpr std::string_view kReload = "sudo modprobe -r amdxdna && sudo modprobe amdxdna";

std::string Text(const Version& version) {
  return fmt::format("{}.{}.{}", version[0], version[1], version[2]);
}

/// Whether two versions belong to one release; patches are builds of it.
bool SameRelease(const Version& a, const Version& b) { return a[0] == b[0] && a[1] == b[1]; }

std::string BytesText(int64_t bytes) {
  if (bytes == std::numeric_limits<int64_t>::max()) return "any amount";
  constexpr int64_t kMiB = int64_t{1} << 20;
  if (bytes >= kMiB && bytes % kMiB == 0) return fmt::format("{} MiB", bytes / kMiB);
  return fmt::format("{} bytes", bytes);
}

/// Null if there is none, or none that tilewave knows.
const arch::NpuPciId* KnownNpu(const SystemState& s) {
  return s.npu ? arch::FindNpuPciId(s.npu->device, s.npu->revision) : nullptr;
}

/// Whether the driver runs the NPU: then it accepted the firmware, too.
bool DriverRuns(const SystemState& s) { return s.npu && s.npu->driver == "amdxdna"; }

Finding Kernel(const SystemState& s) {
  const std::optional<Version> version = ParseVersion(s.kernel_release);
  if (!version) return {"kernel", State::kUnknown, "no version of Linux can be read", ""};
  std::string seen = "Linux " + s.kernel_release;
  if (*version < kOldestKernel) {
    return {"kernel", State::kTrouble, seen + "; the driver needs 6.10, and is part of 6.14",
            "boot Linux 6.14 or newer (Ubuntu 24.04: sudo apt install linux-generic-hwe-24.04)"};
  }
  if (*version < kKernelWithDriver) seen += ", of which the driver is not part yet";
  return {"kernel", State::kOk, seen, ""};
}

Finding Npu(const SystemState& s) {
  if (!s.pci_listed) return {"npu", State::kUnknown, "the PCI bus cannot be read", ""};
  if (!s.npu) {
    if (s.processor.find("Ryzen AI") == std::string::npos) {
      return {"npu", State::kNotApplicable, "no AMD NPU on the PCI bus", ""};
    }
    return {
        "npu", State::kTrouble,
        fmt::format("no NPU on the PCI bus, though this is an {}", base::Printable(s.processor)),
        "switch the NPU (also called IPU) on in the firmware setup of this machine"};
  }
  const std::string ids = fmt::format("{:04x}:{:04x} revision {:02x} at {}", arch::kAmdPciVendor,
                                      s.npu->device, s.npu->revision, s.npu->address);
  const arch::NpuPciId* const id = KnownNpu(s);
  if (id == nullptr) {
    return {"npu", State::kNotApplicable,
            fmt::format("{}: an NPU that tilewave does not know", ids), ""};
  }
  std::string seen = fmt::format("{} ({}), {}", id->name, arch::NpuOf(id->arch).name, ids);
  if (!s.npu->board.empty()) seen += fmt::format(", called '{}'", s.npu->board);
  return {"npu", State::kOk, seen, ""};
}

Finding Driver(const SystemState& s) {
  if (!s.driver.loaded) {
    if (!s.driver.file.empty()) {
      return {"driver", State::kTrouble,
              fmt::format("amdxdna is not loaded, though {} is there", s.driver.file),
              "sudo modprobe amdxdna"};
    }
    const std::optional<Version> kernel = ParseVersion(s.kernel_release);
    const std::string build = fmt::format("build and install it: {}", kDriverSource);
    const bool packaged = kernel && *kernel >= kKernelWithDriver;
    return {"driver", State::kTrouble, "amdxdna is neither loaded nor among this kernel's modules",
            packaged ? "install all modules of this kernel (Ubuntu: sudo apt install "
                       "linux-modules-extra-$(uname -r)), or " +
                           build
                     : build};
  }
  std::string seen = "amdxdna";
  seen += s.driver.version.empty() ? ", which names no version," : " " + s.driver.version;
  seen += " is loaded";
  if (!s.driver.srcversion.empty()) seen += fmt::format(" (source {})", s.driver.srcversion);
  if (!s.npu || s.npu->driver.empty() || DriverRuns(s)) return {"driver", State::kOk, seen, ""};
  return {"driver", State::kTrouble, fmt::format("{}, but {} has the NPU", seen, s.npu->driver),
          fmt::format("cd /sys/bus/pci/devices/{0} && echo {0} | sudo tee driver/unbind && echo "
                      "amdxdna | sudo tee driver_override && echo {0} | sudo tee "
                      "/sys/bus/pci/drivers_probe",
                      s.npu->address)};
}

Finding Firmware(const SystemState& s) {
  if (!s.firmware.empty()) {
    std::string seen = s.firmware[0].path;
    if (!s.firmware[0].link.empty()) seen += fmt::format(", which is {}", s.firmware[0].link);
    if (s.firmware.size() > 1) seen += fmt::format(", and {} more", s.firmware.size() - 1);
    return {"firmware", State::kOk, seen, ""};
  }
  if (DriverRuns(s)) {
    return {"firmware", State::kUnknown, "the driver found it where nothing can be read", ""};
  }
  const arch::NpuPciId* const id = KnownNpu(s);
  const std::string_view folder = id == nullptr ? "" : id->firmware_folders[0];
  return {"firmware", State::kTrouble, fmt::format("none in /lib/firmware/amdnpu/{}", folder),
          fmt::format("install your distribution's linux-firmware, then {}", kReload)};
}

Finding FirmwareProtocol(const SystemState& s) {
  constexpr std::string_view kCheck = "firmware_protocol";
  if (DriverRuns(s)) {
    if (s.npu->firmware_version.empty()) {
      return {kCheck, State::kOk, "the driver accepted the firmware", ""};
    }
    return {kCheck, State::kOk,
            fmt::format("the driver accepted firmware {}", s.npu->firmware_version), ""};
  }
  if (!s.driver.loaded || s.firmware.empty() || (s.npu && !s.npu->driver.empty())) {
    return {kCheck, State::kNotApplicable, "known when the driver has started the NPU", ""};
  }
  // A driver that fails to start a device lets go of it. With the firmware in place, the usual
  // reason is that the two speak different protocols, for they come from different packages.
  return {kCheck, State::kTrouble,
          "the driver is loaded and the firmware is there, but the driver refused the NPU, as it "
          "does for a firmware of another protocol",
          fmt::format("take driver and firmware from one source: a newer kernel with its "
                      "linux-firmware, or both from {} ('sudo dmesg | grep amdxdna' says what was "
                      "refused)",
                      kDriverSource)};
}

/// By the permission bits alone.
bool ModeAllows(const AccelNode& node, const Caller& caller) {
  constexpr uint32_t kReadWrite = 06;
  if (caller.overrides_permissions) return true;
  uint32_t bits = node.mode;
  if (caller.uid == node.uid) {
    bits >>= 6;
  } else if (std::find(caller.gids.begin(), caller.gids.end(), node.gid) != caller.gids.end()) {
    bits >>= 3;
  }
  return (bits & kReadWrite) == kReadWrite;
}

Finding AccelNodeAccess(const SystemState& s) {
  constexpr std::string_view kCheck = "accel_node";
  if (!s.npu || s.npu->accel.empty()) {
    if (!DriverRuns(s)) {
      return {kCheck, State::kNotApplicable, "there is one when the driver has started the NPU",
              ""};
    }
    return {kCheck, State::kTrouble, "the driver runs the NPU, but registered no node for it",
            std::string(kReload)};
  }
  const std::string path = "/dev/accel/" + s.npu->accel;
  if (!s.node) {
    return {kCheck, State::kTrouble, path + " is not there, though the driver registered it",
            fmt::format("sudo udevadm trigger --subsystem-match=accel (a container: start it with "
                        "--device {})",
                        path)};
  }
  const AccelNode& node = *s.node;
  const std::string group = node.group.empty() ? std::to_string(node.gid) : node.group;
  const std::string seen = fmt::format("{} has mode {:04o}, group {}", path, node.mode, group);
  if (!node.may_open && !s.caller) {
    return {kCheck, State::kUnknown, seen + "; who this user is cannot be read", ""};
  }
  if (node.may_open ? *node.may_open : ModeAllows(node, *s.caller)) {
    return {kCheck, State::kOk, seen + "; this user may read and write it", ""};
  }
  // Only root is meant to have it, so membership of a group would not help.
  constexpr uint32_t kGroupReadWrite = 060;
  if (node.gid == 0 || (node.mode & kGroupReadWrite) != kGroupReadWrite) {
    return {
        kCheck, State::kTrouble, seen + "; this user may not read and write it",
        "echo 'SUBSYSTEM==\"accel\", KERNEL==\"accel*\", GROUP=\"render\", MODE=\"0660\"' | sudo "
        "tee /etc/udev/rules.d/99-accel.rules && sudo udevadm control --reload && sudo udevadm "
        "trigger --subsystem-match=accel && sudo usermod -aG render $USER, then log in again"};
  }
  return {kCheck, State::kTrouble, seen + "; this user may not read and write it",
          fmt::format("sudo usermod -aG {} $USER, then log in again", group)};
}

Finding MemLock(const SystemState& s) {
  constexpr std::string_view kCheck = "memlock";
  if (s.caller && s.caller->locks_any_memory) {
    return {kCheck, State::kOk, "this user may lock any amount of memory, whatever the limit", ""};
  }
  if (!s.memory_lock) return {kCheck, State::kUnknown, "the limit cannot be read", "ulimit -l"};
  const auto [soft, hard] = *s.memory_lock;
  const std::string seen = fmt::format("this process may lock {} of memory", BytesText(soft));
  // The heap takes as much at once, and the buffers of every product come on top.
  if (soft > arch::kInstructionHeapBytes) return {kCheck, State::kOk, seen, ""};
  const std::string needed = fmt::format("{}; a context takes {} and its buffers more", seen,
                                         BytesText(arch::kInstructionHeapBytes));
  if (hard > arch::kInstructionHeapBytes)
    return {kCheck, State::kTrouble, needed, "ulimit -l hard"};
  return {kCheck, State::kTrouble, needed,
          "printf '* soft memlock unlimited\\n* hard memlock unlimited\\n' | sudo tee "
          "/etc/security/limits.d/99-amdxdna.conf, then log in again (a container: start it with "
          "--ulimit memlock=-1)"};
}

std::string LibraryText(const Library& library) {
  const std::string version = library.version ? Text(*library.version) : "of unknown version";
  return fmt::format("{} ({})", version, library.path);
}

/// The newest; one of unknown version only if there is no other. Null if there is none.
const Library* Newest(const std::vector<Library>& libraries) {
  const auto newest =
      std::max_element(libraries.begin(), libraries.end(),
                       [](const Library& a, const Library& b) { return a.version < b.version; });
  return newest == libraries.end() ? nullptr : &*newest;
}

Finding Xrt(const SystemState& s) {
  const std::string install =
      fmt::format("install XRT and its NPU plugin, which are built together: {}", kDriverSource);
  const Library* const xrt = Newest(s.xrt);
  if (xrt == nullptr) return {"xrt", State::kTrouble, "no libxrt_coreutil is installed", install};
  const std::string seen = "XRT " + LibraryText(*xrt);
  if (!xrt->version) return {"xrt", State::kUnknown, seen, "xrt-smi --version"};
  if (*xrt->version < kOldestXrt) {
    return {"xrt", State::kTrouble,
            fmt::format("{} is too old: run lists came with {}", seen, Text(kOldestXrt)), install};
  }
  for (const Library& other : s.xrt) {
    if (!other.version || *other.version < kOldestXrt) {
      return {
          "xrt", State::kUnknown,
          fmt::format("{}, but also {}, which programs may get instead", seen, LibraryText(other)),
          "source /opt/xilinx/xrt/setup.sh (in each shell), or remove the older one"};
    }
  }
  return {"xrt", State::kOk, seen, ""};
}

Finding XrtPlugin(const SystemState& s) {
  constexpr std::string_view kCheck = "xrt_plugin";
  const Library* const xrt = Newest(s.xrt);
  if (xrt == nullptr) return {kCheck, State::kNotApplicable, "there is no XRT", ""};
  const std::string install =
      fmt::format("build XRT and the plugin together and install both: {}", kDriverSource);
  const Library* const plugin = Newest(s.xrt_plugin);
  if (plugin == nullptr) {
    return {kCheck, State::kTrouble,
            "libxrt_driver_xdna is not installed; XRT finds no NPU without it", install};
  }
  const std::string seen = "plugin " + LibraryText(*plugin);
  if (!xrt->version || !plugin->version) return {kCheck, State::kUnknown, seen, ""};
  if (!SameRelease(*xrt->version, *plugin->version)) {
    return {kCheck, State::kTrouble,
            fmt::format("{}, of another release than XRT {}", seen, Text(*xrt->version)), install};
  }
  return {kCheck, State::kOk, seen, ""};
}

Finding Contexts(const SystemState& s) {
  constexpr std::string_view kCheck = "contexts";
  const arch::NpuPciId* const id = KnownNpu(s);
  if (id == nullptr || !DriverRuns(s)) {
    return {kCheck, State::kNotApplicable, "the driver runs no NPU", ""};
  }
  std::string seen = fmt::format("how many of {} are in use, only the driver knows",
                                 arch::NpuOf(id->arch).max_contexts);
  if (s.processes_with_node) {
    seen += fmt::format("; processes that have the NPU open, as far as this user sees them: {}",
                        *s.processes_with_node);
  }
  return {kCheck, State::kUnknown, seen, "xrt-smi examine -r aie-partitions"};
}

Finding Power(const SystemState& s) {
  constexpr std::string_view kCheck = "power";
  if (!s.npu || s.npu->power_status.empty()) {
    return {kCheck, State::kUnknown, "the system does not say", ""};
  }
  const std::string seen = fmt::format("runtime power management says '{}'", s.npu->power_status);
  if (s.npu->power_status != "error") return {kCheck, State::kOk, seen, ""};
  return {kCheck, State::kTrouble, seen, std::string(kReload)};
}

/// Whether it is in order; without these nothing can run.
bool Decides(std::string_view check) {
  constexpr std::array<std::string_view, 6> kDeciding = {
      "npu", "driver", "firmware_protocol", "accel_node", "xrt", "xrt_plugin"};
  return std::find(kDeciding.begin(), kDeciding.end(), check) != kDeciding.end();
}

std::string Summary(const Diagnosis& d) {
  const int64_t troubles = d.troubles();
  if (troubles > 0) {
    return fmt::format("the NPU is not usable: {} {} to mend, best from the top", troubles,
                       troubles == 1 ? "point" : "points");
  }
  if (d.usable) return "the NPU is usable";
  for (const Finding& finding : d.findings) {
    if (finding.check == "npu" && finding.state == State::kNotApplicable) {
      return "there is no NPU here that tilewave could use, and nothing to mend";
    }
  }
  return "nothing wrong was found, but not everything could be read";
}

}  // namespace

std::string_view Name(FindingState state) {
  switch (state) {
    case State::kOk:
      return "ok";
    case State::kTrouble:
      return "trouble";
    case State::kUnknown:
      return "unknown";
    case State::kNotApplicable:
      return "not_applicable";
  }
  return "unknown";
}

int64_t Diagnosis::troubles() const {
  return std::count_if(findings.begin(), findings.end(),
                       [](const Finding& finding) { return finding.state == State::kTrouble; });
}

Diagnosis Diagnose(const SystemState& state) {
  Diagnosis diagnosis;
  diagnosis.findings = {Npu(state),
                        Kernel(state),
                        Driver(state),
                        Firmware(state),
                        FirmwareProtocol(state),
                        AccelNodeAccess(state),
                        MemLock(state),
                        Xrt(state),
                        XrtPlugin(state),
                        Contexts(state),
                        Power(state)};
  // Without an NPU there is nothing to make ready for one, only things to say.
  const State npu = diagnosis.findings[0].state;
  if (npu != State::kOk) {
    const State other = npu == State::kUnknown ? State::kUnknown : State::kNotApplicable;
    for (size_t i = 1; i < diagnosis.findings.size(); ++i) {
      Finding& finding = diagnosis.findings[i];
      if (finding.state == State::kOk) continue;
      finding.state = other;
      finding.mend.clear();
    }
  }
  diagnosis.usable =
      diagnosis.troubles() == 0 &&
      std::all_of(diagnosis.findings.begin(), diagnosis.findings.end(), [](const Finding& finding) {
        return !Decides(finding.check) || finding.state == State::kOk;
      });
  diagnosis.summary = Summary(diagnosis);
  return diagnosis;
}

}  // namespace tilewave::cli
