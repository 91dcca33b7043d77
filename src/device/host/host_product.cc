#include "device/host/host_product.h"

#include <algorithm>
#include <cstring>

#include "base/checked_math.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::EpilogueTile;
using kernels::cpu::Form;
using kernels::cpu::Int8Kernel;
using kernels::cpu::TileArgs;

constexpr size_t kLineBytes = 64;

/// A rectangle with its rows of A ready, and the terms of zero points that belong to them.
struct Ready {
  const HostProduct& product;
  const Rectangle& at;
  LeftRows rows;
  const int32_t* row_terms;       ///< Null: none. Else one for each row of the rectangle.
  const int32_t* row_zero_terms;  ///< Likewise.
};

/// One tile: where it begins in the rectangle, and how large it is.
struct TileAt {
  int64_t row;
  int64_t rows;
  int64_t column;
  int64_t columns;
};

/// A strip of columns, one panel or two, and the tile functions for it.
struct Strip {
  int64_t columns;  ///< That tiles compute, whether C has them or not.
  const kernels::cpu::TileFunction* run;
  int64_t rows;  ///< Of a tile, as a rule.
  int64_t most;  ///< Of a tile, to leave no small rest.

  int64_t RowsOf(int64_t left) const { return left <= most ? left : rows; }
};

Strip StripFor(const Int8Kernel& kernel, int64_t columns_left) {
  if (kernel.run_wide != nullptr && columns_left > kernel.nr) {
    return {2 * kernel.nr, kernel.run_wide, kernel.wide_mr, kernel.wide_most};
  }
  return {kernel.nr, kernel.run, kernel.mr, kernel.mr};
}

std::byte* ElementOfC(const HostProduct& p, int64_t batch, int64_t row, int64_t column) {
  const core::Strides& c = p.problem->c;
  const int64_t index = (batch * c.batch) + (row * c.row) + (column * c.col);
  return static_cast<std::byte*>(p.c) + (index * static_cast<int64_t>(ElementBytes(p.mode.c_type)));
}

/// Arguments for the first row of the rectangle and the panel at `column` of it; C is missing.
TileArgs ArgsOf(const Ready& r, int64_t column) {
  const HostProduct& p = r.product;
  const int64_t matrix = p.b_matrices == 1 ? 0 : r.at.batch;
  const int64_t j = r.at.first_column + column;
  TileArgs args{};
  args.a = r.rows.data;
  args.a_stride = r.rows.stride;
  args.b = p.b->panel_at(matrix, j);
  args.groups = p.groups;
  args.flip = r.rows.flip;
  args.b_next = p.b->layout().panel_bytes();
  args.init = p.init.From(r.at.batch, j);
  return args;
}

EpilogueTile EpilogueOf(const Ready& r, const TileAt& tile, const int32_t* sums) {
  const HostProduct& p = r.product;
  const int64_t batch = r.at.batch;
  const int64_t matrix = p.b_matrices == 1 ? 0 : batch;
  const int64_t row = r.at.first_row + tile.row;
  const int64_t column = r.at.first_column + tile.column;
  EpilogueTile e;
  e.sums = sums;
  e.rows = tile.rows;
  e.columns = tile.columns;
  if (r.row_terms != nullptr) {
    e.row_term = r.row_terms + tile.row;
    e.column_sums = p.b->sums(matrix) + column;
  }
  if (r.row_zero_terms != nullptr) {
    e.row_zero_term = r.row_zero_terms + tile.row;
    e.zero_b = p.b->zeros(matrix) + column;
  }
  e.scale_a = p.scale_a.From(batch, row);
  e.scale_b = p.scale_b.From(batch, column);
  e.bias_f32 = p.bias_f32.From(batch, column);
  e.requant_scale = p.requant_scale.From(batch, column);
  return e;
}

/// Elements of a tile that stand side by side at `from` go to where C's strides want them.
void Scatter(const HostProduct& p, int64_t batch, int64_t row, int64_t column, const TileAt& tile,
             const std::byte* from, int64_t from_stride) {
  const size_t bytes = ElementBytes(p.mode.c_type);
  for (int64_t r = 0; r < tile.rows; ++r) {
    for (int64_t c = 0; c < tile.columns; ++c) {
      const int64_t index = (r * from_stride) + c;
      std::memcpy(ElementOfC(p, batch, row + r, column + c),
                  from + (index * static_cast<int64_t>(bytes)), bytes);
    }
  }
}

/// Computes one tile, all the way to elements of C: into `out`, `out_stride` elements apart from
/// row to row.
void ComputeTile(const Ready& r, const Strip& strip, const TileAt& tile, std::byte* out,
                 int64_t out_stride) {
  alignas(kLineBytes) int32_t sums[kernels::cpu::kMaxTile];
  TileArgs args = ArgsOf(r, tile.column);
  args.a += tile.row * r.rows.stride;
  args.c = sums;
  args.c_stride = strip.columns;
  args.columns = static_cast<int>(strip.columns);
  strip.run[tile.rows - 1](args);
  EpilogueTile epilogue = EpilogueOf(r, tile, sums);
  epilogue.sums_stride = strip.columns;
  epilogue.c = out;
  epilogue.c_stride = out_stride;
  r.product.kernel->rows->store(r.product.mode, epilogue);
}

/// The sums are C: kernels write them where they belong. Strip by strip, as below.
void ComputeSums(const Ready& r) {
  const Rectangle& at = r.at;
  auto* c =
      reinterpret_cast<int32_t*>(ElementOfC(r.product, at.batch, at.first_row, at.first_column));
  Strip strip{};
  for (int64_t j = 0; j < at.columns; j += strip.columns) {
    strip = StripFor(*r.product.kernel, at.columns - j);
    TileArgs args = ArgsOf(r, j);
    args.c = c + j;
    args.c_stride = r.product.problem->c.row;
    args.columns = static_cast<int>(std::min(strip.columns, at.columns - j));
    int64_t rows = 0;
    for (int64_t left = at.rows; left > 0; left -= rows) {
      rows = strip.RowsOf(left);
      strip.run[rows - 1](args);
      args.a += rows * args.a_stride;
      args.c += rows * args.c_stride;
    }
  }
}

/// Strip by strip, so that panels of B stay in the L1 cache while rows of A pass.
void ComputeTiles(const Ready& r) {
  const HostProduct& p = r.product;
  const Rectangle& at = r.at;
  const bool side_by_side = p.problem->c.col == 1;
  alignas(kLineBytes) std::byte scratch[kernels::cpu::kMaxTile * sizeof(int32_t)];
  Strip strip{};
  for (int64_t j = 0; j < at.columns; j += strip.columns) {
    strip = StripFor(*p.kernel, at.columns - j);
    TileAt tile{0, 0, j, std::min(strip.columns, at.columns - j)};
    for (; tile.row < at.rows; tile.row += tile.rows) {
      tile.rows = strip.RowsOf(at.rows - tile.row);
      const int64_t row = at.first_row + tile.row;
      const int64_t column = at.first_column + j;
      if (side_by_side) {
        ComputeTile(r, strip, tile, ElementOfC(p, at.batch, row, column), p.problem->c.row);
      } else {
        ComputeTile(r, strip, tile, scratch, strip.columns);
        Scatter(p, at.batch, row, column, tile, scratch, strip.columns);
      }
    }
  }
}

/// -zero_a[i], and -(sum of row i - K * zero_a[i]): what every row adds per unit of a column's sum
/// and of a column's zero point, modulo 2^32.
void MakeRowTerms(const HostProduct& p, const Rectangle& at, const LeftRows& rows,
                  TaskMemory* memory, Ready* ready) {
  auto* terms = memory->row_sums.data<int32_t>();
  int32_t* zero_terms = terms + at.rows;
  // Bytes that the kernel will flip to u8 are s8 here, each 128 lower.
  const bool are_unsigned = (p.kernel->form == Form::kU8xS8) != (rows.flip != 0);
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

/// Whether rows have terms of zero points that are not in `init`.
bool HasRowTerms(const HostProduct& p) {
  return p.kernel->form != Form::kS16xS16 && (p.any_zero_b || p.zero_a.data != nullptr);
}

}  // namespace

void ReserveFor(const HostProduct& p, int64_t rows, TaskMemory* memory) {
  if (!p.rows_in_place) {
    memory->rows.Reserve(static_cast<size_t>(rows * PackedRowStride(p.a, p.kernel->form)));
  }
  if (HasRowTerms(p)) memory->row_sums.Reserve(static_cast<size_t>(2 * rows) * sizeof(int32_t));
}

void ComputeRectangle(const HostProduct& p, const Rectangle& at, TaskMemory* memory) {
  Ready ready{p, at, {}, nullptr, nullptr};
  if (p.rows_in_place) {
    ready.rows = RowsInPlace(p.a, at.batch, at.first_row);
  } else {
    LeftSource source = p.a;
    if (p.kernel->form == Form::kS16xS16) source.zero = p.zero_a.From(at.batch, 0);
    ready.rows = PackRows(source, *p.kernel, at.batch, at.first_row, at.rows, memory->rows.data());
  }
  if (HasRowTerms(p)) MakeRowTerms(p, at, ready.rows, memory, &ready);
  if (p.sums_are_c) {
    ComputeSums(ready);
  } else {
    ComputeTiles(ready);
  }
  if (p.progress != nullptr) {
    p.progress->fetch_add(at.rows * at.columns, std::memory_order_relaxed);
  }
}

}  // namespace tilewave::device::host
