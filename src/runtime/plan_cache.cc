#include "runtime/plan_cache.h"

#include <utility>

#include "program/lower.h"
#include "program/sequence.h"
#include "program/stream.h"
#include "program/validate.h"
#include "program/whole_array_launch.h"
#include "runtime/device_status.h"
#include "runtime/whole_product.h"

namespace tilewave::runtime {

/// Slots are filled once and never cleared, so a reader may stop at the first empty one.
struct PlanCache::Table {
  explicit Table(size_t size) : slots(size) {}

  const PreparedPlan* Find(const core::ProblemKey& key, size_t hash) const {
    for (size_t i = hash & (slots.size() - 1);; i = (i + 1) & (slots.size() - 1)) {
      const PreparedPlan* plan = slots[i].load(std::memory_order_acquire);
      if (plan == nullptr || plan->key == key) return plan;
    }
  }

  void Insert(const PreparedPlan* plan) {
    size_t i = core::HashOf(plan->key) & (slots.size() - 1);
    while (slots[i].load(std::memory_order_relaxed) != nullptr) i = (i + 1) & (slots.size() - 1);
    slots[i].store(plan, std::memory_order_release);
  }

  std::vector<std::atomic<const PreparedPlan*>> slots;  ///< A power of two, at most half full.
};

namespace {
constexpr size_t kFirstSlots = 64;
}  // namespace

PlanCache::PlanCache(PlanTarget target) : target_(std::move(target)) {
  tables_.push_back(std::make_unique<Table>(kFirstSlots));
  table_.store(tables_.back().get());
}

PlanCache::~PlanCache() = default;

Result<PlanCache::Found> PlanCache::PlanFor(const core::Problem& problem) {
  const core::ProblemKey key = core::KeyOf(problem);
  const size_t hash = core::HashOf(key);
  if (const PreparedPlan* plan = table_.load(std::memory_order_acquire)->Find(key, hash)) {
    return Found{plan, true, nullptr};
  }
  Result<std::unique_ptr<PreparedPlan>> made = Make(problem);
  if (!made.ok()) return made.status();
  const std::lock_guard<std::mutex> lock(inserting_);
  if (const PreparedPlan* plan = table_.load(std::memory_order_relaxed)->Find(key, hash)) {
    return Found{plan, true, nullptr};  // Another thread was faster.
  }
  if (plans_.size() >= kMaxPlans) {
    const PreparedPlan* plan = made->get();
    return Found{plan, false, *std::move(made)};
  }
  return Found{Insert(*std::move(made)), false, nullptr};
}

Result<std::unique_ptr<PreparedPlan>> PlanCache::Make(const core::Problem& problem) {
  Result<plan::Plan> plan = plan::MakePlan(problem, target_.target);
  if (!plan.ok()) return plan.status();
  auto prepared = std::make_unique<PreparedPlan>();
  prepared->key = core::KeyOf(problem);
  prepared->plan = *std::move(plan);
  if (prepared->plan.strategy == plan::Strategy::kTiles) {
    if (Status s = PrepareArray(prepared.get()); !s.ok()) return s;
    return prepared;
  }
  Result<std::unique_ptr<device::Executable>> executable = target_.device->Load(problem);
  if (!executable.ok()) return executable.status();
  prepared->executable = *std::move(executable);
  return prepared;
}

Status PlanCache::PrepareArray(PreparedPlan* prepared) {
  const plan::ArrayPlan& array = prepared->plan.array;
  const arch::Npu& npu = arch::NpuOf(array.spec.arch);
  const Result<program::ArrayProgram> program = program::Lower(array.spec);
  if (!program.ok()) return program.status();
  if (Status s = program::Validate(*program, npu); !s.ok()) return s;
  const bool whole = array.spec.family == program::DesignFamily::kWholeArray;
  const Result<program::Sequence> sequence =
      whole ? program::WholeArraySequence(*program, array.shape, array.images)
            : program::LaunchSequence(*program, array.k_steps);
  if (!sequence.ok()) return sequence.status();
  std::vector<int64_t> argument_bytes = array.input_bytes;
  argument_bytes.push_back(array.output_bytes);
  if (whole) {
    argument_bytes = array.images.ArgumentBytes();
    if (array.resident_a) argument_bytes[0] = prepared->plan.problem.a_device_bytes;
    if (array.resident_b) prepared->weights_layout = WeightsLayoutOf(array);
  }
  if (Status s = program::Validate(*program, *sequence, argument_bytes, npu); !s.ok()) return s;
  Result<std::vector<uint32_t>> stream = program::EncodeStream(*sequence, npu);
  if (!stream.ok()) return stream.status();
  prepared->stream = *std::move(stream);
  Result<std::shared_ptr<device::Executable>> executable = ExecutableFor(*program);
  if (!executable.ok()) return executable.status();
  prepared->executable = *std::move(executable);
  return {};
}

Result<std::shared_ptr<device::Executable>> PlanCache::ExecutableFor(
    const program::ArrayProgram& program) {
  const std::lock_guard<std::mutex> lock(loading_);
  for (const auto& [spec, executable] : executables_) {
    if (spec == program.spec) return executable;
  }
  const Result<std::unique_ptr<device::ArrayImage>> image = target_.images(program.spec);
  if (!image.ok()) return image.status();
  Result<std::unique_ptr<device::Executable>> loaded = target_.device->LoadImage(**image);
  // Permissions are the device's here, not a file's.
  if (loaded.status().code() == StatusCode::kPermissionDenied) return OfDevice(loaded.status());
  if (!loaded.ok()) return loaded.status();
  executables_.emplace_back(program.spec, *std::move(loaded));
  return executables_.back().second;
}

const PreparedPlan* PlanCache::Insert(std::unique_ptr<PreparedPlan> plan) {
  plans_.push_back(std::move(plan));
  const PreparedPlan* inserted = plans_.back().get();
  Table* table = tables_.back().get();
  if (plans_.size() * 2 <= table->slots.size()) {
    table->Insert(inserted);
    return inserted;
  }
  // Readers may still be in the old table; it stays until the cache dies. All old tables
  // together are smaller than the newest.
  tables_.push_back(std::make_unique<Table>(table->slots.size() * 2));
  for (const auto& each : plans_) tables_.back()->Insert(each.get());
  table_.store(tables_.back().get(), std::memory_order_release);
  return inserted;
}

}  // namespace tilewave::runtime
