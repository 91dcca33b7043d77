#include "tests/conformance/backend.h"

#include <utility>
#include <vector>

#include "device/xrt/binary_directory.h"
#include "device/xrt/xrt_device.h"
#include "engine/array_choices.h"
#include "engine/compose.h"
#include "program/lower.h"
#include "tests/support/fake_npu.h"

namespace tilewave::conformance {
namespace {

using device::ArrayImage;
using device::Device;
using program::DesignSpec;

Result<std::unique_ptr<Device>> OpenStandard(const std::string& name) {
  return engine::StandardRegistry({}).Open(name);
}

Result<std::unique_ptr<ArrayImage>> ProgramImageOf(const DesignSpec& spec) {
  Result<program::ArrayProgram> program = program::Lower(spec);
  if (!program.ok()) return program.status();
  return std::unique_ptr<ArrayImage>(std::make_unique<device::vnpu::ProgramImage>(
      std::make_shared<const program::ArrayProgram>(*std::move(program))));
}

Result<std::unique_ptr<ArrayImage>> FakeBinaryOf(const DesignSpec& spec) {
  Result<std::unique_ptr<device::xrt::ArrayBinary>> binary = testing::MakeFakeBinary(spec);
  if (!binary.ok()) return binary.status();
  return std::unique_ptr<ArrayImage>(*std::move(binary));
}

Backend Host() {
  return {"host", [] { return OpenStandard("host"); }, nullptr, "", false};
}

Backend Vnpu(const std::string& profile) {
  return {"vnpu_" + profile, [profile] { return OpenStandard("vnpu:" + profile); }, ProgramImageOf,
          profile, false};
}

/// The XRT device over the fake of its driver, whose array is the virtual NPU.
Backend XrtFake(const std::string& name, const std::string& profile) {
  return {
      "xrt_fake_" + name,
      [profile] { return device::xrt::OpenXrt(testing::MakeFakeNpu(profile)->MakeDriver(), 0); },
      FakeBinaryOf, profile, false};
}

/// The real one; its array binaries lie in the working directory.
Backend Xrt() {
  return {"xrt", [] { return OpenStandard("xrt:0"); },
          [](const DesignSpec& spec) { return device::xrt::ReadBinary(".", spec); }, "", true};
}

}  // namespace

std::span<const Backend> Backends() {
  static const std::vector<Backend> backends = {Host(),
                                                Vnpu("phoenix"),
                                                Vnpu("krackan"),
                                                XrtFake("npu1", "phoenix"),
                                                XrtFake("npu2", "krackan"),
                                                Xrt()};
  return backends;
}

bool IsAbsentDevice(const Backend& backend, const Status& status) {
  return backend.may_be_absent &&
         (status.code() == StatusCode::kUnavailable || status.code() == StatusCode::kNotFound ||
          status.code() == StatusCode::kUnimplemented);
}

bool IsAbsentBinary(const Backend& backend, const Status& status) {
  return backend.may_be_absent && status.code() == StatusCode::kNotFound;
}

profile::Profile ProfileOf(const Backend& backend, const Device& device) {
  if (!backend.profile.empty()) return *profile::FindProfile(backend.profile);
  const bool npu1 = device::xrt::ArchOf(device) == arch::NpuArch::kNpu1;
  return *profile::FindProfile(npu1 ? "phoenix" : "strix");
}

Result<Engine> MakeEngine(const Backend& backend, const EngineOptions& options) {
  const Result<plan::ArrayChoices> choices = engine::ArrayChoicesOf(options.array);
  if (!choices.ok()) return choices.status();
  Result<std::unique_ptr<Device>> device = backend.open();
  if (!device.ok()) return device.status();
  runtime::PlanTarget target;
  target.target.kind = (*device)->info().kind;
  if (backend.images != nullptr) {
    target.target.profile = ProfileOf(backend, **device);
    target.target.choices = *choices;
    target.images = backend.images;
  }
  // What the device computes is what is looked at, not what the host computes in its place.
  EngineOptions alone = options;
  alone.retries = 0;
  alone.host_fallback = false;
  return engine::Composer::Compose(alone, {}, *std::move(device), std::move(target), "requested");
}

}  // namespace tilewave::conformance
