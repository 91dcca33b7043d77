#include "tests/support/host_calls.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/random.h"
#include "engine/compose.h"

namespace tilewave::testing {

Engine HostEngineWith(const device::host::HostOptions& host) {
  Result<Engine> engine =
      engine::Composer::Compose({.device = "host"}, engine::StandardRegistry(host));
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  return *std::move(engine);
}

std::string RunRandomCalls(Engine* engine, uint64_t seed, int count,
                           const RandomCall::Limits& limits) {
  base::Random random(seed);
  for (int i = 0; i < count; ++i) {
    RandomCall call(&random, limits);
    if (!call.RunReference().ok()) return "the reference failed";
    Status status = engine->Run(call.call());
    if (!status.ok()) return status.message() + call.Describe();
    if (!call.Difference().empty()) return call.Difference() + call.Describe();
    const Result<Matmul> prepacked = call.Prepacked(engine);
    if (!prepacked.ok()) return prepacked.status().message() + call.Describe();
    call.Poison();
    if (!call.RunReference().ok()) return "the reference failed";
    status = engine->Run(*prepacked);
    if (!status.ok()) return status.message() + call.Describe();
    if (!call.Difference().empty()) return "prepacked: " + call.Difference() + call.Describe();
  }
  return "";
}

}  // namespace tilewave::testing
