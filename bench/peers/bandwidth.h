#pragma once

#include <cstdint>

#include "bench/peers/team.h"

namespace peers {

/// Bytes of the cache of a level, or `otherwise` if the system does not tell.
int64_t CacheBytes(int level, int64_t otherwise);

struct Bandwidths {
  double dram = 0;  ///< GB/s read by all threads of the team, from memory that no cache holds.
  double l3 = 0;    ///< GB/s per thread.
  double l2 = 0;
};

/// Reads buffers sized by the caches of this machine, several times; the best is taken, as it is
/// the machine that is measured. About half a second.
Bandwidths MeasureBandwidths(Team& team);

}  // namespace peers
