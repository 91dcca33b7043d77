#include "cli/doctor_state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

namespace tilewave::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPhoenix = "/sys/bus/pci/devices/0000:c5:00.1";

/// A recorded system in a folder of its own.
class DoctorStateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "tilewave-doctor-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path At(const std::string& path) {
    const fs::path full = root_ + path;
    fs::create_directories(full.parent_path());
    return full;
  }
  void File(const std::string& path, const std::string& text) {
    std::ofstream(At(path), std::ios::binary) << text;
  }
  void Link(const std::string& path, const std::string& target) {
    fs::remove(root_ + path);
    fs::create_symlink(target, At(path));
  }
  SystemState Read() { return ReadSystemState(root_); }

  /// What a laptop with everything in order says.
  void Phoenix() {
    File("/proc/sys/kernel/osrelease", "6.17.0-8-generic\n");
    File("/proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD Ryzen 7 7840HS\nflags\t\t: fpu\n");
    File("/proc/modules", "amdgpu 1 0 - Live 0x0\namdxdna 163840 0 - Live 0x0\n");
    File("/proc/self/status",
         "Name:\ttilewave\nUid:\t1000\t1000\t1000\t1001\nGid:\t1000\t1000\t1000\t1002\n"
         "Groups:\t27 992 \nCapEff:\t0000000000004002\n");
    File("/proc/self/limits",
         "Limit                     Soft Limit           Hard Limit           Units     \n"
         "Max locked memory         8388608              unlimited            bytes     \n");
    File("/sys/module/amdxdna/srcversion", "0F3A\n");
    File("/sys/bus/pci/devices/0000:00:00.0/vendor", "0x1022\n");
    File("/sys/bus/pci/devices/0000:00:00.0/device", "0x14e8\n");
    const std::string npu = kPhoenix;
    File(npu + "/vendor", "0x1022\n");
    File(npu + "/device", "0x1502\n");
    File(npu + "/revision", "0x00\n");
    File(npu + "/vbnv", "RyzenAI-npu1\n");
    File(npu + "/fw_version", "1.5.5.391\n");
    File(npu + "/power/runtime_status", "suspended\n");
    File(npu + "/accel/accel0/dev", "261:0\n");
    Link(npu + "/driver", "../../../../bus/pci/drivers/amdxdna");
    File("/lib/firmware/amdnpu/1502_00/npu.sbin.1.5.5.391", "x");
    Link("/lib/firmware/amdnpu/1502_00/npu.sbin", "npu.sbin.1.5.5.391");
    File("/dev/accel/accel0", "");
    ASSERT_EQ(::chmod(At("/dev/accel/accel0").c_str(), 0660), 0);
    File("/etc/group", "video:x:4000000:\nrender:x:" + std::to_string(::getegid()) + ":me\n");
    File("/opt/xilinx/xrt/lib/libxrt_coreutil.so.2.19.0", "");
    Link("/opt/xilinx/xrt/lib/libxrt_coreutil.so.2", "libxrt_coreutil.so.2.19.0");
    File("/opt/xilinx/xrt/lib/libxrt_driver_xdna.so.2.19.0", "");
  }

  std::string root_;
};

TEST_F(DoctorStateTest, ReadsAPhoenix) {
  Phoenix();
  const SystemState s = Read();
  EXPECT_EQ(s.kernel_release, "6.17.0-8-generic");
  EXPECT_EQ(s.processor, "AMD Ryzen 7 7840HS");
  ASSERT_TRUE(s.npu);
  EXPECT_EQ(s.npu->address, "0000:c5:00.1");
  EXPECT_EQ(s.npu->device, 0x1502U);
  EXPECT_EQ(s.npu->revision, 0U);
  EXPECT_EQ(s.npu->driver, "amdxdna");
  EXPECT_EQ(s.npu->accel, "accel0");
  EXPECT_EQ(s.npu->board, "RyzenAI-npu1");
  EXPECT_EQ(s.npu->firmware_version, "1.5.5.391");
  EXPECT_EQ(s.npu->power_status, "suspended");
  EXPECT_TRUE(s.driver.loaded);
  EXPECT_EQ(s.driver.version, "");
  EXPECT_EQ(s.driver.srcversion, "0F3A");
  ASSERT_EQ(s.firmware.size(), 1U);
  EXPECT_EQ(s.firmware[0].path, "/lib/firmware/amdnpu/1502_00/npu.sbin");
  EXPECT_EQ(s.firmware[0].link, "npu.sbin.1.5.5.391");
  ASSERT_TRUE(s.node);
  EXPECT_EQ(s.node->mode, 0660U);
  EXPECT_EQ(s.node->gid, static_cast<int64_t>(::getegid()));
  EXPECT_FALSE(s.node->may_open);  // The kernel here knows nothing of the recorded user.
  ASSERT_TRUE(s.caller);
  EXPECT_EQ(s.caller->uid, 1001);
  EXPECT_EQ(s.caller->gids, (std::vector<int64_t>{27, 992, 1002}));
  EXPECT_TRUE(s.caller->overrides_permissions);
  EXPECT_TRUE(s.caller->locks_any_memory);
  ASSERT_TRUE(s.memory_lock);
  EXPECT_EQ(s.memory_lock->soft_bytes, 8388608);
  EXPECT_EQ(s.memory_lock->hard_bytes, std::numeric_limits<int64_t>::max());
  ASSERT_EQ(s.xrt.size(), 1U);
  EXPECT_EQ(s.xrt[0].path, "/opt/xilinx/xrt/lib/libxrt_coreutil.so.2.19.0");
  EXPECT_EQ(s.xrt[0].version, (Version{2, 19, 0}));
  ASSERT_EQ(s.xrt_plugin.size(), 1U);
  EXPECT_EQ(s.xrt_plugin[0].version, (Version{2, 19, 0}));
  EXPECT_EQ(s.processes_with_node, 0);
}

TEST_F(DoctorStateTest, GroupOfTheNodeHasItsName) {
  Phoenix();
  EXPECT_EQ(Read().node->group, "render");
  File("/etc/group", "x\n::::\nrender:x:notanumber:\n");
  EXPECT_EQ(Read().node->group, "");
  // What becomes part of a command holds nothing that a shell would read.
  File("/etc/group", "$(reboot):x:" + std::to_string(::getegid()) + ":\n");
  EXPECT_EQ(Read().node->group, "");
}

TEST_F(DoctorStateTest, FirmwareOfKrackanIsThatOfStrix) {
  Phoenix();
  const std::string npu = kPhoenix;
  File(npu + "/device", "0x17f0\n");
  File(npu + "/revision", "0x20\n");
  File("/lib/firmware/amdnpu/17f0_10/npu_7.sbin.xz", "");
  File("/lib/firmware/amdnpu/17f0_11/npu.sbin.xz", "");
  File("/lib/firmware/updates/6.17.0-8-generic/amdnpu/17f0_20/npu.sbin.zst", "");
  const std::vector<FirmwareFile> firmware = Read().firmware;
  ASSERT_EQ(firmware.size(), 2U);
  EXPECT_EQ(firmware[0].path, "/lib/firmware/updates/6.17.0-8-generic/amdnpu/17f0_20/npu.sbin.zst");
  EXPECT_EQ(firmware[1].path, "/lib/firmware/amdnpu/17f0_10/npu_7.sbin.xz");
}

TEST_F(DoctorStateTest, XrtVersionIsInItsNameOrItsNote) {
  File("/opt/xilinx/xrt/lib/libxrt_coreutil.so.2", "");
  EXPECT_EQ(Read().xrt.at(0).version, std::nullopt);
  for (const char* note : {"", "[", "{}", "[1]", "{\"BUILD_VERSION\": 2}",
                           "{\"BUILD_VERSION\": \"new\"}", "{\"BUILD_VERSION\": \"2\"}"}) {
    File("/opt/xilinx/xrt/version.json", note);
    EXPECT_EQ(Read().xrt.at(0).version, std::nullopt) << note;
  }
  File("/opt/xilinx/xrt/version.json", "{\"BUILD_VERSION\": \"2.18.3\"}");
  EXPECT_EQ(Read().xrt.at(0).version, (Version{2, 18, 3}));
  File("/usr/lib/x86_64-linux-gnu/libxrt_coreutil.so.2.13.0", "");
  Link("/usr/lib/x86_64-linux-gnu/libxrt_coreutil.so", "libxrt_coreutil.so.2.99.0");  // Dangling.
  Link("/usr/lib64", "lib");
  const std::vector<Library> xrt = Read().xrt;
  ASSERT_EQ(xrt.size(), 2U);
  EXPECT_EQ(xrt[1].version, (Version{2, 13, 0}));
}

TEST_F(DoctorStateTest, DriverThatIsNotLoadedHasAFile) {
  File("/proc/sys/kernel/osrelease", "6.17.0-8-generic\n");
  File("/proc/modules", "amdxdna_other 1 0 - Live 0x0\n");
  EXPECT_FALSE(Read().driver.loaded);
  EXPECT_EQ(Read().driver.file, "");
  const std::string file =
      "/lib/modules/6.17.0-8-generic/kernel/drivers/accel/amdxdna/amdxdna.ko.zst";
  File(file, "");
  EXPECT_EQ(Read().driver.file, file);
}

TEST_F(DoctorStateTest, ProcessesWithTheNodeOpenAreCounted) {
  Phoenix();
  Link("/proc/17/fd/5", "/dev/accel/accel0");
  Link("/proc/17/fd/6", "/dev/accel/accel0");
  Link("/proc/18/fd/0", "/dev/accel/accel1");
  Link("/proc/19/fd/0", "/dev/accel/accel0");
  EXPECT_EQ(Read().processes_with_node, 2);
}

TEST_F(DoctorStateTest, NothingAtAll) {
  const SystemState s = Read();
  EXPECT_EQ(s.kernel_release, "");
  EXPECT_FALSE(s.pci_listed);
  EXPECT_FALSE(s.npu);
  EXPECT_FALSE(s.driver.loaded);
  EXPECT_FALSE(s.caller);
  EXPECT_FALSE(s.memory_lock);
  EXPECT_TRUE(s.xrt.empty());
}

TEST_F(DoctorStateTest, GarbageEverywhereIsSurvived) {
  Phoenix();
  std::string garbage("\0\xff\x1b[2J'$(reboot)\"\n\n", 18);
  while (garbage.size() < (size_t{1} << 17)) garbage += garbage;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
  }
  ASSERT_GT(files.size(), 15U);
  for (const fs::path& path : files) {
    std::ofstream(path, std::ios::binary) << garbage;
  }
  const SystemState s = Read();
  EXPECT_FALSE(s.npu);
  EXPECT_FALSE(s.caller);
  EXPECT_FALSE(s.memory_lock);
  EXPECT_EQ(s.kernel_release, "??\?[2J'$(reboot)\"");
  // With the ids in place, everything else is read, as printable text.
  const std::string npu = kPhoenix;
  File(npu + "/vendor", "0x1022");
  File(npu + "/device", "0x1502");
  File(npu + "/revision", "0x00");
  const SystemState found = Read();
  ASSERT_TRUE(found.npu);
  EXPECT_EQ(found.npu->board, "??\?[2J'$(reboot)\"");
}

TEST_F(DoctorStateTest, HugeFilesPipesAndLoopsDoNotHoldItUp) {
  Phoenix();
  const std::string npu = kPhoenix;
  for (const char* path : {"/proc/modules", "/proc/self/status", "/proc/self/limits", "/etc/group",
                           "/proc/cpuinfo", "/opt/xilinx/xrt/version.json"}) {
    File(path, "");
    fs::resize_file(root_ + path, uintmax_t{1} << 40);
  }
  fs::remove(root_ + npu + "/vbnv");
  ASSERT_EQ(::mkfifo(At(npu + "/vbnv").c_str(), 0600), 0);  // Nobody writes to it.
  Link(npu + "/fw_version", "fw_version");
  Link(npu + "/power/runtime_status", "/dev/zero");
  fs::remove_all(root_ + npu + "/accel");
  Link(npu + "/accel", "../accel");
  Link("/sys/bus/pci/devices/accel", "0000:c5:00.1/accel");
  File("/sys/bus/pci/devices/0000:c6:00.1/vendor", "0x1022\n");
  ASSERT_EQ(::chmod(At("/sys/bus/pci/devices/0000:c6:00.1/vendor").c_str(), 0), 0);
  const auto start = std::chrono::steady_clock::now();
  const SystemState s = Read();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  ASSERT_TRUE(s.npu);
  EXPECT_EQ(s.npu->board, "");
  EXPECT_EQ(s.npu->firmware_version, "");
  EXPECT_EQ(s.npu->power_status, "");
  EXPECT_EQ(s.npu->accel, "");
}

TEST(ParseVersionTest, AtLeastTwoNumbers) {
  EXPECT_EQ(ParseVersion("6.14-rc3"), (Version{6, 14, 0}));
  EXPECT_EQ(ParseVersion("6.18.44-fc"), (Version{6, 18, 44}));
  EXPECT_EQ(ParseVersion("2.19.0.1"), (Version{2, 19, 0}));
  for (const char* text : {"", "2", "2.", ".2", "-1.2", "1.-2", "x", "99999999999.1"}) {
    EXPECT_EQ(ParseVersion(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tilewave::cli
