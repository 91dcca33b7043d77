#include "device/xrt/loaded_context.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace tilewave::device::xrt {
namespace {

uint64_t NewNumber() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

LoadedContext::LoadedContext(std::unique_ptr<DriverContext> context,
                             std::unique_ptr<DriverKernel> kernel)
    : number_(NewNumber()), context_(std::move(context)), kernel_(std::move(kernel)) {}

Result<std::shared_ptr<LoadedContext>> LoadedContext::Make(DriverDevice* device, BinaryId binary) {
  Result<std::unique_ptr<DriverContext>> context = device->NewContext(binary);
  if (!context.ok()) return context.status();
  Result<std::unique_ptr<DriverKernel>> kernel = (*context)->OpenKernel();
  if (!kernel.ok()) return kernel.status();
  return std::make_shared<LoadedContext>(*std::move(context), *std::move(kernel));
}

Result<std::shared_ptr<Instructions>> LoadedContext::FindInstructions(
    std::span<const uint32_t> stream, arch::NpuArch arch) {
  Result<std::shared_ptr<Instructions>> found = instructions_.Find(kernel_.get(), stream, arch);
  if (!found.ok() && found.status().code() == StatusCode::kResourceExhausted &&
      instructions_.DropIdle()) {
    found = instructions_.Find(kernel_.get(), stream, arch);
  }
  return found;
}

Result<std::unique_ptr<Submission>> LoadedContext::Take(std::span<const RunArguments> arguments) {
  const auto take = [this](auto it) {
    std::unique_ptr<Submission> taken = std::move(*it);
    idle_.erase(it);
    idle_runs_ -= taken->size();
    return taken;
  };
  const auto same = std::find_if(idle_.begin(), idle_.end(),
                                 [&](const auto& each) { return each->Has(arguments); });
  std::unique_ptr<Submission> submission;
  if (same != idle_.end()) {
    submission = take(same);
  } else if (idle_runs_ + arguments.size() > kMaxIdleRuns) {
    const auto fits = std::find_if(idle_.begin(), idle_.end(), [&](const auto& each) {
      return each->size() == arguments.size();
    });
    if (fits != idle_.end()) submission = take(fits);
  }
  if (submission == nullptr) {
    Result<std::unique_ptr<Submission>> made =
        Submission::Make(context_.get(), kernel_.get(), arguments.size());
    if (!made.ok()) return made.status();
    submission = *std::move(made);
  }
  if (Status s = submission->Set(arguments); !s.ok()) return s;
  return submission;
}

void LoadedContext::GiveBack(std::unique_ptr<Submission> submission) {
  submission->Release();
  idle_runs_ += submission->size();
  idle_.push_back(std::move(submission));
  while (idle_runs_ > kMaxIdleRuns) {
    idle_runs_ -= idle_.front()->size();
    idle_.erase(idle_.begin());
  }
}

}  // namespace tilewave::device::xrt
