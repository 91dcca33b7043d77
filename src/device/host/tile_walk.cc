#include "device/host/tile_walk.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/checked_math.h"
#include "base/clock.h"
#include "device/host/row_writer.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::EpilogueTile;
using kernels::cpu::Int8Kernel;
using kernels::cpu::kGroupBytes;
using kernels::cpu::TileArgs;

constexpr int64_t kLineBytes = RowWriter::kLineBytes;
constexpr int64_t kLineNumbers = kLineBytes / static_cast<int64_t>(sizeof(int32_t));

/// By rows, so many columns are computed before they are written together: whole lines, from a
/// part of B that stays in the L1 cache beside them while tiles of up to so many rows use it.
constexpr int64_t kChunkColumns = 64;
constexpr int64_t kChunkRows = 32;
constexpr int64_t kChunkBytes = kChunkColumns * int64_t{sizeof(int32_t)};
static_assert(kChunkColumns % kLineBytes == 0);  // Of bytes, too.

/// Tiles of a strip whose sums go through the epilogue together: CPUs take a while to change from
/// one to the other. Their sums fit a part of the L1 cache.
constexpr int64_t kTilesTogether = 8;
constexpr int64_t kBlockSums = 4096;
static_assert(kBlockSums >= kernels::cpu::kMaxTile);

/// Some tiles together: where they begin in the rectangle, and how large they are.
struct TileAt {
  int64_t row;
  int64_t rows;
  int64_t column;
  int64_t columns;
};

/// A strip of columns, one panel or more, and the tile functions for it.
struct Strip {
  int64_t columns;  ///< That tiles compute, whether C has them or not.
  const kernels::cpu::TileFunction* run;
  int64_t rows;  ///< Of a tile, as a rule.
  int64_t most;  ///< Of a tile, to leave no small rest.

  int64_t RowsOf(int64_t left) const { return left <= most ? left : rows; }
};

/// Columns of a row tile; 0 if the kernel has none.
int64_t RowTileColumns(const Int8Kernel& kernel) { return int64_t{kernel.row_panels} * kernel.nr; }

/// So many rows that come from afar are read side by side: CPUs see where it goes in a few dozen
/// pages, and each row is in another one.
constexpr int64_t kMostRowsFollowed = 16;

/// Whether tiles are wide that could be. Narrow strips would make rows of epilogues short.
bool TakesWideTiles(const HostProduct& p, int64_t rows) {
  const Int8Kernel& kernel = *p.kernel;
  if (kernel.run_wide == nullptr) return false;
  if (p.short_panels && (p.sums_are_c || (p.by_rows && !p.walk_packs))) return false;
  return kernel.wide_product_rows == 0 || rows <= kernel.wide_product_rows ||
         p.groups == kernel.wide_groups;
}

/// For the columns from `column` of a rectangle on.
Strip StripFor(const HostProduct& p, int64_t rows, int64_t column, int64_t columns_left) {
  const Int8Kernel& kernel = *p.kernel;
  if (rows == 1 && kernel.run_row != nullptr && columns_left >= RowTileColumns(kernel)) {
    return {RowTileColumns(kernel), &kernel.run_row, 1, 1};
  }
  if (columns_left > kernel.nr && TakesWideTiles(p, rows)) {
    return {StripColumns(kernel), kernel.run_wide, kernel.wide_mr, kernel.wide_most};
  }
  const bool from_afar = column == 0 && p.rows_from_afar && p.rows_in_place;
  const int64_t most =
      from_afar ? std::min<int64_t>(kMostRowsFollowed, kernel.mr) : int64_t{kernel.mr};
  return {kernel.nr, kernel.run, most, most};
}

std::byte* ElementOfC(const HostProduct& p, int64_t batch, int64_t row, int64_t column) {
  const core::Strides& c = p.problem->c;
  const int64_t index = (batch * c.batch) + (row * c.row) + (column * c.col);
  return static_cast<std::byte*>(p.c) + (index * p.element_bytes());
}

/// Arguments for the first row of the rectangle and the strip at `column` of it; C and what
/// TakeGroups adds are missing.
TileArgs ArgsOf(const ReadyRectangle& r, int64_t column) {
  const HostProduct& p = r.product;
  TileArgs args;
  args.a = r.rows.data;
  args.a_stride = r.rows.stride;
  args.flip = r.rows.flip;
  args.flips_free = p.flips_free;
  args.a_signed = p.a.type == ElementType::kS8;
  args.b_next = r.b.packed->panel_bytes();
  args.init = r.b.init + column - r.b.at;
  return args;
}

/// Bytes of all columns of a panel.
int64_t GroupBytesOfPanel(const Int8Kernel& kernel) {
  return int64_t{kernel.nr} * kernels::cpu::GroupBytesOfB(kernel.form);
}

/// Takes the groups from `first` on, at most `count`, of a strip's columns and of the rows whose
/// beginnings `args` has.
void TakeGroups(const ReadyRectangle& r, int64_t column, int64_t first, int64_t count,
                TileArgs* args) {
  args->a += first * kGroupBytes;
  args->b = r.b.packed->panel_at(r.b.matrix, r.b.IndexOf(column), first);
  args->groups = std::min(count, r.product.groups - first);
}

EpilogueTile EpilogueOf(const ReadyRectangle& r, const TileAt& tile, const int32_t* sums) {
  const HostProduct& p = r.product;
  const int64_t batch = r.at.batch;
  const int64_t row = r.at.first_row + tile.row;
  const int64_t column = r.at.first_column + tile.column;
  EpilogueTile e;
  e.sums = sums;
  e.rows = tile.rows;
  e.columns = tile.columns;
  if (r.row_terms != nullptr) {
    e.row_term = r.row_terms + tile.row;
    e.column_sums = r.b.packed->sums(r.b.matrix) + r.b.IndexOf(tile.column);
  }
  if (r.row_zero_terms != nullptr) {
    e.row_zero_term = r.row_zero_terms + tile.row;
    e.zero_b = r.b.packed->zeros(r.b.matrix) + r.b.IndexOf(tile.column);
  }
  e.scale_a = p.scale_a.From(batch, row);
  e.scale_b = p.scale_b.From(batch, column);
  e.bias_f32 = p.bias_f32.From(batch, column);
  e.requant_scale = p.requant_scale.From(batch, column);
  return e;
}

/// Elements of a tile that stand side by side at `from` go to where C's strides want them, in the
/// order in which they stand there if that is column by column.
template <int64_t kBytes>
void ScatterBytes(const core::Strides& c, std::byte* to, const TileAt& tile, const std::byte* from,
                  int64_t from_stride) {
  const auto copy = [&](int64_t r, int64_t j) {
    std::memcpy(to + (((r * c.row) + (j * c.col)) * kBytes),
                from + (((r * from_stride) + j) * kBytes), kBytes);
  };
  if (c.row == 1) {
    for (int64_t j = 0; j < tile.columns; ++j) {
      for (int64_t r = 0; r < tile.rows; ++r) copy(r, j);
    }
    return;
  }
  for (int64_t r = 0; r < tile.rows; ++r) {
    for (int64_t j = 0; j < tile.columns; ++j) copy(r, j);
  }
}

void Scatter(const HostProduct& p, std::byte* to, const TileAt& tile, const std::byte* from,
             int64_t from_stride) {
  const core::Strides& c = p.problem->c;
  switch (p.element_bytes()) {
    case 1:
      return ScatterBytes<1>(c, to, tile, from, from_stride);
    case 2:
      return ScatterBytes<2>(c, to, tile, from, from_stride);
    default:
      return ScatterBytes<4>(c, to, tile, from, from_stride);
  }
}

/// Sums of some rows of a strip, complete, go through the epilogue to C in memory, whatever its
/// strides.
void StoreInC(const ReadyRectangle& r, const TileAt& block, const int32_t* sums,
              int64_t sums_stride) {
  const HostProduct& p = r.product;
  std::byte* to =
      ElementOfC(p, r.at.batch, r.at.first_row + block.row, r.at.first_column + block.column);
  EpilogueTile epilogue = EpilogueOf(r, block, sums);
  epilogue.sums_stride = sums_stride;
  if (p.problem->c.col == 1) {
    epilogue.c = to;
    epilogue.c_stride = p.problem->c.row;
    p.kernel->rows->store(p.mode, epilogue);
    return;
  }
  alignas(kLineBytes) std::byte scratch[kBlockSums * sizeof(int32_t)];
  epilogue.c = scratch;
  epilogue.c_stride = sums_stride;
  p.kernel->rows->store(p.mode, epilogue);
  Scatter(p, to, block, scratch, sums_stride);
}

/// A tile fetches rows for the one after the next, if there are enough of them: rows come in short
/// pieces when K is in blocks, where CPUs do not look ahead.
constexpr int64_t kRowsAhead = 4;

/// Lines to fetch while tiles of a strip are computed: `lines` with every group.
struct Ahead {
  const std::byte* from = nullptr;  ///< Null: nothing.
  int64_t lines = 1;
  int64_t step = 0;            ///< Bytes from those of a group to those of the next.
  int shift = 0;               ///< Lines come with every 2^shift groups only.
  int64_t lines_together = 1;  ///< Side by side,
  int64_t next = 0;            ///< and bytes to the next of these.

  const std::byte* Line(int64_t line) const {
    return from + (line / lines_together * next) + (line % lines_together * kLineBytes);
  }
};

/// A strip of the rectangle and a block of K: all tiles, sums to args.c. `init_step`: numbers from
/// what a row of sums begins with to that of the next row. `from_afar`: rows of A are not in a near
/// cache yet. Short, since small products spend a good part of their time here. `strip_args` moves
/// on from tile to tile: a copy would be read before it is written, behind all of C that still is.
void SumStrip(const Strip& strip, int64_t all_rows, int64_t init_step, bool from_afar,
              const Ahead& ahead, TileArgs* strip_args) {
  TileArgs& args = *strip_args;
  args.init_stride = init_step;
  args.ahead_step = ahead.step;
  args.ahead_shift = ahead.shift;
  // How many lines each of the first tiles fetches.
  const int64_t tiles = std::max<int64_t>(1, all_rows / strip.rows);
  const int64_t each =
      ahead.from == nullptr ? 0 : base::CeilDiv(ahead.lines, std::min(ahead.lines, tiles));
  args.ahead[0] = nullptr;
  int64_t line = 0;
  int64_t rows = 0;
  for (int64_t left = all_rows; left > 0; left -= rows) {
    rows = strip.RowsOf(left);
    args.a_ahead = from_afar && left >= kRowsAhead * rows ? 2 * rows * args.a_stride : 0;
    if (each > 0) {
      args.ahead[0] = line < ahead.lines ? ahead.Line(line) : nullptr;
      args.ahead[1] = ahead.Line(line + each - 1);
      line += each;
    }
    strip.run[rows - 1](args);
    args.a += rows * args.a_stride;
    args.c += rows * args.c_stride;
    args.init += rows * init_step;
    if (args.out != nullptr) args.out += rows * args.out_stride;
  }
}

/// The last block of K of a strip, through the epilogue, a few tiles at a time.
void FinishStrip(const ReadyRectangle& r, const Strip& strip, TileAt block, int64_t init_step,
                 bool from_afar, Ahead ahead, TileArgs* strip_args) {
  TileArgs& args = *strip_args;
  alignas(kLineBytes) int32_t sums[kBlockSums];
  const HostProduct& p = r.product;
  const bool fetches = p.problem->c.col == 1 && (p.element_bytes() == int64_t{sizeof(int32_t)} ||
                                                 strip.columns <= kLineNumbers);
  args.out_stride = p.problem->c.row * p.element_bytes();
  args.c_stride = strip.columns;
  args.columns = static_cast<int>(strip.columns);
  const int64_t together =
      std::min(kTilesTogether, kBlockSums / (strip.rows * strip.columns)) * strip.rows;
  for (; block.row < r.at.rows; block.row += block.rows) {
    block.rows = std::min(together, r.at.rows - block.row);
    args.c = sums;
    if (fetches) {
      args.out =
          ElementOfC(p, r.at.batch, r.at.first_row + block.row, r.at.first_column + block.column);
    }
    SumStrip(strip, block.rows, init_step, from_afar, ahead, strip_args);
    StoreInC(r, block, sums, strip.columns);
    ahead.from = nullptr;
  }
}

/// Columns of the rectangle that are about to be packed in `packed`.
ReadyColumns StartPacking(const HostProduct& p, int64_t column, int64_t columns,
                          PackedRight* packed) {
  packed->Reset(*p.kernel, RightLayout(*p.kernel, p.problem->k, columns), 1, p.block_groups);
  return {packed, 0, 0, column, p.InitOf(*packed)};
}

/// The source of columns of the rectangle.
RightSource SourceAt(const ReadyRectangle& r, int64_t column) {
  RightSource source = *r.product.b_source;
  source.data +=
      (r.at.batch * source.batch_stride) + ((r.at.first_column + column) * source.column_stride);
  return source;
}

/// Tiles far apart fetch a line with every fourth group at the least.
constexpr int kMostShift = 2;

/// Two lines with every group, from two places for each tile.
Ahead AheadIn(const FarMemory& memory, int64_t tiles) {
  const int64_t places = 2 * tiles;
  return {memory.data, places, kLineBytes,
          0,           1,      base::RoundUp(base::CeilDiv(memory.bytes, places), kLineBytes)};
}

/// What the next tiles will want that is far away: packed columns, or what is to be packed; with
/// the last columns, what comes after them.
Ahead AheadOf(const ReadyRectangle& r, const Strip& strip, int64_t column, int64_t first,
              const TileArgs& args) {
  const HostProduct& p = r.product;
  const bool last = first + p.block_groups >= p.groups;
  // A lone tile reads B in order, which CPUs notice by themselves: TileArgs::b_ahead does the rest.
  const int64_t together = p.walk_packs ? p.columns_packed : strip.columns;
  if (r.at.rows <= strip.most || p.near_columns) return {};
  if (last && column + together >= r.at.columns) {
    return r.next.data == nullptr ? Ahead{} : AheadIn(r.next, r.at.rows / strip.rows);
  }
  if (p.walk_packs) {
    if (p.b_source->column_stride != 1) return {};
    const int64_t elements = kernels::cpu::GroupElements(p.kernel->form);
    const int64_t k = last ? 0 : (first + p.block_groups) * elements;
    const RightSource next = SourceAt(r, column + (last ? together : 0));
    const auto* from = reinterpret_cast<const std::byte*>(next.data + (k * next.k_stride));
    // A row of the source for each element of K, spread over many tiles: each is in another page.
    const int64_t tiles = r.at.rows / strip.rows;
    int shift = 0;
    while (shift < kMostShift && tiles >> (shift + 1) >= elements) ++shift;
    return {from,
            elements << shift,
            next.k_stride,
            shift,
            1,
            (p.block_groups >> shift) * next.k_stride};
  }
  const int64_t group_bytes = GroupBytesOfPanel(*p.kernel);
  const int64_t next_block = p.block_groups * group_bytes;
  const int64_t next_strip = (strip.columns / p.kernel->nr * args.b_next) - (first * group_bytes);
  const int64_t lines =
      std::max<int64_t>(1, strip.columns / p.kernel->nr * group_bytes / kLineBytes);
  return {args.b + (last ? next_strip : next_block),      lines,      group_bytes, 0,
          std::max<int64_t>(1, group_bytes / kLineBytes), args.b_next};
}

/// Every row of a strip's sums += `init`.
void AddToRows(const int32_t* init, int64_t columns, int64_t rows, int32_t* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      sums[j] =
          static_cast<int32_t>(static_cast<uint32_t>(sums[j]) + static_cast<uint32_t>(init[j]));
    }
    sums += columns;
  }
}

/// Whether sums begin with anything that packed columns have. Only then has the walk to add it at
/// the end.
bool BeginsLate(const HostProduct& p) { return p.kernel->self != nullptr || p.HasSharedZeroA(); }

/// A strip and a block of K, from group `first` on. Sums wait in `sums` for the next block.
void ComputeStrip(const ReadyRectangle& r, const Strip& strip, int64_t j, int64_t first,
                  int32_t* sums) {
  const HostProduct& p = r.product;
  const Rectangle& at = r.at;
  const bool last = first + p.block_groups >= p.groups;
  const bool from_afar = p.rows_from_afar && j == 0;
  const int64_t columns = std::min(strip.columns, at.columns - j);
  int64_t init_step = 0;
  TileArgs args = ArgsOf(r, j);
  TakeGroups(r, j, first, p.block_groups, &args);
  if (p.walk_packs && p.block_groups < p.groups && BeginsLate(p)) {
    // What sums begin with is known when all of K is packed.
    static constexpr int32_t kNothing[kernels::cpu::kMaxTileColumns] = {};
    if (last) AddToRows(args.init, strip.columns, at.rows, sums);
    if (first == 0) args.init = kNothing;
  }
  args.row_start = first == 0 ? r.rows.start : 0;
  args.b_ahead = at.rows <= strip.most ? p.lone_tile_ahead : 0;
  if (first != 0) {
    args.init = sums;
    init_step = strip.columns;
  }
  // The first tiles share out fetching the block that comes next; a burst of it would be more than
  // the L3 cache gives.
  const Ahead ahead = AheadOf(r, strip, j, first, args);
  if (!last) {
    args.c = sums;
    args.c_stride = strip.columns;
    args.columns = static_cast<int>(strip.columns);
    SumStrip(strip, at.rows, init_step, from_afar, ahead, &args);
  } else if (p.sums_are_c && p.problem->c.col == 1) {
    args.c = reinterpret_cast<int32_t*>(ElementOfC(p, at.batch, at.first_row, at.first_column + j));
    args.c_stride = p.problem->c.row;
    args.columns = static_cast<int>(columns);
    SumStrip(strip, at.rows, init_step, from_afar, ahead, &args);
  } else {
    FinishStrip(r, strip, {0, 0, j, columns}, init_step, from_afar, ahead, &args);
  }
}

/// Strip by strip, and K in blocks, so that what belongs to a strip and a block of B stays in a
/// near cache while rows of A pass.
void WalkStrips(const ReadyRectangle& r, int32_t* sums) {
  const HostProduct& p = r.product;
  Strip strip{};
  for (int64_t j = 0; j < r.at.columns; j += strip.columns) {
    strip = StripFor(p, r.at.rows, j, r.at.columns - j);
    for (int64_t first = 0; first < p.groups; first += p.block_groups) {
      ComputeStrip(r, strip, j, first, sums);
    }
  }
}

/// The same, and a block of some strips' columns is packed right before it is multiplied.
void WalkAndPack(ReadyRectangle r, TaskMemory* memory) {
  const HostProduct& p = r.product;
  const int64_t elements = kernels::cpu::GroupElements(p.kernel->form);
  PackedRight& packed = memory->columns;
  Strip strip{};
  for (int64_t j = 0; j < r.at.columns; j += p.columns_packed) {
    const int64_t end = std::min(r.at.columns, j + p.columns_packed);
    r.b = StartPacking(p, j, end - j, &packed);
    const RightSource source = SourceAt(r, j);
    for (int64_t first = 0; first < p.groups; first += p.block_groups) {
      const int64_t k = first * elements;
      const int64_t start_ns = p.measures_packing ? base::WallNowNs() : 0;
      packed.PackBlock(source, 0, 0, packed.layout().panels(), k,
                       std::min(p.block_groups * elements, p.problem->k - k));
      if (p.measures_packing) memory->packing_ns += base::WallNowNs() - start_ns;
      auto* sums = memory->sums.data<int32_t>();
      for (int64_t i = j; i < end; i += strip.columns) {
        strip = StripFor(p, r.at.rows, i, end - i);
        ComputeStrip(r, strip, i, first, sums);
        sums += strip.columns * r.at.rows;
      }
    }
  }
}

/// Where sums stand.
struct Sums {
  int32_t* at;
  int64_t stride;  ///< In numbers.
};

/// Elements of C whose lines are to be fetched before they are written.
struct ToFetch {
  const std::byte* at = nullptr;  ///< Of the chunk's first row and column. Null: nothing.
  int64_t stride = 0;             ///< Bytes from row to row.
  int64_t element_bytes = 0;
  bool written_by_tiles = false;  ///< Else when all of the chunk has been summed up.
};

/// Sums of some rows and columns, all of K, to `to`; `a`: the first of these rows. Sums of a part
/// of K wait in `between`. `args` has what all strips of the rectangle share.
void SumChunk(const ReadyRectangle& r, const TileAt& chunk, const LeftRows& a, const Sums& between,
              const Sums& to, const ToFetch& fetch, TileArgs* args) {
  const HostProduct& p = r.product;
  for (int64_t first = 0; first < p.groups; first += p.row_block_groups) {
    const bool last = first + p.row_block_groups >= p.groups;
    const Sums& sums = last ? to : between;
    Strip strip{};
    for (int64_t j = 0; j < chunk.columns; j += strip.columns) {
      strip = StripFor(p, chunk.rows, chunk.column + j, chunk.columns - j);
      const int64_t column = chunk.column + j;
      args->a = a.data;
      args->a_stride = a.stride;
      TakeGroups(r, column, first, p.row_block_groups, args);
      const bool begins = first == 0;
      args->row_start = begins ? a.start : 0;
      args->init = begins ? r.b.init + column - r.b.at : between.at + j;
      args->c = sums.at + j;
      args->c_stride = sums.stride;
      args->columns =
          static_cast<int>(last ? std::min(strip.columns, chunk.columns - j) : strip.columns);
      // Tiles fetch those of the strip that comes next: it is too late for their own.
      const int64_t lead = fetch.written_by_tiles ? strip.columns : 0;
      const bool fetches = last && fetch.at != nullptr && column + lead < r.at.columns;
      args->out = fetches ? fetch.at + ((j + lead) * fetch.element_bytes) : nullptr;
      args->out_stride = fetch.stride;
      SumStrip(strip, chunk.rows, begins ? 0 : between.stride, false, {}, args);
    }
  }
}

/// Whether lines of C are fetched while sums are computed that become its elements afterwards: by
/// kernels that widen A, which never write past the caches (measured with AVX2 on Zen 3: 1.1 times
/// as fast with a K of 64 and 128). A row of a tile's sums is a line there, and so at most one of
/// elements.
bool FetchesForEpilogue(const Int8Kernel& kernel) { return kernels::cpu::WidensA(kernel.form); }

/// A few rows at a time: whole lines of C come together, one after the other. If C is too large for
/// the caches, sums become elements of C in place, on their way past them, and need not be read
/// first.
void WalkRows(const ReadyRectangle& r, TaskMemory* memory) {
  const HostProduct& p = r.product;
  const Rectangle& at = r.at;
  const Int8Kernel& kernel = *p.kernel;
  const int64_t bytes = p.element_bytes();
  const bool direct = p.sums_are_c && !p.past_caches;
  RowWriter writer(*kernel.rows, memory->lines.data(), kChunkBytes);
  const Sums sums{reinterpret_cast<int32_t*>(writer.at()),
                  writer.stride_bytes() / static_cast<int64_t>(sizeof(int32_t))};
  TileArgs args = ArgsOf(r, r.b.at);
  for (TileAt chunk{}; chunk.row < at.rows; chunk.row += chunk.rows) {
    chunk.rows = std::min(ChunkRows(p), at.rows - chunk.row);
    LeftRows a = r.rows;
    a.data += chunk.row * a.stride;
    if (r.rows_source != nullptr) {
      a = PackRowsOf(p, *r.rows_source, at.batch, at.first_row + chunk.row, chunk.rows, memory);
    }
    std::byte* const rows_of_c = ElementOfC(p, at.batch, at.first_row + chunk.row, at.first_column);
    if (p.past_caches) writer.Start(rows_of_c, p.problem->c.row * bytes, chunk.rows);
    for (chunk.column = 0; chunk.column < at.columns; chunk.column += kChunkColumns) {
      chunk.columns = std::min(kChunkColumns, at.columns - chunk.column);
      std::byte* const c = rows_of_c + (chunk.column * bytes);
      ToFetch fetch;
      if (direct ? p.fetches_c : FetchesForEpilogue(kernel)) {
        fetch = {c, p.problem->c.row * bytes, bytes, direct};
      }
      if (direct) {
        SumChunk(r, chunk, a, sums, {reinterpret_cast<int32_t*>(c), p.problem->c.row}, fetch,
                 &args);
        continue;
      }
      SumChunk(r, chunk, a, sums, sums, fetch, &args);
      if (!p.sums_are_c) {
        EpilogueTile epilogue = EpilogueOf(r, chunk, sums.at);
        epilogue.sums_stride = sums.stride;
        epilogue.c = p.past_caches ? writer.at() : c;
        epilogue.c_stride = p.past_caches ? writer.stride_bytes() / bytes : p.problem->c.row;
        kernel.rows->store(p.mode, epilogue);
      }
      if (p.past_caches) {
        writer.Write(chunk.columns * bytes, chunk.column + chunk.columns == at.columns);
      }
    }
  }
  if (p.past_caches) kernel.rows->end_stream();
}

}  // namespace

bool CanWalkByRows(const Int8Kernel& kernel) { return kChunkColumns % StripColumns(kernel) == 0; }

int64_t ChunkRows(const HostProduct& p) {
  const int64_t tile = TakesWideTiles(p, kChunkRows) ? p.kernel->wide_mr : p.kernel->mr;
  return std::max<int64_t>(1, kChunkRows / tile) * tile;
}

int64_t StripColumns(const Int8Kernel& kernel) {
  return kernel.run_wide == nullptr ? kernel.nr : int64_t{2} * kernel.nr;
}

void ReserveForTiles(const HostProduct& p, int64_t rows, TaskMemory* memory) {
  if (p.b == nullptr) {
    const int64_t columns = p.walk_packs ? p.columns_packed : p.problem->n;
    memory->columns.Reset(*p.kernel, RightLayout(*p.kernel, p.problem->k, columns), 1,
                          p.walk_packs ? p.block_groups : p.groups);
    memory->packed_matrix = -1;
  }
  if (p.by_rows && !p.walk_packs) {
    memory->lines.Reserve(static_cast<size_t>(RowWriter::BytesFor(ChunkRows(p), kChunkBytes)));
  } else if (p.block_groups < p.groups) {
    const int64_t columns = p.walk_packs ? p.columns_packed : StripColumns(*p.kernel);
    const int64_t numbers = std::max(rows * columns, RowTileColumns(*p.kernel));
    memory->sums.Reserve(static_cast<size_t>(numbers) * sizeof(int32_t));
  }
}

void ComputeTiles(const ReadyRectangle& rectangle, TaskMemory* memory) {
  const Int8Kernel& kernel = *rectangle.product.kernel;
  if (kernel.begin != nullptr) kernel.begin();
  if (rectangle.product.walk_packs) {
    WalkAndPack(rectangle, memory);
  } else if (rectangle.product.by_rows) {
    WalkRows(rectangle, memory);
  } else {
    WalkStrips(rectangle, memory->sums.data<int32_t>());
  }
  if (kernel.end != nullptr) kernel.end();
}

}  // namespace tilewave::device::host
