#pragma once

#include <algorithm>
#include <chrono>
#include <oneapi/dnnl/dnnl.hpp>
#include <stdexcept>
#include <unordered_map>

#include "bench/peers/peer.h"

namespace peers::onednn {

struct Context {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};

inline Context& TheContext() {
  static Context* context = new Context;  // For the life of the process.
  return *context;
}

inline int threads = 1;

/// Best of a few, after one to warm up.
inline double Time(Product& product) {
  using Clock = std::chrono::steady_clock;
  product.Run();
  double best = 1e18;
  double sum = 0;
  for (int i = 0; i < 50 && (i < 5 || sum < 1e7); ++i) {
    const Clock::time_point start = Clock::now();
    product.Run();
    const double time = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
    best = std::min(best, time);
    sum += time;
  }
  return best;
}

/// kLayer and kHeads.
Made MakeFloat(const Case& wanted, const Operands& operands);

}  // namespace peers::onednn
