#include "tests/support/fake_npu.h"

#include <cstring>
#include <utility>
#include <vector>

#include "device/faulty_device.h"
#include "device/vnpu/array_sim.h"
#include "device/xrt/xrt_device.h"
#include "emit/mlir_parser.h"
#include "emit/mlir_printer.h"
#include "engine/array_choices.h"
#include "engine/compose.h"
#include "program/lower.h"

namespace tilewave::testing {
namespace {

using device::vnpu::ArraySim;

class SimulatedArray final : public device::xrt::FakeArray {
 public:
  explicit SimulatedArray(std::unique_ptr<ArraySim> sim) : sim_(std::move(sim)) {}

  Status Run(std::span<const uint32_t> stream,
             std::span<const std::span<std::byte>> buffers) override {
    std::vector<ArraySim::Argument> arguments;
    for (const std::span<std::byte> each : buffers) {
      arguments.push_back({each.data(), static_cast<int64_t>(each.size())});
    }
    const ArraySim::Outcome outcome = sim_->Run(stream, arguments, end_ps_ + 1);
    end_ps_ = outcome.end_ps;
    return outcome.status;
  }

  void Reset() override { sim_->Reset(); }

 private:
  std::unique_ptr<ArraySim> sim_;
  int64_t end_ps_ = 0;
};

}  // namespace

device::xrt::FakeLoader SimulatedArrayLoader(const std::string& profile_name) {
  auto profile = std::make_shared<const profile::Profile>(*profile::FindProfile(profile_name));
  return [profile](
             std::span<const std::byte> binary) -> Result<std::unique_ptr<device::xrt::FakeArray>> {
    const std::string_view text(reinterpret_cast<const char*>(binary.data()), binary.size());
    Result<program::ArrayProgram> program = emit::ParseMlir(text);
    if (!program.ok()) return program.status();
    Result<std::unique_ptr<ArraySim>> sim =
        ArraySim::Make(std::make_shared<const program::ArrayProgram>(*std::move(program)), *profile,
                       device::vnpu::PlainKernels());
    if (!sim.ok()) return sim.status();
    return std::unique_ptr<device::xrt::FakeArray>(
        std::make_unique<SimulatedArray>(*std::move(sim)));
  };
}

std::shared_ptr<device::xrt::FakeXrt> MakeFakeNpu(const std::string& profile) {
  return std::make_shared<device::xrt::FakeXrt>(profile::FindProfile(profile)->arch,
                                                SimulatedArrayLoader(profile));
}

Result<std::unique_ptr<device::xrt::ArrayBinary>> MakeFakeBinary(const program::DesignSpec& spec) {
  const Result<program::ArrayProgram> program = program::Lower(spec);
  if (!program.ok()) return program.status();
  const Result<std::string> text = emit::MlirText(*program);
  if (!text.ok()) return text.status();
  std::vector<std::byte> bytes(text->size());
  std::memcpy(bytes.data(), text->data(), bytes.size());
  return std::make_unique<device::xrt::ArrayBinary>(spec, std::move(bytes));
}

Result<Engine> MakeFakeNpuEngine(const device::xrt::FakeXrt& fake, const std::string& profile,
                                 const EngineOptions& options,
                                 std::shared_ptr<device::FaultInjector> faults) {
  const Result<plan::ArrayChoices> choices = engine::ArrayChoicesOf(options.array);
  if (!choices.ok()) return choices.status();
  Result<std::unique_ptr<device::Device>> device = device::xrt::OpenXrt(fake.MakeDriver(), 0);
  if (!device.ok()) return device.status();
  if (faults != nullptr) device = device::MakeFaultyDevice(*std::move(device), std::move(faults));
  runtime::PlanTarget target;
  target.target = {DeviceKind::kXrt, *profile::FindProfile(profile), *choices};
  target.images =
      [](const program::DesignSpec& spec) -> Result<std::unique_ptr<device::ArrayImage>> {
    Result<std::unique_ptr<device::xrt::ArrayBinary>> binary = MakeFakeBinary(spec);
    if (!binary.ok()) return binary.status();
    return std::unique_ptr<device::ArrayImage>(*std::move(binary));
  };
  return engine::Composer::Compose(options, {}, *std::move(device), std::move(target), "requested");
}

}  // namespace tilewave::testing
