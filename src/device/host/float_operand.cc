#include "device/host/float_operand.h"

#include <algorithm>
#include <atomic>

#include "base/check.h"
#include "base/checked_math.h"
#include "core/dynamic_quantisation.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::FloatRange;
using kernels::cpu::RowFunctions;

// A task takes about this many elements, enough to make handing it out cheap.
constexpr int64_t kElementsPerTask = 32768;
// What is fetched while a row is quantised, most often of the rows that come next: the reading of
// their ranges would wait for it (measured on Zen 4; twice as far takes 2 % of a layer longer).
constexpr int64_t kFloatsAhead = 2048;
// Columns taken together where K is the strided direction: their ranges stay in the L1 cache.
constexpr int64_t kVectorsTogether = 512;

/// One operand on its way to bytes.
struct Job {
  const core::FloatOperand& x;
  uint8_t flip;
  const RowFunctions& rows;
  core::DynamicScales scales;
  uint8_t* bytes;
  bool along_k;  ///< Vectors are contiguous, here and in the bytes; else the k-th elements are.
  int64_t line_bytes;  ///< From one of those to the next.
  std::atomic<bool> finite{true};

  int64_t matrix_bytes() const { return (along_k ? x.vectors : x.k) * line_bytes; }
  const float* Matrix(int64_t b) const { return x.data + (b * x.batch_stride); }
};

core::DynamicScale ScaleOf(core::Quantise mode, const FloatRange& r) {
  if (mode == core::Quantise::kAsymmetricPerTensor) return core::AsymmetricScale(r.low, r.high);
  return core::SymmetricScale(std::max(-r.low, r.high));
}

void StoreScale(const core::DynamicScales& out, int64_t index, const core::DynamicScale& s) {
  out.scale[index] = s.scale;
  out.inverse[index] = s.inverse;
  out.zero[index] = s.zero;
}

void QuantiseRun(const Job& job, const float* from, int64_t count, int64_t scale, uint8_t* to) {
  if (job.x.mode == core::Quantise::kAsymmetricPerTensor) {
    job.rows.quantise_asymmetric(from, count, job.scales.scale[scale], job.scales.zero[scale],
                                 job.flip, to);
  } else {
    job.rows.quantise_symmetric(from, count, job.scales.inverse[scale], job.flip, to, kFloatsAhead);
  }
}

void Widen(FloatRange* whole, const FloatRange& part) {
  whole->low = std::min(whole->low, part.low);
  whole->high = std::max(whole->high, part.high);
  whole->finite = whole->finite && part.finite;
}

/// Vectors [first, last) of all matrices, one scale each, contiguous.
void QuantiseVectors(Job* job, int64_t first, int64_t last) {
  const core::FloatOperand& x = job->x;
  for (int64_t v = first; v < last; ++v) {
    if (!QuantiseVector(x, v / x.vectors, v % x.vectors, job->flip, job->rows, job->scales,
                        job->bytes + (v * job->line_bytes), kFloatsAhead)) {
      job->finite.store(false, std::memory_order_relaxed);
      return;
    }
  }
}

/// Columns [first, last) of one matrix, one scale each, whose k-th elements are contiguous.
void QuantiseColumns(Job* job, int64_t b, int64_t first, int64_t last) {
  const core::FloatOperand& x = job->x;
  const int64_t count = last - first;
  alignas(64) float low[kVectorsTogether] = {};
  alignas(64) float high[kVectorsTogether] = {};
  bool finite = true;
  for (int64_t k = 0; k < x.k; ++k) {
    const float* from = job->Matrix(b) + (k * x.k_stride) + first;
    finite = job->rows.widen_ranges(from, count, low, high) && finite;
  }
  if (!finite) {
    job->finite.store(false, std::memory_order_relaxed);
    return;
  }
  const int64_t scale = (b * x.vectors) + first;
  for (int64_t v = 0; v < count; ++v) {
    StoreScale(job->scales, scale + v, ScaleOf(x.mode, {low[v], high[v], true}));
  }
  for (int64_t k = 0; k < x.k; ++k) {
    const float* from = job->Matrix(b) + (k * x.k_stride) + first;
    job->rows.quantise_columns(
        from, count, job->scales.inverse + scale, job->flip,
        job->bytes + (b * job->matrix_bytes()) + (k * job->line_bytes) + first);
  }
}

/// Any strides, one vector at a time by the definitions.
void QuantiseStrided(Job* job, int64_t first, int64_t last) {
  const core::FloatOperand& x = job->x;
  for (int64_t v = first; v < last; ++v) {
    const int64_t b = v / x.vectors;
    for (int64_t k = 0; k < x.k; ++k) {
      const int32_t q = core::QuantiseElement(x, job->scales, b, v % x.vectors, k);
      job->bytes[(v * job->line_bytes) + k] =
          static_cast<uint8_t>(static_cast<uint8_t>(q & 0xFF) ^ job->flip);
    }
  }
}

/// One scale for everything: a pass for the range and one for the bytes. Lines are vectors, or
/// the k-th elements of all vectors.
void QuantiseTensor(Job* job, const base::Crew& crew) {
  const core::FloatOperand& x = job->x;
  const int64_t lines = job->along_k ? x.vectors : x.k;
  const int64_t length = job->along_k ? x.k : x.vectors;
  const int64_t stride = job->along_k ? x.vector_stride : x.k_stride;
  const auto line = [&](int64_t i) { return job->Matrix(i / lines) + (i % lines * stride); };
  std::atomic<float> low{0};
  std::atomic<float> high{0};
  const int64_t all = x.batch * lines;
  const int64_t each = std::max<int64_t>(1, kElementsPerTask / length);
  const int64_t tasks = base::CeilDiv(all, each);
  base::ShareTasks(crew, tasks, [&](base::TaskSource& source, int /*member*/) {
    FloatRange mine;
    for (int64_t t = source.Next(); t >= 0; t = source.Next()) {
      for (int64_t i = t * each; i < std::min(all, (t + 1) * each); ++i) {
        Widen(&mine, job->rows.range(line(i), length));
      }
    }
    if (!mine.finite) job->finite.store(false, std::memory_order_relaxed);
    float seen = low.load(std::memory_order_relaxed);
    while (mine.low < seen && !low.compare_exchange_weak(seen, mine.low)) {
    }
    seen = high.load(std::memory_order_relaxed);
    while (mine.high > seen && !high.compare_exchange_weak(seen, mine.high)) {
    }
  });
  if (!job->finite.load(std::memory_order_relaxed)) return;
  StoreScale(job->scales, 0, ScaleOf(x.mode, {low.load(), high.load(), true}));
  base::ParallelFor(crew, tasks, [&](int64_t t) {
    for (int64_t i = t * each; i < std::min(all, (t + 1) * each); ++i) {
      QuantiseRun(*job, line(i), length, 0, job->bytes + (i * job->line_bytes));
    }
  });
}

void QuantisePerVector(Job* job, const base::Crew& crew) {
  const core::FloatOperand& x = job->x;
  if (job->along_k) {
    const int64_t vectors = x.batch * x.vectors;
    const int64_t each = std::max<int64_t>(1, kElementsPerTask / x.k);
    base::ParallelFor(crew, base::CeilDiv(vectors, each), [&](int64_t t) {
      QuantiseVectors(job, t * each, std::min(vectors, (t + 1) * each));
    });
    return;
  }
  const int64_t blocks = base::CeilDiv(x.vectors, kVectorsTogether);
  base::ParallelFor(crew, x.batch * blocks, [&](int64_t t) {
    const int64_t first = t % blocks * kVectorsTogether;
    QuantiseColumns(job, t / blocks, first, std::min(x.vectors, first + kVectorsTogether));
  });
}

}  // namespace

core::DynamicScales ScalesIn(const core::FloatOperand& x, base::AlignedBuffer* memory) {
  const auto count = static_cast<size_t>(x.scale_count());
  memory->Reserve(count * (2 * sizeof(float) + sizeof(int32_t)));
  auto* scale = memory->data<float>();
  return {scale, scale + count, reinterpret_cast<int32_t*>(scale + (2 * count))};
}

bool QuantiseVector(const core::FloatOperand& x, int64_t b, int64_t vector, uint8_t flip,
                    const RowFunctions& rows, const core::DynamicScales& scales, uint8_t* to,
                    int64_t ahead) {
  const float* from = x.data + (b * x.batch_stride) + (vector * x.vector_stride);
  const FloatRange range = rows.range(from, x.k);
  if (!range.finite) return false;
  const core::DynamicScale scale = ScaleOf(x.mode, range);
  StoreScale(scales, x.scale_index(b, vector), scale);
  rows.quantise_symmetric(from, x.k, scale.inverse, flip, to, ahead);
  return true;
}

Status NotFinite(const core::FloatOperand& x, const core::DynamicScales& scales) {
  // The slow twin knows which one, and how to say it.
  Status s = core::ScanDynamicScales(x, scales);
  TW_CHECK(!s.ok());
  return s;
}

Status QuantiseOperand(const core::FloatOperand& x, const ByteForm& form, const RowFunctions& rows,
                       const base::Crew& crew, base::AlignedBuffer* scales,
                       base::AlignedBuffer* bytes, core::DynamicScales* out_scales,
                       ByteOperand* out) {
  *out_scales = ScalesIn(x, scales);
  const bool along_k = x.k_stride == 1 || x.k == 1 || x.vector_stride != 1;
  const int64_t stride = form.vector_stride == 0 ? x.k : form.vector_stride;
  bytes->Reserve(static_cast<size_t>(x.batch * (along_k ? x.vectors * stride : x.k * x.vectors)));
  Job job{x,
          form.flip,
          rows,
          *out_scales,
          bytes->data<uint8_t>(),
          along_k,
          along_k ? stride : x.vectors};
  const bool strided = along_k && x.k_stride != 1 && x.k != 1;
  if (strided) {
    if (Status s = core::ScanDynamicScales(x, job.scales); !s.ok()) return s;
    base::ParallelFor(crew, x.batch * x.vectors,
                      [&](int64_t v) { QuantiseStrided(&job, v, v + 1); });
  } else if (x.mode == core::Quantise::kPerVector) {
    QuantisePerVector(&job, crew);
  } else {
    QuantiseTensor(&job, crew);
  }
  if (!job.finite.load(std::memory_order_relaxed)) return NotFinite(x, job.scales);
  *out = {job.bytes, along_k ? stride : 1, along_k ? 1 : x.vectors, job.matrix_bytes()};
  if (x.batch == 1) out->batch_stride = 0;
  return {};
}

}  // namespace tilewave::device::host
