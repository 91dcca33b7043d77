#include "runtime/weights.h"

#include <algorithm>
#include <utility>

#include "core/dynamic_scan.h"

namespace tilewave {

Weights::Impl::Impl(Raw raw) : raw_(std::move(raw)) {
  problem_.batch = raw_.batch;
  problem_.k = raw_.k;
  problem_.n = raw_.n;
  problem_.b_type = raw_.type;
  problem_.b = {raw_.n, 1, raw_.batch == 1 ? 0 : raw_.k * raw_.n};
  problem_.b_prepacked = true;
  operands_.b = raw_.data.data();
  operands_.zero_b = ParameterOf(raw_.zeros);
  operands_.scale_b = ParameterOf(raw_.scales);
}

Weights::Impl::~Impl() {
  Entry* entry = head_.load();
  while (entry != nullptr) {
    const std::unique_ptr<Entry> owned(entry);
    entry = owned->next;
  }
}

size_t Weights::Impl::bytes() const {
  size_t sum = raw_.data.bytes();
  for (const Entry* e = head_.load(std::memory_order_acquire); e != nullptr; e = e->next) {
    sum += e->payload->bytes();
  }
  return sum;
}

const Weights::Impl::Entry* Weights::Impl::Find(uint64_t payload_domain,
                                                std::string_view layout) const {
  for (const Entry* e = head_.load(std::memory_order_acquire); e != nullptr; e = e->next) {
    if (e->payload_domain == payload_domain && e->layout == layout) return e;
  }
  return nullptr;
}

Result<const device::WeightsPayload*> Weights::Impl::PayloadFor(device::Device* device) const {
  const uint64_t domain = device->payload_domain();
  const std::string_view layout = device->WeightsLayout(problem_);
  if (const Entry* found = Find(domain, layout)) return found->payload.get();
  const std::lock_guard<std::mutex> lock(packing_);
  if (const Entry* found = Find(domain, layout)) return found->payload.get();
  Result<std::unique_ptr<device::WeightsPayload>> payload =
      device->PackWeights(problem_, operands_);
  if (!payload.ok()) return payload.status();
  return Keep(domain, layout, *std::move(payload));
}

Result<const device::WeightsPayload*> Weights::Impl::PayloadFor(device::Device* device,
                                                                std::string_view layout,
                                                                const plan::ArrayPlan& plan,
                                                                Maker make) const {
  const uint64_t domain = device->payload_domain();
  if (const Entry* found = Find(domain, layout)) return found->payload.get();
  const std::lock_guard<std::mutex> lock(packing_);
  if (const Entry* found = Find(domain, layout)) return found->payload.get();
  Result<std::unique_ptr<device::WeightsPayload>> payload = make(device, problem_, operands_, plan);
  if (!payload.ok()) return payload.status();
  return Keep(domain, layout, *std::move(payload));
}

const device::WeightsPayload* Weights::Impl::Keep(
    uint64_t payload_domain, std::string_view layout,
    std::unique_ptr<device::WeightsPayload> payload) const {
  auto entry = std::make_unique<Entry>();
  entry->payload_domain = payload_domain;
  entry->layout = layout;
  entry->payload = std::move(payload);
  entry->next = head_.load(std::memory_order_relaxed);
  const device::WeightsPayload* result = entry->payload.get();
  head_.store(entry.release(), std::memory_order_release);
  return result;
}

int64_t Weights::rows() const { return empty() ? 0 : impl_->raw().k; }
int64_t Weights::cols() const { return empty() ? 0 : impl_->raw().n; }
int64_t Weights::batch() const { return empty() ? 0 : impl_->raw().batch; }
ElementType Weights::type() const { return empty() ? ElementType::kS8 : impl_->raw().type; }
size_t Weights::bytes() const { return empty() ? 0 : impl_->bytes(); }

namespace runtime {
namespace {

/// Copies a parameter as a flat vector: none, one number, one per column, or one per column of
/// every matrix.
std::vector<int32_t> Flatten(const Parameter<int32_t>& p, int64_t batch, int64_t n) {
  if (!p.present) return {};
  if (core::FormOf(p) == core::ParameterForm::kOne) return {p.At(0, 0)};
  std::vector<int32_t> values;
  const int64_t batches = p.batch_stride == 0 ? 1 : batch;
  for (int64_t b = 0; b < batches; ++b) {
    for (int64_t j = 0; j < n; ++j) values.push_back(p.At(b, j));
  }
  return values;
}

// A line of memory along K, and columns whose lines are in the L1 cache together even where all of
// them are a power of two apart.
constexpr int64_t kBlockK = 64;
constexpr int64_t kBlockColumns = 8;

/// Fills matrix `b` of a dense row-major B from element(k, j), block by block: the source may stand
/// either way.
template <typename Element>
void FillDense(const core::Problem& p, int64_t b, Element element, uint8_t* out) {
  uint8_t* matrix = out + (b * p.k * p.n);
  const bool along_rows = p.b.col <= p.b.row;
  const int64_t block_columns = along_rows ? p.n : kBlockColumns;
  for (int64_t k0 = 0; k0 < p.k; k0 += kBlockK) {
    const int64_t k_end = std::min(p.k, k0 + kBlockK);
    for (int64_t j0 = 0; j0 < p.n; j0 += block_columns) {
      const int64_t j_end = std::min(p.n, j0 + block_columns);
      for (int64_t k = k0; k < k_end; ++k) {
        for (int64_t j = j0; j < j_end; ++j) matrix[(k * p.n) + j] = element(k, j);
      }
    }
  }
}

/// The bytes of all matrices, from bytes.
void CopyDense(const core::Problem& p, const uint8_t* in, uint8_t* out) {
  for (int64_t b = 0; b < p.batch; ++b) {
    const uint8_t* from = in + (b * p.b.batch);
    FillDense(
        p, b, [&](int64_t k, int64_t j) { return from[(k * p.b.row) + (j * p.b.col)]; }, out);
  }
}

/// The same from f32 with symmetric scales.
void QuantiseDense(const core::Problem& p, const core::FloatOperand& x,
                   const core::DynamicScales& scales, uint8_t* out) {
  for (int64_t b = 0; b < p.batch; ++b) {
    FillDense(
        p, b,
        [&](int64_t k, int64_t j) {
          return static_cast<uint8_t>(core::QuantiseElement(x, scales, b, j, k) & 0xFF);
        },
        out);
  }
}

}  // namespace

Result<Weights> MakeWeights(const core::Problem& p, const core::Operands& operands) {
  Weights::Impl::Raw raw;
  raw.k = p.k;
  raw.n = p.n;
  raw.batch = p.batch;
  raw.type = core::MultipliedB(p);
  raw.zeros = Flatten(operands.zero_b, p.batch, p.n);
  raw.data = base::AlignedBuffer(static_cast<size_t>(p.batch * p.k * p.n));
  core::FloatOperand x;
  core::DynamicScales scales;
  std::vector<float> inverse;
  std::vector<int32_t> no_zeros;
  const bool dynamic = p.quantise_b != core::Quantise::kNone;
  if (dynamic) {
    x = core::FloatOperandB(p, operands);
    const auto count = static_cast<size_t>(x.scale_count());
    raw.scales.resize(count);
    inverse.resize(count);
    no_zeros.resize(count);
    scales = {raw.scales.data(), inverse.data(), no_zeros.data()};
    if (Status s = core::ScanDynamicScales(x, scales); !s.ok()) return s;
  }
  auto* out = raw.data.data<uint8_t>();
  if (dynamic) {
    QuantiseDense(p, x, scales, out);
  } else {
    CopyDense(p, static_cast<const uint8_t*>(operands.b), out);
  }
  return Weights(std::make_shared<const Weights::Impl>(std::move(raw)));
}

}  // namespace runtime
}  // namespace tilewave
