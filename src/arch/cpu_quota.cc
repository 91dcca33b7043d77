#include "arch/cpu_quota.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

namespace tilewave::arch {
namespace {

constexpr int64_t kMostCpus = int64_t{1} << 20;  // More is no limit.

/// quota / period, rounded up.
std::optional<int64_t> CpusOf(const std::string& quota, int64_t period_us) {
  int64_t quota_us = 0;
  if (!(std::istringstream(quota) >> quota_us) || quota_us <= 0 || period_us <= 0) {
    return std::nullopt;  // "max" and -1: no limit.
  }
  return std::min(kMostCpus, (quota_us / period_us) + (quota_us % period_us == 0 ? 0 : 1));
}

/// cpu.max: "200000 100000" or "max 100000".
std::optional<int64_t> CpusOfVersion2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  int64_t period_us = 0;
  if (!(file >> quota >> period_us)) return std::nullopt;
  return CpusOf(quota, period_us);
}

std::optional<int64_t> CpusOfVersion1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  std::string quota;
  int64_t period_us = 0;
  if (!(quota_file >> quota) || !(period_file >> period_us)) return std::nullopt;
  return CpusOf(quota, period_us);
}

/// Whether a comma separated list has the controller "cpu".
bool HasCpuController(std::string_view list) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == "cpu") return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

/// The smaller limit of two that may not be there.
std::optional<int64_t> Lesser(std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// The least of a group's limit and those of all groups around it. A container often sees its own
/// group as the root, whatever the path says.
template <typename CpusOfFolder>
std::optional<int64_t> LeastUpwards(const std::string& mount, std::string path, CpusOfFolder cpus) {
  std::optional<int64_t> least;
  while (true) {
    if (path == "/") path.clear();
    least = Lesser(least, cpus(mount + path));
    if (path.empty()) return least;
    const size_t slash = path.rfind('/');
    path.erase(slash == std::string::npos ? 0 : slash);
  }
}

}  // namespace

int QuotaCpus(const std::string& root) {
  std::ifstream groups(root + "/proc/self/cgroup");
  std::optional<int64_t> least;
  // Lines "hierarchy:controllers:path"; version 2 has hierarchy 0 and names no controllers.
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    const std::string mount = root + "/sys/fs/cgroup";
    if (controllers.empty()) {
      least = Lesser(least, LeastUpwards(mount, path, CpusOfVersion2));
    } else if (HasCpuController(controllers)) {
      least = Lesser(least, LeastUpwards(mount + "/cpu", path, CpusOfVersion1));
    }
  }
  return static_cast<int>(least.value_or(0));
}

}  // namespace tilewave::arch
