// What may outlive what, and what ends with its device. A sanitizer sees the rest.

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "tests/conformance/conformance_case.h"
#include "tests/conformance/plain_product.h"
#include "tests/conformance/rig.h"

namespace tilewave::conformance {
namespace {

using device::Fence;
using device::SubmitCode;

CONFORMANCE_CASE(lifetime, WeightsOutliveTheirEngine) {
  PlainProduct product(50, 130, 70);
  Weights weights;
  for (int life = 0; life < 3; ++life) {
    CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = life > 0}));
    if (weights.empty()) {
      CONFORMANCE_TAKE(prepared, engine.Prepare(product.b()));
      weights = std::move(prepared);
    }
    product.Poison();
    CONFORMANCE_OK(engine.Run(product.CallWith(weights)));
    EXPECT_TRUE(product.IsExact()) << "engine " << life;
  }
  EXPECT_GT(weights.bytes(), 0U);
}

CONFORMANCE_CASE(lifetime, WeightsServeTwoEnginesAtATime) {
  CONFORMANCE_OPEN(first, MakeEngine(backend, {}));
  PlainProduct product(50, 130, 70);
  CONFORMANCE_TAKE(weights, first.Prepare(product.b()));
  {
    CONFORMANCE_OPEN(second, MakeEngine(backend, {}));
    for (Engine* engine : {&first, &second, &first}) {
      product.Poison();
      CONFORMANCE_OK(engine->Run(product.CallWith(weights)));
      EXPECT_TRUE(product.IsExact());
    }
  }
  product.Poison();
  CONFORMANCE_OK(first.Run(product.CallWith(weights)));
  EXPECT_TRUE(product.IsExact());
}

CONFORMANCE_CASE(lifetime, APayloadOutlivesItsDevice) {
  const std::vector<int8_t> b(64 * 64, 3);
  core::Problem problem;
  problem.m = 1;
  problem.k = problem.n = 64;
  problem.b = {64, 1, 0};
  problem.b_prepacked = true;
  core::Operands operands;
  operands.b = b.data();
  std::unique_ptr<device::WeightsPayload> payload;
  {
    CONFORMANCE_OPEN(rig, Rig::Open(backend));
    EXPECT_FALSE(rig->device().WeightsLayout(problem).empty());
    CONFORMANCE_TAKE(packed, rig->device().PackWeights(problem, operands));
    payload = std::move(packed);
  }
  static_cast<void>(payload->bytes());
  payload = nullptr;
}

CONFORMANCE_CASE(lifetime, PayloadDomainsAreNeverUsedAgain) {
  CONFORMANCE_OPEN(first, Rig::Open(backend));
  const uint64_t domain = first->device().payload_domain();
  first = nullptr;
  CONFORMANCE_OPEN(second, Rig::Open(backend));
  if (domain != device::kHostPayloadDomain) {
    EXPECT_NE(second->device().payload_domain(), domain);
  } else {
    EXPECT_EQ(second->device().payload_domain(), domain);
  }
}

CONFORMANCE_CASE(lifetime, BuffersGoInAnyOrderBeforeTheirDevice) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  EXPECT_EQ(product->RunAndCheck(1), "");
  std::vector<std::unique_ptr<device::Buffer>> buffers;
  for (size_t i = 1; i <= 20; ++i) {
    CONFORMANCE_TAKE(buffer, rig->device().Allocate(i * 1000));
    buffers.push_back(std::move(buffer));
  }
  for (size_t i = 0; i < buffers.size(); i += 2) buffers[i] = nullptr;
  EXPECT_EQ(product->RunAndCheck(2), "");
  buffers.clear();
  // Buffers that take the place of those of earlier launches are not taken for them.
  product = nullptr;
  for (uint64_t seed = 3; seed < 8; ++seed) {
    CONFORMANCE_TAKE(next, Product::Make(rig.get()));
    EXPECT_EQ(next->RunAndCheck(seed), "");
  }
}

CONFORMANCE_CASE(lifetime, TheEndOfADeviceEndsWhatRunsOnIt) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  std::vector<Fence> fences(3);
  {
    CONFORMANCE_TAKE(product, Product::Make(rig.get(), 8));
    product->Fill(1);
    CONFORMANCE_OK(product->SyncIn());
    for (Fence& fence : fences) {
      ASSERT_EQ(rig->Submit({&product->launch(), 1}, &fence), SubmitCode::kAccepted);
    }
    // Nobody waits: what they name goes first, then the device.
  }
  rig = nullptr;
  CONFORMANCE_OPEN(again, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(again.get()));
  EXPECT_EQ(product->RunAndCheck(2), "") << "the next one is well";
}

CONFORMANCE_CASE(lifetime, AnAbandonedHandleEndsWithItsCall) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = true}));
  PlainProduct product(130, 130, 130);
  for (int i = 0; i < 3; ++i) {
    product.Poison();
    {
      CONFORMANCE_TAKE(handle, engine.Submit(product.Call()));
      static_cast<void>(handle.done());
    }
    EXPECT_TRUE(product.IsExact()) << "its destruction waits";
  }
}

}  // namespace
}  // namespace tilewave::conformance
