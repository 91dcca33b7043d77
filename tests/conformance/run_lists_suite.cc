// Chains of launches: all in order, or none.

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "tests/conformance/conformance_case.h"
#include "tests/conformance/rig.h"

namespace tilewave::conformance {
namespace {

using device::Fence;
using device::Launch;
using device::SubmitCode;
using device::WaitCode;

using Products = std::vector<std::unique_ptr<Product>>;

/// Products of one configuration, filled and synced.
Result<Products> MakeProducts(Rig* rig, size_t count) {
  Products products;
  for (size_t i = 0; i < count; ++i) {
    Result<std::unique_ptr<Product>> made =
        i == 0 ? Product::Make(rig) : products[0]->Another(1 + static_cast<int64_t>(i % 3));
    if (!made.ok()) return made.status();
    products.push_back(*std::move(made));
    products.back()->Fill(i);
    if (Status s = products.back()->SyncIn(); !s.ok()) return s;
  }
  return products;
}

std::vector<Launch> ChainOf(const Products& products) {
  std::vector<Launch> chain;
  for (const auto& each : products) chain.push_back(each->launch());
  return chain;
}

void RunChainOf(const Backend& backend, size_t count) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(products, MakeProducts(rig.get(), count));
  // Twice, as a second run of the same chain may take another way.
  for (int run = 0; run < 2; ++run) {
    CONFORMANCE_OK(rig->Run(ChainOf(products)));
    for (size_t i = 0; i < count; ++i) {
      CONFORMANCE_OK(products[i]->SyncOut());
      EXPECT_EQ(products[i]->Difference(), "") << "launch " << i;
      products[i]->Fill(count + i);
      CONFORMANCE_OK(products[i]->SyncIn());
    }
  }
}

CONFORMANCE_CASE(run_lists, ChainsOfOne) { RunChainOf(backend, 1); }

CONFORMANCE_CASE(run_lists, ChainsOfTwo) { RunChainOf(backend, 2); }

CONFORMANCE_CASE(run_lists, ChainsOfAsManyAsThereMayBe) {
  RunChainOf(backend, device::kMaxChainLaunches);
}

CONFORMANCE_CASE(run_lists, OneMoreIsRefused) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend, Seam::kValidated));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  const std::vector<Launch> chain(device::kMaxChainLaunches + 1, product->launch());
  Fence fence;
  ASSERT_EQ(rig->queue().TrySubmit(chain, &fence), SubmitCode::kRejected);
  EXPECT_TRUE(fence.done);
  EXPECT_EQ(fence.status.code(), StatusCode::kInternal);
  EXPECT_EQ(fence.status.message(), "a chain of 25 launches; at most 24");
  EXPECT_EQ(product->RunAndCheck(1), "");
}

CONFORMANCE_CASE(run_lists, EachLaunchReadsWhatTheOneBeforeItWrote) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(first, Product::Make(rig.get()));
  Products products;
  products.push_back(std::move(first));
  while (products.size() < 6) {
    CONFORMANCE_TAKE(next, products[0]->Another(Product::kStepsOfAnOutput));
    products.push_back(std::move(next));
  }
  for (size_t i = 0; i < products.size(); ++i) {
    products[i]->Fill(i);
    CONFORMANCE_OK(products[i]->SyncIn());
    if (i > 0) products[i]->TakeOutputOf(*products[i - 1]);
  }
  CONFORMANCE_OK(rig->Run(ChainOf(products)));
  for (const auto& each : products) CONFORMANCE_OK(each->SyncOut());
  for (size_t i = 0; i < products.size(); ++i) {
    EXPECT_EQ(products[i]->Difference(), "") << "launch " << i;
  }
}

CONFORMANCE_CASE(run_lists, OneOfTwoConfigurationsIsRefused) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(first, Product::Make(rig.get()));
  CONFORMANCE_TAKE(other, Product::Make(rig.get()));
  for (Product* each : {first.get(), other.get()}) {
    each->Fill(3);
    CONFORMANCE_OK(each->SyncIn());
  }
  const std::vector<Launch> chain = {first->launch(), first->launch(), other->launch()};
  Fence fence;
  ASSERT_EQ(rig->queue().TrySubmit(chain, &fence), SubmitCode::kRejected);
  EXPECT_TRUE(fence.done);
  EXPECT_NE(fence.status.message().find("different configurations"), std::string::npos)
      << fence.status.message();
  // None of it ran, and both run alone.
  for (Product* each : {first.get(), other.get()}) EXPECT_EQ(each->RunAndCheck(4), "");
}

/// A launch that ends badly on a device that takes whole products: an A that is no number.
class NotANumber {
 public:
  explicit NotANumber(Rig* rig) {
    core::Problem problem;
    problem.m = problem.k = problem.n = 1;
    problem.a_type = ElementType::kF32;
    problem.c_type = ElementType::kF32;
    problem.quantise_a = core::Quantise::kPerVector;
    executable_ = *rig->device().Load(problem);
    operands_.a = &a_;
    operands_.b = &b_;
    operands_.c = &c_;
    launch_.executable = executable_.get();
    launch_.operands = &operands_;
  }
  NotANumber(const NotANumber&) = delete;
  NotANumber& operator=(const NotANumber&) = delete;
  const Launch& launch() const { return launch_; }

 private:
  float a_ = std::numeric_limits<float>::quiet_NaN();
  int8_t b_ = 1;
  float c_ = 0;
  std::unique_ptr<device::Executable> executable_;
  core::Operands operands_;
  Launch launch_;
};

CONFORMANCE_CASE(run_lists, ABadLaunchEndsTheChain) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(products, MakeProducts(rig.get(), 5));
  std::vector<Launch> chain = ChainOf(products);
  std::unique_ptr<NotANumber> bad;
  if (rig->is_array()) {
    // Its stream writes more than this.
    products[3]->arguments()[2].bytes = kTileBytes;
  } else {
    bad = std::make_unique<NotANumber>(rig.get());
    chain[3] = bad->launch();
  }
  Fence fence;
  ASSERT_EQ(rig->Submit(chain, &fence), SubmitCode::kAccepted);
  ASSERT_EQ(rig->queue().Wait(&fence, kLong), WaitCode::kDone);
  EXPECT_FALSE(fence.status.ok());
  EXPECT_EQ(fence.good_launches, 3U);
  for (size_t i = 0; i < 3; ++i) {
    CONFORMANCE_OK(products[i]->SyncOut());
    EXPECT_EQ(products[i]->Difference(), "") << "launch " << i;
  }
  CONFORMANCE_OK(products[4]->SyncOut());
  EXPECT_NE(products[4]->Difference(), "") << "it comes after the bad one";
  EXPECT_EQ(products[0]->RunAndCheck(9), "") << "a bad launch is not the end of the device";
}

}  // namespace
}  // namespace tilewave::conformance
