#include "runtime/tensor_copy.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "core/overlap.h"
#include "core/view_strides.h"
#include "runtime/device_status.h"
#include "runtime/tensor_binding.h"
#include "runtime/time_limit.h"

namespace tilewave::runtime {
namespace {

Status Invalid(std::string what) { return {StatusCode::kInvalidArgument, std::move(what)}; }

Status CheckView(const ConstMatrix& m) {
  if (m.rows < 1 || m.cols < 1 || m.batch < 1) {
    return Invalid(fmt::format("a matrix of {}x{}, batch {}; every extent must be at least 1",
                               m.rows, m.cols, m.batch));
  }
  const core::Strides strides = core::StridesOf(m);
  if (strides.row < 0 || strides.col < 0 || strides.batch < 0) {
    return Invalid("a matrix with a negative stride; strides are >= 0");
  }
  int64_t span = 0;
  const core::Footprint footprint{
      m.data, m.batch, m.rows, m.cols, static_cast<int64_t>(ElementBytes(m.type)), strides};
  // Tiles round extents up; 4096 is larger than any granule.
  const auto rows = base::CheckedAdd(m.rows, 4096);
  const auto cols = base::CheckedAdd(m.cols, 4096);
  if (!rows || !cols || !base::CheckedProduct({m.batch, *rows, *cols, 8}) ||
      !core::SpanBytes(footprint, &span)) {
    return {StatusCode::kOutOfRange,
            fmt::format("a matrix of {}x{}, batch {}, overflows: its bytes must fit 63 bits",
                        m.rows, m.cols, m.batch)};
  }
  if (m.data == nullptr) return Invalid("a matrix whose data is null");
  return {};
}

/// Elements of `bytes` each from one strided batch to another.
void Copy(const std::byte* from, const core::Strides& from_strides, std::byte* to,
          const core::Strides& to_strides, const DeviceTensor::Impl::Shape& shape) {
  const auto bytes = static_cast<int64_t>(ElementBytes(shape.type));
  for (int64_t batch = 0; batch < shape.batch; ++batch) {
    for (int64_t i = 0; i < shape.rows; ++i) {
      const std::byte* in =
          from + (((batch * from_strides.batch) + (i * from_strides.row)) * bytes);
      std::byte* out = to + (((batch * to_strides.batch) + (i * to_strides.row)) * bytes);
      if (from_strides.col == 1 && to_strides.col == 1) {
        std::memcpy(out, in, static_cast<size_t>(shape.cols * bytes));
        continue;
      }
      for (int64_t j = 0; j < shape.cols; ++j) {
        std::memcpy(out + (j * to_strides.col * bytes), in + (j * from_strides.col * bytes),
                    static_cast<size_t>(bytes));
      }
    }
  }
}

/// Where a tensor that is not the result of a call lies.
Result<std::shared_ptr<TensorHome>> HomeFor(device::Device* device, bool is_array,
                                            const DeviceTensor::Impl::Shape& shape) {
  if (!is_array || shape.type != ElementType::kS8) {
    return std::make_shared<TensorHome>(shape.bytes(), shape.Dense());
  }
  const int64_t row = base::RoundUp(shape.cols, arch::kCacheLineBytes);
  return MakeDeviceHome(device, shape.batch * shape.rows * row,
                        {row, 1, shape.batch == 1 ? 0 : shape.rows * row}, 1);
}

}  // namespace

Result<DeviceTensor> UploadTensor(device::Device* device, bool is_array,
                                  const ConstMatrix& matrix) {
  if (Status s = CheckView(matrix); !s.ok()) return s;
  if (matrix.type != ElementType::kS8 && matrix.type != ElementType::kU8 &&
      matrix.type != ElementType::kF32) {
    return Invalid(fmt::format("a matrix of {}; operands are s8, u8 or f32", Name(matrix.type)));
  }
  const DeviceTensor::Impl::Shape shape{matrix.type, matrix.batch, matrix.rows, matrix.cols};
  Result<std::shared_ptr<TensorHome>> home = HomeFor(device, is_array, shape);
  if (!home.ok()) return home.status();
  Copy(static_cast<const std::byte*>(matrix.data), core::StridesOf(matrix), (*home)->host(),
       (*home)->strides(), shape);
  if ((*home)->on_device()) {
    const device::BufferRange range = (*home)->range();
    device->clock().ChargeHost(device::HostWork::kWrite, static_cast<int64_t>(range.bytes), 1);
    device->clock().ChargeHost(device::HostWork::kSyncIn, static_cast<int64_t>(range.bytes), 1);
    Status s = OfDevice(range.buffer->Sync(device::SyncDirection::kToDevice, 0, range.bytes));
    if (!s.ok()) return s;
    (*home)->IsShown();
  }
  auto impl = std::make_shared<DeviceTensor::Impl>(shape, device->payload_domain());
  impl->Move(*std::move(home));
  return DeviceTensor(std::move(impl));
}

Status DownloadTensor(device::Device* device, const DeviceTensor& tensor, const Matrix& matrix) {
  if (Status s = CheckView(matrix); !s.ok()) return s;
  if (matrix.rows != tensor.rows() || matrix.cols != tensor.cols() ||
      matrix.batch != tensor.batch() || matrix.type != tensor.type()) {
    return Invalid(fmt::format("a tensor of {} {}x{}, batch {}, for a matrix of {} {}x{}, batch {}",
                               Name(tensor.type()), tensor.rows(), tensor.cols(), tensor.batch(),
                               Name(matrix.type), matrix.rows, matrix.cols, matrix.batch));
  }
  const core::Strides strides = core::StridesOf(matrix);
  if (!core::IsInjective({matrix.data, matrix.batch, matrix.rows, matrix.cols,
                          static_cast<int64_t>(ElementBytes(matrix.type)), strides})) {
    return Invalid("a matrix whose strides put two elements in one place");
  }
  const std::shared_ptr<TensorHome> home = tensor.impl()->home();
  if (Status s = OfDevice(home->ShowHost(&device->queue(), kDefaultTimeLimit)); !s.ok()) return s;
  Copy(home->host(), StridesOf(tensor, *home), static_cast<std::byte*>(matrix.data), strides,
       {tensor.type(), tensor.batch(), tensor.rows(), tensor.cols()});
  return {};
}

}  // namespace tilewave::runtime
