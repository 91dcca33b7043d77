#include "arch/cpu_quota.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace tilewave::arch {
namespace {

/// A system's files under a root of their own, gone afterwards.
class QuotaCpusTest : public ::testing::Test {
 protected:
  QuotaCpusTest() : root_(::testing::TempDir() + "tilewave_quota_" + std::to_string(::getpid())) {
    std::filesystem::create_directories(root_);
  }
  ~QuotaCpusTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  int Cpus() const { return QuotaCpus(root_); }

 private:
  std::string root_;
};

TEST_F(QuotaCpusTest, NothingToReadIsNoLimit) {
  EXPECT_EQ(Cpus(), 0);
  Write("/proc/self/cgroup", "0::/\n");
  EXPECT_EQ(Cpus(), 0);
}

TEST_F(QuotaCpusTest, Version2) {
  Write("/proc/self/cgroup", "0::/\n");
  for (const auto& [text, cpus] : {std::pair{"max 100000\n", 0},
                                   {"200000 100000\n", 2},
                                   {"150000 100000\n", 2},
                                   {"10000 100000\n", 1},
                                   {"100000 100000\n", 1},
                                   {"0 100000\n", 0},
                                   {"-1 100000\n", 0},
                                   {"100000 0\n", 0},
                                   {"nonsense\n", 0},
                                   {"", 0}}) {
    Write("/sys/fs/cgroup/cpu.max", text);
    EXPECT_EQ(Cpus(), cpus) << text;
  }
  Write("/sys/fs/cgroup/cpu.max", "9223372036854775807 1\n");
  EXPECT_EQ(Cpus(), 1 << 20);
}

TEST_F(QuotaCpusTest, TheLeastOfAllGroupsAroundCounts) {
  Write("/proc/self/cgroup", "0::/user.slice/job\n");
  Write("/sys/fs/cgroup/user.slice/job/cpu.max", "800000 100000\n");
  EXPECT_EQ(Cpus(), 8);
  Write("/sys/fs/cgroup/user.slice/cpu.max", "300000 100000\n");
  EXPECT_EQ(Cpus(), 3);
  Write("/sys/fs/cgroup/user.slice/job/cpu.max", "100000 100000\n");
  EXPECT_EQ(Cpus(), 1);
}

TEST_F(QuotaCpusTest, AContainerThatSeesItsGroupAsTheRoot) {
  Write("/proc/self/cgroup", "0::/docker/0123abcd\n");
  Write("/sys/fs/cgroup/cpu.max", "400000 100000\n");
  EXPECT_EQ(Cpus(), 4);
}

TEST_F(QuotaCpusTest, Version1) {
  Write("/proc/self/cgroup",
        "12:cpuset:/a\n4:cpu,cpuacct:/a/b\nnonsense\n1:name=systemd:/\n0::/\n");
  Write("/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "-1\n");
  Write("/sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Cpus(), 0);
  Write("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "250000\n");
  Write("/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Cpus(), 3);
}

TEST_F(QuotaCpusTest, OtherControllersDoNotCount) {
  Write("/proc/self/cgroup", "4:cpuacct,cpuset:/\n");
  Write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
  Write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Cpus(), 0);
}

}  // namespace
}  // namespace tilewave::arch
