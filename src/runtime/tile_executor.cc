#include "runtime/tile_executor.h"

#include <algorithm>
#include <utility>

#include "runtime/tile_product.h"
#include "runtime/whole_product.h"

namespace tilewave::runtime {
namespace {

/// Memory of so many calls waits for the next one; more threads than that allocate anew.
constexpr size_t kMaxIdle = 16;

/// Nor is more than this kept in idle buffers.
constexpr int64_t kMaxIdleBytes = int64_t{1} << 30;

/// A real driver has given up on a launch long before.
constexpr std::chrono::nanoseconds kLastWhile = std::chrono::seconds(30);

}  // namespace

class TileExecutor::Lease {
 public:
  Lease(TileExecutor* executor, const plan::ArrayPlan& plan)
      : executor_(executor), memory_(executor->Take(plan)) {
    if (memory_ == nullptr) memory_ = std::make_unique<TileMemory>();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { executor_->GiveBack(std::move(memory_)); }

  TileMemory* get() { return memory_.get(); }

 private:
  TileExecutor* executor_;
  std::unique_ptr<TileMemory> memory_;
};

TileExecutor::TileExecutor(device::Device* device) : device_(device) { idle_.reserve(kMaxIdle); }

TileExecutor::~TileExecutor() {
  while (quarantine_ != nullptr) {
    std::unique_ptr<TileMemory> memory = std::move(quarantine_);
    quarantine_ = std::move(memory->next);
    if (!memory->runner->WaitIdle(kLastWhile)) static_cast<void>(memory.release());
  }
}

std::unique_ptr<TileMemory> TileExecutor::Take(const plan::ArrayPlan& plan) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Sweep();
  for (size_t i = idle_.size(); i-- > 0;) {
    if (!idle_[i]->runner->sets().shape().Serves(plan)) continue;
    std::unique_ptr<TileMemory> memory = std::move(idle_[i]);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    return memory;
  }
  return nullptr;
}

void TileExecutor::GiveBack(std::unique_ptr<TileMemory> memory) noexcept {
  if (memory->runner == nullptr) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!memory->runner->Idle()) {
    memory->next = std::move(quarantine_);
    quarantine_ = std::move(memory);
    return;
  }
  Keep(std::move(memory));
}

void TileExecutor::Keep(std::unique_ptr<TileMemory> memory) noexcept {
  memory->plan = nullptr;
  memory->weights = Weights();
  const BufferSets::Shape& shape = memory->runner->sets().shape();
  // A set per tile is made for one call: keeping it would hold a product's worth of memory.
  if (shape.policy == plan::BufferPolicy::kPerTile) return;
  int64_t bytes = shape.bytes();
  for (const std::unique_ptr<TileMemory>& each : idle_)
    bytes += each->runner->sets().shape().bytes();
  while (!idle_.empty() && (idle_.size() == kMaxIdle || bytes > kMaxIdleBytes)) {
    bytes -= idle_.front()->runner->sets().shape().bytes();
    idle_.erase(idle_.begin());
  }
  idle_.push_back(std::move(memory));
}

void TileExecutor::Sweep() noexcept {
  std::unique_ptr<TileMemory>* link = &quarantine_;
  while (*link != nullptr) {
    if (!(*link)->runner->Idle()) {
      link = &(*link)->next;
      continue;
    }
    std::unique_ptr<TileMemory> memory = std::move(*link);
    *link = std::move(memory->next);
    Keep(std::move(memory));
  }
}

Status TileExecutor::Run(const PreparedPlan& prepared, std::shared_ptr<const PreparedPlan> owner,
                         const core::Problem& problem, core::Operands operands,
                         const Weights* weights, const WaitLimits& limits,
                         std::atomic<int64_t>* progress, CallStats* stats) {
  Lease memory(this, prepared.plan.array);
  memory.get()->plan = std::move(owner);
  if (prepared.plan.array.resident_b) memory.get()->weights = *weights;
  PhaseTimer timer(&device_->clock(), stats);
  return RunIn(memory.get(), prepared, problem, &operands, limits, progress, &timer);
}

Status TileExecutor::RunIn(TileMemory* memory, const PreparedPlan& prepared,
                           const core::Problem& problem, core::Operands* operands,
                           const WaitLimits& limits, std::atomic<int64_t>* progress,
                           PhaseTimer* timer) {
  const plan::ArrayPlan& plan = prepared.plan.array;
  device::Clock& clock = device_->clock();
  clock.ChargeHost(device::HostWork::kCall, 0, 1);
  timer->End(&PhaseTimes::call_us);
  Images images;
  if (Status s = MakeImages(problem, operands, &memory->images, &images); !s.ok()) return s;
  const auto copied = [](const OperandImage& image, int64_t batch, int64_t rows, int64_t cols) {
    return image.copied ? (image.batch_stride == 0 ? 1 : batch) * rows * cols : 0;
  };
  const auto summed = [](const BatchVector& sums, const OperandImage& image, int64_t batch,
                         int64_t rows, int64_t cols) {
    return sums.present() ? (image.batch_stride == 0 ? 1 : batch) * rows * cols : 0;
  };
  const int64_t packed_bytes =
      copied(images.a, problem.batch, problem.m, problem.k) +
      copied(images.b, problem.batch, problem.k, problem.n) +
      summed(images.correction.row_sums_a, images.a, problem.batch, problem.m, problem.k) +
      summed(images.correction.column_sums_b, images.b, problem.batch, problem.k, problem.n);
  if (packed_bytes > 0) clock.ChargeHost(device::HostWork::kPack, packed_bytes, 1);
  timer->End(&PhaseTimes::pack_us);

  if (memory->runner == nullptr) {
    Result<std::unique_ptr<BufferSets>> sets =
        BufferSets::Make(device_, BufferSets::ShapeOf(plan), timer);
    if (!sets.ok()) return sets.status();
    memory->runner = std::make_unique<WaveRunner>(device_, *std::move(sets));
  }
  if (plan.spec.family == program::DesignFamily::kWholeArray) {
    return RunWhole(memory, prepared, problem, *operands, images, limits, progress, timer);
  }
  TileProduct product(problem, plan, images, &memory->sums, progress);
  if (Status s = memory->runner->Run(WaveShapeOf(plan), *prepared.executable, prepared.stream,
                                     limits, &product, timer);
      !s.ok()) {
    return s;
  }
  FinishProduct(problem, *operands, images, {product.sums(), problem.n, problem.m * problem.n});
  ChargeFinish(problem, timer);
  return {};
}

Status TileExecutor::RunWhole(TileMemory* memory, const PreparedPlan& prepared,
                              const core::Problem& problem, const core::Operands& operands,
                              const Images& images, const WaitLimits& limits,
                              std::atomic<int64_t>* progress, PhaseTimer* timer) {
  const plan::ArrayPlan& plan = prepared.plan.array;
  if (plan.resident_b) {
    const Result<const device::WeightsPayload*> payload = memory->weights.impl()->PayloadFor(
        device_, prepared.weights_layout, plan, ResidentWeights::Make);
    if (!payload.ok()) return payload.status();
    memory->runner->SetInput(1, static_cast<const ResidentWeights&>(**payload).range());
    timer->End(&PhaseTimes::write_us);
  }
  WholeProduct product(problem, plan, images, progress);
  if (Status s = memory->runner->Run(WaveShapeOf(plan), *prepared.executable, prepared.stream,
                                     limits, &product, timer);
      !s.ok()) {
    return s;
  }
  product.Finish(operands);
  // A C that is copied as it is has been charged as read.
  if (plan.plain_c) {
    timer->End(&PhaseTimes::read_us);
  } else {
    ChargeFinish(problem, timer);
  }
  return {};
}

void TileExecutor::ChargeFinish(const core::Problem& problem, PhaseTimer* timer) {
  const int64_t c_bytes =
      problem.batch * problem.m * problem.n * static_cast<int64_t>(ElementBytes(problem.c_type));
  device_->clock().ChargeHost(device::HostWork::kFinish, c_bytes, 1);
  timer->End(&PhaseTimes::finish_us);
}

}  // namespace tilewave::runtime
