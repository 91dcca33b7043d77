#include "runtime/tensor_binding.h"

#include <string>
#include <utility>

#include "core/validate.h"

namespace tilewave::runtime {
namespace {

/// Rows of tiles that a launch reads beyond the last row: less than the largest block of rows that
/// the planner has. A design with larger ones has A copied.
constexpr int64_t kTailRows = 320;
/// What a launch reads of the last row beyond its end: less than the longest pass over K.
constexpr int64_t kTailBytes = 4096;

}  // namespace

core::Strides StridesOf(const DeviceTensor& tensor, const TensorHome& home) {
  core::Strides strides = home.strides();
  if (tensor.transposed()) std::swap(strides.row, strides.col);
  return strides;
}

Status CheckDomain(const CallTensors& tensors, uint64_t payload_domain) {
  const auto check = [&](const char* operand, const DeviceTensor& tensor) -> Status {
    if (tensor.empty() || tensor.impl()->payload_domain() == payload_domain) return {};
    return {StatusCode::kFailedPrecondition,
            std::string(operand) + " is a tensor of another device; Download it there first"};
  };
  if (Status s = check("A", tensors.a); !s.ok()) return s;
  return check("B", tensors.b);
}

void BindA(const DeviceTensor& tensor, TensorHome* home, core::Problem* problem,
           core::Operands* operands) {
  problem->a = StridesOf(tensor, *home);
  problem->a_device_bytes = home->device_bytes();
  if (problem->batch > 1 && tensor.batch() == 1) problem->a.batch = 0;
  operands->a = home->host();
}

void BindB(const DeviceTensor& tensor, TensorHome* home, core::Problem* problem,
           core::Operands* operands) {
  problem->b = StridesOf(tensor, *home);
  if (problem->batch > 1 && tensor.batch() == 1) problem->b.batch = 0;
  operands->b = home->host();
}

Status BindOnHost(const CallTensors& tensors, uint64_t payload_domain, core::Problem* problem,
                  core::Operands* operands, DeviceTensor* c) {
  if (Status s = CheckDomain(tensors, payload_domain); !s.ok()) return s;
  if (!tensors.a.empty()) BindA(tensors.a, tensors.a.impl()->home().get(), problem, operands);
  if (!tensors.b.empty()) BindB(tensors.b, tensors.b.impl()->home().get(), problem, operands);
  if (tensors.c == nullptr) return {};
  problem->c_on_device = false;
  if (Status s = core::ValidateProblem(*problem); !s.ok()) return s;
  const DeviceTensor::Impl::Shape& shape = tensors.c->shape();
  auto home = std::make_shared<TensorHome>(shape.bytes(), shape.Dense());
  operands->c = home->host();
  tensors.c->Move(std::move(home));
  *c = DeviceTensor(tensors.c);
  return {};
}

Result<std::shared_ptr<TensorHome>> MakeDeviceHome(device::Device* device, int64_t bytes,
                                                   const core::Strides& strides,
                                                   int64_t element_bytes) {
  const int64_t tail = element_bytes == 1 ? (kTailRows * strides.row) + kTailBytes : 0;
  Result<std::unique_ptr<device::Buffer>> buffer =
      device->Allocate(static_cast<size_t>(bytes + tail));
  if (!buffer.ok()) return buffer.status();
  device->clock().ChargeHost(device::HostWork::kAllocate, bytes + tail, 1);
  return std::make_shared<TensorHome>(*std::move(buffer), strides);
}

}  // namespace tilewave::runtime
