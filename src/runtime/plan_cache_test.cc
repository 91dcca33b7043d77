#include "runtime/plan_cache.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/fake_device.h"

namespace tilewave::runtime {
namespace {

core::Problem ProblemWithM(int64_t m) {
  core::Problem p;
  p.m = m;
  p.k = 4;
  p.n = 4;
  p.a = {4, 1, 0};
  p.b = {4, 1, 0};
  p.c = {4, 1, 0};
  return p;
}

class PlanCacheTest : public ::testing::Test {
 protected:
  std::shared_ptr<testing::FakeBehaviour> fake_ = std::make_shared<testing::FakeBehaviour>();
  std::unique_ptr<device::Device> device_ = testing::MakeFakeDevice(fake_);
};

TEST_F(PlanCacheTest, FindsWhatItMadeThroughEveryGrowth) {
  PlanCache cache({device_.get(), {}, {}});
  std::vector<const PreparedPlan*> made;
  for (int64_t m = 1; m <= 1000; ++m) {
    Result<PlanCache::Found> found = cache.PlanFor(ProblemWithM(m));
    ASSERT_TRUE(found.ok());
    ASSERT_FALSE(found->cached);
    ASSERT_EQ(found->uncached, nullptr);
    ASSERT_EQ(found->plan->plan.problem, ProblemWithM(m));
    made.push_back(found->plan);
  }
  for (int64_t m = 1; m <= 1000; ++m) {
    Result<PlanCache::Found> found = cache.PlanFor(ProblemWithM(m));
    ASSERT_TRUE(found.ok());
    ASSERT_TRUE(found->cached);
    ASSERT_EQ(found->plan, made[static_cast<size_t>(m - 1)]);
  }
  EXPECT_EQ(fake_->loads, 1000);
}

TEST_F(PlanCacheTest, WhenFullItStillPlansButKeepsNothing) {
  PlanCache cache({device_.get(), {}, {}});
  for (size_t m = 1; m <= PlanCache::kMaxPlans; ++m) {
    ASSERT_TRUE(cache.PlanFor(ProblemWithM(static_cast<int64_t>(m))).ok());
  }
  const auto beyond = ProblemWithM(static_cast<int64_t>(PlanCache::kMaxPlans) + 1);
  for (int i = 0; i < 2; ++i) {
    const Result<PlanCache::Found> found = cache.PlanFor(beyond);
    ASSERT_TRUE(found.ok());
    EXPECT_FALSE(found->cached);
    EXPECT_EQ(found->plan, found->uncached.get());
  }
  EXPECT_TRUE(cache.PlanFor(ProblemWithM(7))->cached);
}

TEST_F(PlanCacheTest, RefusalsAreNotCached) {
  PlanCache cache({device_.get(), {}, {}});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(cache.PlanFor(ProblemWithM(0)).status().code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(fake_->loads, 0);
}

}  // namespace
}  // namespace tilewave::runtime
