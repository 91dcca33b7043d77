#pragma once

// What `tilewave doctor` looks at, as plain values: a snapshot of what a Linux system says about
// its NPU, the driver, the firmware, XRT and the limits of this process. Nothing is judged here.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tilewave::cli {

/// Major, minor, patch.
using Version = std::array<int, 3>;

/// The version with which a text begins, of at least two numbers: 6.14 of "6.14-rc3", 2.19.0.
std::optional<Version> ParseVersion(std::string_view text);

/// An NPU on the PCI bus. Texts are empty where the system does not say.
struct NpuFunction {
  std::string address;  ///< "0000:c5:00.1"
  uint32_t device = 0;
  uint32_t revision = 0;
  std::string driver;            ///< What runs it.
  std::string accel;             ///< Name of its node: "accel0".
  std::string board;             ///< As the driver calls it: "RyzenAI-npu1".
  std::string firmware_version;  ///< Of the firmware that runs.
  std::string power_status;      ///< Of runtime power management: "active", "suspended".
};

struct DriverModule {
  bool loaded = false;
  std::string version;     ///< Empty for a driver that names none.
  std::string srcversion;  ///< Tells builds of one version apart.
  std::string file;        ///< Where this kernel's modules have it; empty if nowhere.
};

struct FirmwareFile {
  std::string path;
  std::string link;  ///< What it is a link to, which names the version: "npu.sbin.1.5.5.391".
};

/// The device node of the NPU.
struct AccelNode {
  uint32_t mode = 0;  ///< Permission bits.
  int64_t uid = 0;
  int64_t gid = 0;
  std::string group;             ///< Empty if /etc/group does not name it.
  std::optional<bool> may_open;  ///< What the kernel says; not asked about a recorded system.
};

/// The process that would use the NPU.
struct Caller {
  int64_t uid = 0;
  std::vector<int64_t> gids;
  bool overrides_permissions = false;  ///< CAP_DAC_OVERRIDE
  bool locks_any_memory = false;       ///< CAP_IPC_LOCK
};

/// Limits of memory that may be locked. INT64_MAX is no limit.
struct MemoryLock {
  int64_t soft_bytes = 0;
  int64_t hard_bytes = 0;
};

/// A library in one of the folders in which it may be.
struct Library {
  std::string path;
  std::optional<Version> version;
};

struct SystemState {
  std::string kernel_release;
  std::string processor;
  bool pci_listed = false;         ///< Whether the PCI bus could be read at all.
  std::optional<NpuFunction> npu;  ///< The first, if there are several.
  DriverModule driver;
  std::vector<FirmwareFile> firmware;  ///< For this NPU.
  std::optional<AccelNode> node;
  std::optional<Caller> caller;
  std::optional<MemoryLock> memory_lock;
  std::vector<Library> xrt;                    ///< libxrt_coreutil: XRT itself.
  std::vector<Library> xrt_plugin;             ///< libxrt_driver_xdna: what it needs for an NPU.
  std::optional<int64_t> processes_with_node;  ///< That have the node open, as far as visible.
};

/// Reads the snapshot of this system (`root` is "") or of a recorded one, whose /proc, /sys and so
/// on are in that folder. Needs no rights, opens no device and starts no process.
SystemState ReadSystemState(const std::string& root);

}  // namespace tilewave::cli
