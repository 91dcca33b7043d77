#pragma once

#include <string>

namespace tilewave::arch {

/// How many CPUs the control groups of this process let it use at a time (cgroup v2 cpu.max, v1
/// cpu.cfs_quota_us), rounded up: what a container was started with. 0 if they set no limit, or if
/// there is nothing to read. More threads would not run longer, but be stopped at odd moments.
/// `root` stands before every path: "" for this system.
int QuotaCpus(const std::string& root);

}  // namespace tilewave::arch
