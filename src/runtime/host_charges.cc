#include "runtime/host_charges.h"

namespace tilewave::runtime {

void ChargePack(const core::Problem& p, const Images& images, device::Clock* clock) {
  const auto bytes_of = [&p](const OperandImage& image, int64_t rows, int64_t cols) {
    return (image.batch_stride == 0 ? 1 : p.batch) * rows * cols;
  };
  int64_t bytes = 0;
  if (images.a.copied) bytes += bytes_of(images.a, p.m, p.k);
  if (images.b.copied) bytes += bytes_of(images.b, p.k, p.n);
  if (images.correction.row_sums_a.present()) bytes += bytes_of(images.a, p.m, p.k);
  if (images.correction.column_sums_b.present()) bytes += bytes_of(images.b, p.k, p.n);
  if (bytes > 0) clock->ChargeHost(device::HostWork::kPack, bytes, 1);
}

void ChargeFinish(const core::Problem& p, device::Clock* clock) {
  const int64_t c_bytes = p.batch * p.m * p.n * static_cast<int64_t>(ElementBytes(p.c_type));
  clock->ChargeHost(device::HostWork::kFinish, c_bytes, 1);
}

}  // namespace tilewave::runtime
