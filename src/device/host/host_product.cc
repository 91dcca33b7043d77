#include "device/host/host_product.h"

#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "device/host/tile_walk.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::Form;

/// The sum of `count` s16, modulo 2^32.
uint32_t SumWide(const std::byte* row, int64_t count) {
  const auto* elements = reinterpret_cast<const int16_t*>(row);
  uint32_t sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<uint32_t>(elements[i]);
  return sum;
}

/// -(sum of row i), whose zero points are gone.
void MakeWideRowTerms(const HostProduct& p, const Rectangle& at, const LeftRows& rows,
                      TaskMemory* memory, ReadyRectangle* ready) {
  auto* terms = memory->row_sums.data<int32_t>();
  for (int64_t i = 0; i < at.rows; ++i) {
    terms[i] = static_cast<int32_t>(0 - SumWide(rows.data + (i * rows.stride), p.a.k));
  }
  ready->row_zero_terms = terms;
}

/// -zero_a[i], and -(sum of row i - K * zero_a[i]): what every row adds per unit of a column's sum
/// and of a column's zero point, modulo 2^32.
void MakeRowTerms(const HostProduct& p, const Rectangle& at, const LeftRows& rows,
                  TaskMemory* memory, ReadyRectangle* ready) {
  auto* terms = memory->row_sums.data<int32_t>();
  int32_t* zero_terms = terms + at.rows;
  // Bytes that the kernel will flip to u8 are s8 here, each 128 lower.
  const bool are_unsigned = p.kernel->form == Form::kAnyxS8
                                ? p.a.type == ElementType::kU8
                                : (p.kernel->form == Form::kU8xS8) != (rows.flip != 0);
  const auto sum = are_unsigned ? p.kernel->rows->sum_u8 : p.kernel->rows->sum_s8;
  const uint32_t lift = rows.flip == 0 ? 0 : static_cast<uint32_t>(p.a.k) * 128;
  const int32_t* zero = p.zero_a.From(at.batch, at.first_row);
  for (int64_t i = 0; i < at.rows; ++i) {
    const auto zero_a = static_cast<uint32_t>(zero == nullptr ? p.shared_zero_a : zero[i]);
    terms[i] = static_cast<int32_t>(uint32_t{0} - zero_a);
    if (!p.any_zero_b) continue;
    const auto* row = reinterpret_cast<const uint8_t*>(rows.data + (i * rows.stride));
    const auto row_sum = static_cast<uint32_t>(sum(row, p.a.k)) + lift;
    // What all rows share is in `init` already.
    const uint32_t own = zero == nullptr ? 0 : static_cast<uint32_t>(p.a.k) * zero_a;
    zero_terms[i] = static_cast<int32_t>(own - row_sum);
  }
  if (zero != nullptr) ready->row_terms = terms;
  if (p.any_zero_b) ready->row_zero_terms = zero_terms;
}

/// Whether the walk packs the rows that it comes to, which then stay in a nearer cache. Terms of
/// zero points want all of them before.
bool PacksWhileWalking(const HostProduct& p) {
  return p.by_rows && !p.walk_packs && !HasRowTerms(p);
}

/// The columns of a rectangle of B, whose matrix this thread packs for itself if it has to: lines
/// that other threads have packed take longer to come.
ReadyColumns ColumnsFor(const HostProduct& p, const Rectangle& at, TaskMemory* memory) {
  const int64_t matrix = p.b_matrices == 1 ? 0 : at.batch;
  if (p.b != nullptr) {
    return {p.b, matrix, at.first_column, 0, p.init.From(at.batch, at.first_column)};
  }
  PackedRight& packed = memory->columns;
  if (memory->packed_matrix != matrix) {
    const int64_t start_ns = p.measures_packing ? base::WallNowNs() : 0;
    RightSource source = *p.b_source;
    source.data += matrix * source.batch_stride;
    packed.PackPanels(source, 0, 0, packed.layout().panels());
    memory->packed_matrix = matrix;
    if (p.measures_packing) memory->packing_ns += base::WallNowNs() - start_ns;
  }
  return {&packed, 0, at.first_column, 0, p.InitOf(packed) + at.first_column};
}

/// The f32 rows of a rectangle that are quantised after the first `done` ones: fetched while those
/// are multiplied, memory has nothing to do then.
FarMemory NextFloats(const HostProduct& p, const Rectangle& at, int64_t done) {
  const core::FloatOperand& x = p.a.floats->x;
  // Of rows that are far apart, most of it would be for nothing.
  if (done >= at.rows || x.vector_stride > 2 * x.k) return {};
  const float* from =
      x.data + (at.batch * x.batch_stride) + ((at.first_row + done) * x.vector_stride);
  const int64_t count = std::min(p.floats_together, at.rows - done);
  return {reinterpret_cast<const std::byte*>(from),
          ((count - 1) * x.vector_stride + x.k) * int64_t{sizeof(float)}};
}

/// The rows of `ready` and their terms.
void PrepareRows(const HostProduct& p, const LeftSource& source, TaskMemory* memory,
                 ReadyRectangle* ready) {
  const Rectangle& at = ready->at;
  if (p.rows_in_place) {
    SetRowsInPlace(p.a, at.batch, at.first_row, &ready->rows);
  } else if (p.all_rows.data != nullptr) {
    ready->rows = p.all_rows;
    ready->rows.data += ((at.batch * p.problem->m) + at.first_row) * ready->rows.stride;
  } else if (PacksWhileWalking(p)) {
    ready->rows_source = &source;
  } else {
    ready->rows = PackRowsOf(p, source, at.batch, at.first_row, at.rows, memory);
  }
  if (!HasRowTerms(p)) return;
  const bool widens = kernels::cpu::WidensA(p.kernel->form);
  (widens ? MakeWideRowTerms : MakeRowTerms)(p, at, ready->rows, memory, ready);
}

/// Some f32 rows after the other.
void ComputeFloats(const HostProduct& p, const Rectangle& at, TaskMemory* memory) {
  Rectangle part = at;
  ReadyRectangle ready{p, part, ColumnsFor(p, at, memory), {}};
  for (int64_t done = 0; done < at.rows; done += part.rows) {
    part.first_row = at.first_row + done;
    part.rows = std::min(p.floats_together, at.rows - done);
    ready.next = NextFloats(p, at, done + part.rows);
    PrepareRows(p, p.a, memory, &ready);
    ComputeTiles(ready, memory);
  }
}

/// The source of A with the zero points of a matrix, if they are subtracted on the way.
LeftSource SourceOfRows(const HostProduct& p, int64_t batch) {
  LeftSource source = p.a;
  source.zero = p.zero_a.From(batch, 0);
  return source;
}

}  // namespace

bool HasRowTerms(const HostProduct& p) {
  return p.any_zero_b || (p.zero_a.data != nullptr && !kernels::cpu::WidensA(p.kernel->form));
}

LeftRows PackRowsOf(const HostProduct& p, const LeftSource& source, int64_t batch, int64_t first,
                    int64_t count, TaskMemory* memory) {
  const bool measured = p.measures_packing && source.floats != nullptr;
  const int64_t start_ns = measured ? base::WallNowNs() : 0;
  const LeftRows rows = PackRows(source, *p.kernel, batch, first, count, memory->rows.data());
  if (measured) memory->packing_ns += base::WallNowNs() - start_ns;
  return rows;
}

void ReserveFor(const HostProduct& p, int64_t task_rows, TaskMemory* memory) {
  const int64_t rows = p.floats_together > 0 ? std::min(task_rows, p.floats_together) : task_rows;
  // Whether kernels that want lines read A in place depends on where it stands: calls alike but for
  // that find the memory of the first.
  if (!p.rows_once && (!p.rows_in_place || p.kernel->wants_lines)) {
    const int64_t packed = PacksWhileWalking(p) ? std::min(rows, ChunkRows(p)) : rows;
    memory->rows.Reserve(static_cast<size_t>(packed * PackedRowStride(p.a, *p.kernel)));
  }
  if (HasRowTerms(p)) memory->row_sums.Reserve(static_cast<size_t>(2 * rows) * sizeof(int32_t));
  ReserveForTiles(p, rows, memory);
}

void ComputeRectangle(const HostProduct& p, const Rectangle& at, TaskMemory* memory) {
  if (p.floats_together > 0) {
    ComputeFloats(p, at, memory);
  } else {
    std::optional<LeftSource> widened;
    if (kernels::cpu::WidensA(p.kernel->form)) widened = SourceOfRows(p, at.batch);
    const LeftSource& source = widened ? *widened : p.a;
    // Made where it stays: small products would wait for copies of what has just been written.
    ReadyRectangle ready{p, at, p.walk_packs ? ReadyColumns{} : ColumnsFor(p, at, memory), {}};
    PrepareRows(p, source, memory, &ready);
    ComputeTiles(ready, memory);
  }
  if (p.progress != nullptr) {
    p.progress->fetch_add(at.rows * at.columns, std::memory_order_relaxed);
  }
}

}  // namespace tilewave::device::host
