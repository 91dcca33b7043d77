#include "runtime/whole_executor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "runtime/host_charges.h"
#include "runtime/poison.h"
#include "runtime/weights.h"
#include "runtime/whole_product.h"

namespace tilewave::runtime {
namespace {

using device::HostWork;
using device::SubmitCode;
using device::SyncDirection;
using device::WaitCode;

constexpr int64_t kSet = 0;  // A whole product has one.
constexpr size_t kArgumentA = 0;
constexpr size_t kArgumentB = 1;
constexpr size_t kArgumentC = 2;

const plan::ArrayPlan& PlanOf(const ArrayCall& call) { return call.attempt.plan.plan->plan.array; }

}  // namespace

Status WholeExecutor::Fill(ArrayCall* call, bool alone) {
  ArrayCall::Attempt& attempt = call->attempt;
  attempt.memory = pool_->Take(
      PlanOf(*call), alone ? CallMemoryPool::Choice::kLatest : CallMemoryPool::Choice::kOldest);
  CallMemory& memory = *attempt.memory.get();
  memory.plan = attempt.plan.uncached;
  device_->clock().ChargeHost(HostWork::kCall, 0, 1);
  call->timer.End(&PhaseTimes::call_us);
  if (Status s = MakeImages(attempt.problem, &attempt.operands, &memory.images, &attempt.images);
      !s.ok()) {
    return s;
  }
  ChargePack(attempt.problem, attempt.images, &device_->clock());
  call->timer.End(&PhaseTimes::pack_us);
  if (memory.sets == nullptr) {
    Result<std::unique_ptr<BufferSets>> sets =
        BufferSets::Make(device_, BufferSets::ShapeOf(PlanOf(*call)), &call->timer);
    if (!sets.ok()) return sets.status();
    memory.sets = *std::move(sets);
    memory.own_chain = std::make_shared<LaunchChain>();
  }
  if (Status s = TakeArguments(call); !s.ok()) return s;

  const plan::ArrayPlan& plan = PlanOf(*call);
  WholeProduct product(attempt.problem, plan, attempt.images, call->progress);
  product.Write(*memory.sets, kSet);
  if (plan.input_bytes_per_launch() > 0) {
    device_->clock().ChargeHost(HostWork::kWrite, plan.input_bytes_per_launch(), 1);
    call->timer.Count(&PhaseCounts::writes);
  }
  call->timer.End(&PhaseTimes::write_us);
  if (poison_) {
    if (Status s = PoisonRange(memory.arguments[kArgumentC]); !s.ok()) return s;
  }
  if (plan.input_bytes_per_launch() == 0) return {};
  return memory.sets->SyncIn(kSet, 1, /*batched=*/true, &call->timer);
}

/// The buffers of the launch: the set's own, and those that stay on the device.
Status WholeExecutor::TakeArguments(ArrayCall* call) {
  const ArrayCall::Attempt& attempt = call->attempt;
  const plan::ArrayPlan& plan = PlanOf(*call);
  CallMemory& memory = *attempt.memory.get();
  const std::span<const device::BufferRange> own = memory.sets->arguments(kSet);
  std::copy(own.begin(), own.end(), memory.arguments.begin());
  if (plan.resident_a) {
    memory.a = attempt.a;
    memory.arguments[kArgumentA] = attempt.a->range();
  }
  if (plan.device_c) {
    memory.c = attempt.c;
    memory.arguments[kArgumentC] = attempt.c->range();
    // Without the tail.
    memory.arguments[kArgumentC].bytes =
        static_cast<size_t>(plan.images.c_bytes * plan.images.c_matrices);
  }
  if (!plan.resident_b) return {};
  memory.weights = call->weights;
  const Result<const device::WeightsPayload*> payload = memory.weights.impl()->PayloadFor(
      device_, attempt.plan.plan->weights_layout, plan, ResidentWeights::Make);
  if (!payload.ok()) return payload.status();
  memory.arguments[kArgumentB] = static_cast<const ResidentWeights&>(**payload).range();
  return {};
}

Status WholeExecutor::Launch(std::span<ArrayCall* const> calls, const WaitLimits& limits) {
  CallMemory& first = *calls.front()->attempt.memory.get();
  // Others may still hold the chain of an earlier submission.
  if (first.own_chain.use_count() > 1) first.own_chain = std::make_shared<LaunchChain>();
  const std::shared_ptr<LaunchChain> chain = first.own_chain;
  const uint64_t submission = chain->Open();
  for (ArrayCall* call : calls) {
    ArrayCall::Attempt& attempt = call->attempt;
    device::Launch launch;
    launch.executable = attempt.plan.plan->executable.get();
    launch.stream = attempt.plan.plan->stream;
    launch.stream_configuration = attempt.plan.plan->plan.array.configuration;
    launch.arguments = attempt.memory.get()->arguments;
    attempt.launch = chain->Add(launch);
    if (attempt.plan.plan->plan.array.resident_a) {
      attempt.a->ReadBy(chain, submission);
    }
    call->timer.Resume();
  }
  for (;;) {
    const SubmitCode code = chain->TrySubmit(&device_->queue());
    if (code == SubmitCode::kRejected) return chain->StatusOf(0);
    if (code == SubmitCode::kAccepted) break;
    const int64_t since_ns = device_->clock().NowNs();
    const WaitCode room = device_->queue().WaitForRoom(limits.Left(calls.front()->waited_ns));
    const int64_t waited_ns = device_->clock().NowNs() - since_ns;
    for (ArrayCall* call : calls) call->waited_ns += waited_ns;
    if (room == WaitCode::kTimeout) {
      chain->Close();
      return TooLate("accepted a launch", limits.shortest());
    }
  }
  calls.front()->timer.Count(&PhaseCounts::submissions);
  for (ArrayCall* call : calls) {
    call->attempt.memory.get()->chain = chain;
    call->timer.End(&PhaseTimes::launch_us);
  }
  return {};
}

bool WholeExecutor::Done(const ArrayCall& call) {
  const CallMemory* memory = call.attempt.memory.get();
  return memory == nullptr || memory->chain == nullptr || memory->chain->Done(&device_->queue());
}

Status WholeExecutor::Finish(ArrayCall* call, const WaitLimits& limits) {
  ArrayCall::Attempt& attempt = call->attempt;
  CallMemory& memory = *attempt.memory.get();
  const plan::ArrayPlan& plan = PlanOf(*call);
  LaunchChain& chain = *memory.chain;
  call->timer.Resume();
  const int64_t since_ns = device_->clock().NowNs();
  const WaitCode code = chain.Wait(&device_->queue(), limits.Left(call->waited_ns));
  call->waited_ns += device_->clock().NowNs() - since_ns;
  call->timer.End(&PhaseTimes::wait_us);
  if (code == WaitCode::kTimeout) return TooLate("finished a launch", limits.shortest());
  if (Status s = chain.StatusOf(attempt.launch); !s.ok()) return s;
  if (attempt.follows && attempt.a->order() != chain.order()) {
    return {StatusCode::kUnavailable,
            "the launch that reads A was in another context than the one that wrote it, and may "
            "have come before it"};
  }
  call->timer.AddKernel(chain.kernel_ns() / static_cast<int64_t>(chain.size()));
  if (plan.device_c) {
    if (poison_) {
      if (Status s = CheckPoison(call); !s.ok()) return s;
    }
    attempt.c->WrittenIn(chain.order());
    CountElements(attempt.problem, call->progress);
    return {};
  }
  if (Status s = memory.sets->SyncOut(kSet, 1, /*batched=*/true, &call->timer); !s.ok()) return s;
  if (poison_) {
    if (Status s = CheckPoison(call); !s.ok()) return s;
  }
  device_->clock().ChargeHost(HostWork::kRead, plan.output_bytes, 1);
  call->timer.Count(&PhaseCounts::reads);
  WholeProduct product(attempt.problem, plan, attempt.images, call->progress);
  product.Finish(attempt.operands, memory.sets->output(kSet));
  // A C that is copied as it is has been charged as read.
  if (plan.plain_c) {
    call->timer.End(&PhaseTimes::read_us);
  } else {
    ChargeFinish(attempt.problem, &device_->clock());
    call->timer.End(&PhaseTimes::finish_us);
  }
  return {};
}

Status WholeExecutor::CheckPoison(ArrayCall* call) {
  const device::BufferRange& c = call->attempt.memory.get()->arguments[kArgumentC];
  if (PlanOf(*call).device_c) {
    if (Status s = c.buffer->Sync(SyncDirection::kFromDevice, c.offset, c.bytes); !s.ok()) return s;
  }
  return CheckWritten(c.buffer->host() + c.offset, c.bytes);
}

}  // namespace tilewave::runtime
