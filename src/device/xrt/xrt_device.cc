#include "device/xrt/xrt_device.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "device/no_payload.h"
#include "device/xrt/array_binary.h"
#include "device/xrt/xrt_buffer.h"
#include "device/xrt/xrt_queue.h"

namespace tilewave::device::xrt {
namespace {

class WallClock final : public Clock {
 public:
  int64_t NowNs() override { return base::WallNowNs(); }
  void ChargeHost(HostWork /*kind*/, int64_t /*bytes*/, int64_t /*count*/) override {}
  TimeKind kind() const override { return TimeKind::kMeasured; }
};

class XrtDevice final : public Device {
 public:
  XrtDevice(std::unique_ptr<Driver> driver, std::unique_ptr<DriverDevice> device, int index)
      : driver_(std::move(driver)),
        device_(std::move(device)),
        info_{fmt::format("xrt:{}", index), DeviceKind::kXrt, true,
              fmt::format("{} ({}) through {}", device_->name(), npu().name, driver_->version())},
        queue_(this, device_.get(), static_cast<size_t>(npu().max_contexts)) {}

  arch::NpuArch arch() const { return device_->arch(); }

  uint64_t payload_domain() const override { return payload_domain_; }
  const DeviceInfo& info() const override { return info_; }
  Clock& clock() override { return clock_; }
  Queue& queue() override { return queue_; }

  Result<std::unique_ptr<Buffer>> Allocate(size_t bytes) override {
    Result<std::unique_ptr<DriverBuffer>> data = device_->NewData(bytes);
    if (!data.ok()) return data.status();
    return std::unique_ptr<Buffer>(std::make_unique<XrtBuffer>(this, *std::move(data), 0));
  }

  Result<std::unique_ptr<Executable>> Load(const core::Problem& /*problem*/) override {
    return Status(StatusCode::kUnimplemented, "an array takes configurations, not whole products");
  }

  Result<std::unique_ptr<Executable>> LoadImage(const ArrayImage& image) override {
    const auto* binary = dynamic_cast<const ArrayBinary*>(&image);
    if (binary == nullptr) {
      return Status(StatusCode::kInvalidArgument, "an NPU through XRT loads array binaries only");
    }
    const std::string name = program::Name(binary->spec());
    if (binary->spec().arch != arch()) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("array binary {} is for {}; device {} is {}", name,
                                arch::NpuOf(binary->spec().arch).name, info_.name, npu().name));
    }
    const Result<BinaryId> registered = device_->RegisterBinary(binary->bytes());
    if (!registered.ok()) return Naming(name, registered.status());
    auto configuration = std::make_shared<Configuration>();
    configuration->binary = *registered;
    configuration->arch = arch();
    if (Status s = queue_.Preload(configuration); !s.ok()) return Naming(name, s);
    return std::unique_ptr<Executable>(std::make_unique<XrtExecutable>(
        this, name, program::ConfigurationHash(binary->spec()), std::move(configuration)));
  }

  std::string_view WeightsLayout(const core::Problem& /*problem*/) const override {
    return "row_major";
  }

  Result<std::unique_ptr<WeightsPayload>> PackWeights(const core::Problem& /*problem*/,
                                                      const core::Operands& /*operands*/) override {
    return NoPayload::Make();
  }

 private:
  static Status Naming(const std::string& name, const Status& status) {
    return {status.code(), fmt::format("array binary {}: {}", name, status.message())};
  }

  const arch::Npu& npu() const { return arch::NpuOf(device_->arch()); }

  const uint64_t payload_domain_ = NewPayloadDomain();
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<DriverDevice> device_;  ///< Goes before its driver, and after all made from it.
  DeviceInfo info_;
  WallClock clock_;
  XrtQueue queue_;
};

}  // namespace

Result<std::unique_ptr<Device>> OpenXrt(std::unique_ptr<Driver> driver, int index) {
  Result<std::unique_ptr<DriverDevice>> device = driver->Open(index);
  if (!device.ok()) return device.status();
  return std::unique_ptr<Device>(
      std::make_unique<XrtDevice>(std::move(driver), *std::move(device), index));
}

arch::NpuArch ArchOf(const Device& device) {
  const auto* xrt = dynamic_cast<const XrtDevice*>(&device);
  TW_CHECK(xrt != nullptr);
  return xrt->arch();
}

}  // namespace tilewave::device::xrt
