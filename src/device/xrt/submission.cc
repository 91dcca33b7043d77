#include "device/xrt/submission.h"

#include <algorithm>
#include <utility>

namespace tilewave::device::xrt {

Result<std::unique_ptr<Submission>> Submission::Make(DriverContext* context, DriverKernel* kernel,
                                                     size_t runs) {
  auto submission = std::make_unique<Submission>();
  submission->runs_.resize(runs);
  for (Run& each : submission->runs_) {
    Result<std::unique_ptr<DriverRun>> run = kernel->NewRun();
    if (!run.ok()) return run.status();
    each.run = *std::move(run);
  }
  if (runs == 1) return submission;
  Result<std::unique_ptr<DriverRunList>> list = context->NewRunList();
  if (!list.ok()) return list.status();
  submission->list_ = *std::move(list);
  for (Run& each : submission->runs_) {
    if (Status s = submission->list_->Add(each.run.get()); !s.ok()) return s;
  }
  return submission;
}

bool Submission::Same(const Run& run, const RunArguments& arguments) {
  if (run.instructions_id != arguments.instructions->id) return false;
  for (size_t i = 0; i < arguments.buffer_count; ++i) {
    if (run.buffer_ids[i] != arguments.buffers[i].id) return false;
  }
  return true;
}

bool Submission::Has(std::span<const RunArguments> arguments) const {
  return std::equal(runs_.begin(), runs_.end(), arguments.begin(), arguments.end(), Same);
}

Status Submission::Set(std::span<const RunArguments> arguments) {
  for (size_t i = 0; i < runs_.size(); ++i) {
    Run& run = runs_[i];
    const RunArguments& wanted = arguments[i];
    run.instructions = wanted.instructions;
    if (run.instructions_id != wanted.instructions->id) {
      const Instructions& instructions = *wanted.instructions;
      run.instructions_id = 0;
      Status s = run.run->SetInstructions(instructions.buffer.get(), instructions.words);
      if (!s.ok()) return s;
      run.instructions_id = instructions.id;
    }
    for (size_t b = 0; b < wanted.buffer_count; ++b) {
      if (run.buffer_ids[b] == wanted.buffers[b].id) continue;
      run.buffer_ids[b] = 0;
      Status s = run.run->SetBuffer(static_cast<int>(b), wanted.buffers[b].buffer);
      if (!s.ok()) return s;
      run.buffer_ids[b] = wanted.buffers[b].id;
    }
  }
  return {};
}

Status Submission::Start() {
  return list_ != nullptr ? list_->Execute() : runs_.front().run->Start();
}

Result<Outcome> Submission::Poll() {
  return list_ != nullptr ? list_->Poll() : runs_.front().run->Poll();
}

Result<Outcome> Submission::Wait(std::chrono::milliseconds limit) {
  return list_ != nullptr ? list_->Wait(limit) : runs_.front().run->Wait(limit);
}

void Submission::Release() {
  for (Run& each : runs_) each.instructions = nullptr;
}

}  // namespace tilewave::device::xrt
