#include "runtime/tile_executor.h"

#include <utility>

#include "runtime/host_charges.h"
#include "runtime/tile_product.h"

namespace tilewave::runtime {

Status TileExecutor::Run(ArrayCall* call, const WaitLimits& limits) {
  ArrayCall::Attempt& attempt = call->attempt;
  const PreparedPlan& prepared = *attempt.plan.plan;
  const plan::ArrayPlan& plan = prepared.plan.array;
  PhaseTimer* timer = &call->timer;
  device::Clock& clock = device_->clock();
  attempt.memory = pool_->Take(plan, CallMemoryPool::Choice::kLatest);
  CallMemory& memory = *attempt.memory.get();
  // Late launches of a call that fails still read the plan.
  memory.plan = attempt.plan.uncached;
  clock.ChargeHost(device::HostWork::kCall, 0, 1);
  timer->End(&PhaseTimes::call_us);
  if (Status s = MakeImages(attempt.problem, &attempt.operands, &memory.images, &attempt.images);
      !s.ok()) {
    return s;
  }
  ChargePack(attempt.problem, attempt.images, &clock);
  timer->End(&PhaseTimes::pack_us);
  if (memory.runner == nullptr) {
    Result<std::unique_ptr<BufferSets>> sets =
        BufferSets::Make(device_, BufferSets::ShapeOf(plan), timer);
    if (!sets.ok()) return sets.status();
    memory.runner = std::make_unique<WaveRunner>(device_, *std::move(sets));
  }
  TileProduct product(attempt.problem, plan, attempt.images, &memory.sums, call->progress);
  WaveShape shape = WaveShapeOf(plan);
  shape.poison = poison_;
  Status s = memory.runner->Run(shape, *prepared.executable, prepared.stream,
                                limits.After(call->waited_ns), &product, timer);
  call->waited_ns += memory.runner->waited_ns();
  if (!s.ok()) return s;
  FinishProduct(attempt.problem, attempt.operands, attempt.images,
                {product.sums(), attempt.problem.n, attempt.problem.m * attempt.problem.n});
  ChargeFinish(attempt.problem, &clock);
  timer->End(&PhaseTimes::finish_us);
  return {};
}

}  // namespace tilewave::runtime
