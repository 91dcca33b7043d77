// Launches of one configuration run in the order in which they were submitted.

#include <array>
#include <memory>

#include "tests/conformance/conformance_case.h"
#include "tests/conformance/rig.h"

namespace tilewave::conformance {
namespace {

using device::Fence;
using device::SubmitCode;
using device::WaitCode;

/// Both or all of them, one submission each, no waiting in between.
template <size_t kCount>
void SubmitAll(Rig* rig, const std::array<Product*, kCount>& products) {
  std::array<Fence, kCount> fences;
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(rig->Submit({&products[i]->launch(), 1}, &fences[i]), SubmitCode::kAccepted) << i;
  }
  for (Fence& fence : fences) {
    ASSERT_EQ(rig->queue().Wait(&fence, kLong), WaitCode::kDone);
    ASSERT_TRUE(fence.done);
    ASSERT_TRUE(fence.status.ok()) << fence.status.ToString();
  }
}

CONFORMANCE_CASE(ordering, ALaunchReadsWhatTheOneBeforeItWrote) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(first, Product::Make(rig.get()));
  CONFORMANCE_TAKE(second, first->Another(Product::kStepsOfAnOutput));
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    first->Fill(seed);
    second->Fill(seed + 100);
    CONFORMANCE_OK(first->SyncIn());
    CONFORMANCE_OK(second->SyncIn());
    second->TakeOutputOf(*first);
    SubmitAll<2>(rig.get(), {first.get(), second.get()});
    CONFORMANCE_OK(first->SyncOut());
    CONFORMANCE_OK(second->SyncOut());
    EXPECT_EQ(first->Difference(), "");
    EXPECT_EQ(second->Difference(), "") << "of what the first wrote";
  }
}

CONFORMANCE_CASE(ordering, TheLastWriterWins) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(first, Product::Make(rig.get()));
  CONFORMANCE_TAKE(second, first->Another(1));
  // The last one takes longest.
  CONFORMANCE_TAKE(third, first->Another(8));
  second->WriteToOutputOf(*first);
  third->WriteToOutputOf(*first);
  uint64_t seed = 0;
  for (Product* each : {first.get(), second.get(), third.get()}) {
    each->Fill(++seed);
    CONFORMANCE_OK(each->SyncIn());
  }
  SubmitAll<3>(rig.get(), {first.get(), second.get(), third.get()});
  CONFORMANCE_OK(third->SyncOut());
  EXPECT_EQ(third->Difference(), "");
  SubmitAll<3>(rig.get(), {third.get(), second.get(), first.get()});
  CONFORMANCE_OK(first->SyncOut());
  EXPECT_EQ(first->Difference(), "");
}

CONFORMANCE_CASE(ordering, AFenceServesAgainOnceItIsDone) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  Fence fence;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    product->Fill(seed);
    CONFORMANCE_OK(product->SyncIn());
    ASSERT_EQ(rig->Submit({&product->launch(), 1}, &fence), SubmitCode::kAccepted);
    ASSERT_EQ(rig->queue().Wait(&fence, kLong), WaitCode::kDone);
    EXPECT_TRUE(fence.done);
    EXPECT_TRUE(rig->queue().Poll(&fence)) << "what is done stays done";
    EXPECT_EQ(rig->queue().Wait(&fence, std::chrono::nanoseconds(0)), WaitCode::kDone);
    CONFORMANCE_OK(fence.status);
    CONFORMANCE_OK(product->SyncOut());
    EXPECT_EQ(product->Difference(), "");
  }
}

CONFORMANCE_CASE(ordering, FencesMayBeWaitedForInAnyOrder) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(first, Product::Make(rig.get()));
  CONFORMANCE_TAKE(second, first->Another(2));
  for (Product* each : {first.get(), second.get()}) {
    each->Fill(9);
    CONFORMANCE_OK(each->SyncIn());
  }
  std::array<Fence, 2> fences;
  ASSERT_EQ(rig->Submit({&first->launch(), 1}, &fences[0]), SubmitCode::kAccepted);
  ASSERT_EQ(rig->Submit({&second->launch(), 1}, &fences[1]), SubmitCode::kAccepted);
  ASSERT_EQ(rig->queue().Wait(&fences[1], kLong), WaitCode::kDone);
  EXPECT_TRUE(rig->queue().Poll(&fences[0])) << "it was submitted before one that has ended";
  EXPECT_TRUE(fences[0].done);
  for (Product* each : {first.get(), second.get()}) {
    CONFORMANCE_OK(each->SyncOut());
    EXPECT_EQ(each->Difference(), "");
  }
}

}  // namespace
}  // namespace tilewave::conformance
