#include "cli/doctor_findings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace tilewave::cli {
namespace {

using State = FindingState;

SystemState Healthy(uint32_t device, uint32_t revision) {
  SystemState s;
  s.kernel_release = "6.17.0-8-generic";
  s.processor = "AMD Ryzen AI 9 HX 370 w/ Radeon 890M";
  s.pci_listed = true;
  s.npu = {"0000:c5:00.1", device, revision, "amdxdna", "accel0", "RyzenAI", "1.5.5.391", "active"};
  s.driver.loaded = true;
  s.firmware = {{"/lib/firmware/amdnpu/1502_00/npu.sbin", "npu.sbin.1.5.5.391"}};
  s.node = {0660, 0, 992, "render", std::nullopt};
  s.caller = {1000, {1000, 992}, false, false};
  s.memory_lock = {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max()};
  s.xrt = {{"/opt/xilinx/xrt/lib/libxrt_coreutil.so.2.19.0", Version{2, 19, 0}}};
  s.xrt_plugin = {{"/opt/xilinx/xrt/lib/libxrt_driver_xdna.so.2.19.0", Version{2, 19, 0}}};
  s.processes_with_node = 2;
  return s;
}

SystemState Phoenix() { return Healthy(0x1502, 0); }

/// The machine after the driver failed to start the NPU, or was never loaded.
SystemState NotStarted() {
  SystemState s = Phoenix();
  s.npu->driver = s.npu->accel = s.npu->board = s.npu->firmware_version = "";
  s.node.reset();
  return s;
}

Finding Of(const Diagnosis& diagnosis, std::string_view check) {
  for (const Finding& finding : diagnosis.findings) {
    if (finding.check == check) return finding;
  }
  ADD_FAILURE() << "no check " << check;
  return {};
}

/// The only finding in trouble, which is of `check` and has a line that mends it.
Finding OnlyTrouble(const SystemState& state, std::string_view check) {
  const Diagnosis diagnosis = Diagnose(state);
  EXPECT_EQ(diagnosis.troubles(), 1) << diagnosis.summary;
  EXPECT_FALSE(diagnosis.usable);
  Finding finding = Of(diagnosis, check);
  EXPECT_EQ(finding.state, State::kTrouble) << finding.seen;
  EXPECT_FALSE(finding.mend.empty());
  EXPECT_EQ(finding.mend.find('\n'), std::string::npos);
  return finding;
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(DoctorFindingsTest, HealthyMachines) {
  struct Case {
    uint32_t device;
    uint32_t revision;
    const char* seen;
    const char* contexts;
  };
  for (const Case& c : {Case{0x1502, 0x00, "Phoenix or Hawk Point (npu1)", "of 6 "},
                        Case{0x17f0, 0x10, "Strix (npu2)", "of 16 "},
                        Case{0x17f0, 0x20, "Krackan (npu2)", "of 16 "}}) {
    const Diagnosis d = Diagnose(Healthy(c.device, c.revision));
    EXPECT_TRUE(d.usable) << d.summary;
    EXPECT_EQ(d.summary, "the NPU is usable");
    for (const Finding& finding : d.findings) {
      EXPECT_EQ(finding.state, finding.check == "contexts" ? State::kUnknown : State::kOk)
          << finding.check << ": " << finding.seen;
      EXPECT_EQ(finding.mend.empty(), finding.check != "contexts") << finding.check;
    }
    EXPECT_TRUE(Has(Of(d, "npu").seen, c.seen)) << Of(d, "npu").seen;
    EXPECT_TRUE(Has(Of(d, "contexts").seen, c.contexts)) << Of(d, "contexts").seen;
    EXPECT_TRUE(Has(Of(d, "contexts").seen, "sees them: 2")) << Of(d, "contexts").seen;
  }
}

TEST(DoctorFindingsTest, WithoutAnNpuThereIsNothingToMend) {
  SystemState s;
  s.kernel_release = "5.4.0";
  s.pci_listed = true;
  s.memory_lock = {8 << 20, 8 << 20};
  const Diagnosis d = Diagnose(s);
  EXPECT_EQ(d.troubles(), 0);
  EXPECT_FALSE(d.usable);
  EXPECT_TRUE(Has(d.summary, "no NPU here")) << d.summary;
  for (const Finding& finding : d.findings) {
    EXPECT_EQ(finding.state, State::kNotApplicable) << finding.check << ": " << finding.seen;
    EXPECT_EQ(finding.mend, "") << finding.check;
  }
  EXPECT_TRUE(Has(Of(d, "memlock").seen, "8 MiB"));  // It is said all the same.
  s.npu = {"0000:c5:00.1", 0x17f1, 0x10, "", "", "", "", ""};
  EXPECT_TRUE(Has(Of(Diagnose(s), "npu").seen, "does not know"));
  EXPECT_EQ(Diagnose(s).troubles(), 0);
  s.npu.reset();
  s.pci_listed = false;
  const Diagnosis blind = Diagnose(s);
  EXPECT_EQ(blind.troubles(), 0);
  EXPECT_EQ(Of(blind, "xrt").state, State::kUnknown);
  EXPECT_TRUE(Has(blind.summary, "not everything could be read")) << blind.summary;
}

TEST(DoctorFindingsTest, NpuThatIsSwitchedOff) {
  SystemState s = NotStarted();
  s.npu.reset();
  EXPECT_TRUE(Has(OnlyTrouble(s, "npu").seen, "Ryzen AI 9 HX 370"));
}

TEST(DoctorFindingsTest, OldKernel) {
  SystemState s = Phoenix();
  s.kernel_release = "6.8.0-45-generic";
  EXPECT_TRUE(Has(OnlyTrouble(s, "kernel").mend, "6.14"));
  s.kernel_release = "6.12.1";
  EXPECT_TRUE(Diagnose(s).usable);
}

TEST(DoctorFindingsTest, DriverMissing) {
  SystemState s = NotStarted();
  s.driver.loaded = false;
  EXPECT_TRUE(Has(OnlyTrouble(s, "driver").mend, "linux-modules-extra"));
  s.kernel_release = "6.12.1";
  EXPECT_FALSE(Has(OnlyTrouble(s, "driver").mend, "linux-modules-extra"));
  s.driver.file = "/lib/modules/6.12.1/updates/dkms/amdxdna.ko.zst";
  EXPECT_EQ(OnlyTrouble(s, "driver").mend, "sudo modprobe amdxdna");
}

TEST(DoctorFindingsTest, AnotherDriverHasTheNpu) {
  SystemState s = NotStarted();
  s.npu->driver = "vfio-pci";
  const Finding finding = OnlyTrouble(s, "driver");
  EXPECT_TRUE(Has(finding.seen, "vfio-pci"));
  EXPECT_TRUE(Has(finding.mend, "0000:c5:00.1"));
}

TEST(DoctorFindingsTest, NoFirmware) {
  SystemState s = NotStarted();
  s.firmware.clear();
  EXPECT_TRUE(Has(OnlyTrouble(s, "firmware").seen, "amdnpu/1502_00"));
  // One that runs was found by the driver: in an initial file system, say.
  s = Phoenix();
  s.firmware.clear();
  EXPECT_EQ(Of(Diagnose(s), "firmware").state, State::kUnknown);
  EXPECT_TRUE(Diagnose(s).usable);
}

TEST(DoctorFindingsTest, FirmwareOfAnotherProtocol) {
  const Finding finding = OnlyTrouble(NotStarted(), "firmware_protocol");
  EXPECT_TRUE(Has(finding.mend, "one source")) << finding.mend;
  EXPECT_TRUE(Has(Of(Diagnose(Phoenix()), "firmware_protocol").seen, "1.5.5.391"));
}

TEST(DoctorFindingsTest, NodeThatIsMissing) {
  SystemState s = Phoenix();
  s.node.reset();
  EXPECT_TRUE(Has(OnlyTrouble(s, "accel_node").mend, "--device /dev/accel/accel0"));
  s.npu->accel = "";
  OnlyTrouble(s, "accel_node");
}

TEST(DoctorFindingsTest, PermissionsOfTheNode) {
  SystemState s = Phoenix();
  s.caller->gids = {1000};
  EXPECT_TRUE(OnlyTrouble(s, "accel_node").mend.starts_with("sudo usermod -aG render $USER"));
  s.node->mode = 0666;
  EXPECT_TRUE(Diagnose(s).usable);
  s.node->mode = 0644;  // Reading alone is not enough.
  EXPECT_TRUE(Has(OnlyTrouble(s, "accel_node").mend, "udev"));
  s.node->mode = 0606;
  EXPECT_TRUE(Diagnose(s).usable);
  s.caller->gids = {992};  // The class that fits decides, as the kernel does it.
  OnlyTrouble(s, "accel_node");
  s.caller->overrides_permissions = true;
  EXPECT_TRUE(Diagnose(s).usable);
  s = Phoenix();
  s.node->uid = 1000;
  s.node->mode = 0060;
  OnlyTrouble(s, "accel_node");
  s = Phoenix();
  s.node->gid = 0;
  s.node->group = "root";
  EXPECT_TRUE(Has(OnlyTrouble(s, "accel_node").mend, "udev"));
  s.caller.reset();
  EXPECT_EQ(Of(Diagnose(s), "accel_node").state, State::kUnknown);
  EXPECT_FALSE(Diagnose(s).usable);
}

TEST(DoctorFindingsTest, TheKernelsWordOverridesTheMode) {
  SystemState s = Phoenix();
  s.node->may_open = false;  // A name space.
  OnlyTrouble(s, "accel_node");
  s.caller->gids = {};
  s.node->may_open = true;  // An access list.
  EXPECT_TRUE(Diagnose(s).usable);
}

TEST(DoctorFindingsTest, MemoryThatMayBeLocked) {
  constexpr int64_t kMiB = int64_t{1} << 20;
  SystemState s = Phoenix();
  s.memory_lock = {8 * kMiB, 8 * kMiB};
  const Finding finding = OnlyTrouble(s, "memlock");
  EXPECT_TRUE(Has(finding.seen, "lock 8 MiB")) << finding.seen;
  EXPECT_TRUE(Has(finding.mend, "limits.d")) << finding.mend;
  s.memory_lock->hard_bytes = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(OnlyTrouble(s, "memlock").mend, "ulimit -l hard");
  s.memory_lock = {64 * kMiB, 64 * kMiB};  // The heap would leave nothing.
  OnlyTrouble(s, "memlock");
  s.memory_lock = {1024 * kMiB, 1024 * kMiB};
  EXPECT_TRUE(Diagnose(s).usable);
  s.memory_lock = {0, 0};
  s.caller->locks_any_memory = true;
  EXPECT_TRUE(Diagnose(s).usable);
  s.caller->locks_any_memory = false;
  s.memory_lock.reset();
  EXPECT_EQ(Of(Diagnose(s), "memlock").state, State::kUnknown);
}

TEST(DoctorFindingsTest, XrtMissingOrTooOld) {
  SystemState s = Phoenix();
  s.xrt.clear();
  OnlyTrouble(s, "xrt");
  s = Phoenix();
  s.xrt = {{"/usr/lib/x86_64-linux-gnu/libxrt_coreutil.so.2.13.0", Version{2, 13, 0}}};
  s.xrt_plugin[0].version = Version{2, 13, 0};
  EXPECT_TRUE(Has(OnlyTrouble(s, "xrt").seen, "2.13.0"));
  s = Phoenix();
  s.xrt.push_back({"/usr/lib/x86_64-linux-gnu/libxrt_coreutil.so.2.13.0", Version{2, 13, 0}});
  EXPECT_EQ(Of(Diagnose(s), "xrt").state, State::kUnknown);
  EXPECT_TRUE(Has(Of(Diagnose(s), "xrt").seen, "2.13.0"));
  s.xrt = {{"/opt/xilinx/xrt/lib/libxrt_coreutil.so.2", std::nullopt}};
  EXPECT_EQ(Of(Diagnose(s), "xrt").state, State::kUnknown);
  EXPECT_FALSE(Diagnose(s).usable);
}

TEST(DoctorFindingsTest, PluginMissingOrOfAnotherRelease) {
  SystemState s = Phoenix();
  s.xrt_plugin[0].version = Version{2, 19, 7};
  EXPECT_TRUE(Diagnose(s).usable);
  s.xrt_plugin[0].version = Version{2, 20, 0};
  EXPECT_TRUE(Has(OnlyTrouble(s, "xrt_plugin").seen, "another release than XRT 2.19.0"));
  s.xrt_plugin.clear();
  OnlyTrouble(s, "xrt_plugin");
}

TEST(DoctorFindingsTest, PowerThatFailed) {
  SystemState s = Phoenix();
  s.npu->power_status = "error";
  OnlyTrouble(s, "power");
}

TEST(DoctorFindingsTest, SeveralTroublesAreCounted) {
  SystemState s = NotStarted();
  s.driver.loaded = false;
  s.memory_lock = {8 << 20, 8 << 20};
  s.xrt.clear();
  const Diagnosis d = Diagnose(s);
  EXPECT_EQ(d.troubles(), 3);
  EXPECT_TRUE(Has(d.summary, "3 points to mend")) << d.summary;
}

}  // namespace
}  // namespace tilewave::cli
