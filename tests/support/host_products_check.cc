#include "tests/support/host_products_check.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/random.h"
#include "core/problem.h"
#include "device/device.h"
#include "device/host/host_device.h"
#include "engine/describe_call.h"
#include "tests/support/random_call.h"
#include "tests/support/tiny_caches.h"

namespace tilewave::testing {
namespace {

constexpr int kCallsOfAKind = 25;
constexpr RandomCall::Limits kKinds[] = {
    {}, {.m = 16, .k = 300, .n = 200, .batch = 2}, {.m = 300, .k = 200, .n = 12, .batch = 2}};

/// Runs a problem once.
Status Run(device::Device* device, const core::Problem& problem, const core::Operands& operands,
           const device::WeightsPayload* weights) {
  Result<std::unique_ptr<device::Executable>> executable = device->Load(problem);
  if (!executable.ok()) return executable.status();
  device::Launch launch;
  launch.executable = executable->get();
  launch.operands = &operands;
  launch.weights = weights;
  device::Fence fence;
  if (device->queue().TrySubmit({&launch, 1}, &fence) != device::SubmitCode::kAccepted) {
    return {StatusCode::kInternal, "the host took no launch"};
  }
  return fence.status;
}

/// "" or what is wrong with a call, packed in the call and before.
std::string Complaint(device::Device* device, RandomCall* call) {
  core::Problem problem;
  core::Operands operands;
  const Weights* none = nullptr;
  Status s = engine::DescribeCall(call->call(), &problem, &operands, &none);
  if (s.ok()) s = call->RunReference();
  if (s.ok()) s = Run(device, problem, operands, nullptr);
  if (!s.ok()) return s.ToString();
  if (std::string difference = call->Difference(); !difference.empty()) return difference;
  // Payloads are of integers, with the same zero points for all matrices.
  if (problem.quantise_b != core::Quantise::kNone || operands.zero_b.batch_stride != 0) return "";
  problem.b_prepacked = true;
  Result<std::unique_ptr<device::WeightsPayload>> weights = device->PackWeights(problem, operands);
  if (!weights.ok()) return weights.status().ToString();
  call->Poison();
  s = call->RunReference();
  if (s.ok()) s = Run(device, problem, operands, weights->get());
  if (!s.ok()) return s.ToString();
  const std::string difference = call->Difference();
  return difference.empty() ? "" : "prepacked: " + difference;
}

}  // namespace

std::string FirstHostMismatch(const std::string& kernel) {
  const std::optional<arch::Cpu> caches[] = {std::nullopt, TinyCaches(kAmpleL3Bytes),
                                             TinyCaches(kTinyL3Bytes)};
  base::Random random(11);
  for (const std::optional<arch::Cpu>& cpu : caches) {
    for (const int threads : {1, 3}) {
      Result<std::unique_ptr<device::Device>> device =
          device::host::OpenHostDevice({.kernel = kernel, .threads = threads, .cpu = cpu});
      if (!device.ok()) return device.status().ToString();
      for (const RandomCall::Limits& limits : kKinds) {
        for (int i = 0; i < kCallsOfAKind; ++i) {
          RandomCall call(&random, limits);
          const std::string complaint = Complaint(device->get(), &call);
          if (!complaint.empty()) return complaint + " " + call.Describe();
        }
      }
    }
  }
  return "";
}

}  // namespace tilewave::testing
