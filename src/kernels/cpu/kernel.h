#pragma once

// The contract of a CPU microkernel. Plain data only, so that kernel files need nothing else.

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/few_rows.h"
#include "kernels/cpu/row_functions.h"
#include "pack/panels.h"

namespace tilewave::kernels::cpu {

/// Operands meet in groups along K, 4 bytes of A each: how groups are read and multiplied.
enum class Form : uint8_t {
  kU8xS8,    ///< Four u8 of A times four s8 of B (x86 VNNI).
  kS8xS8,    ///< Four s8 times four s8 (Arm dot product).
  kAnyxS8,   ///< Four s8 or u8 of A, as TileArgs::a_signed says, times four s8 (AMX).
  kS16xS8,   ///< Two s16 of A, zero points already subtracted, times two s8 (AVX2); SelfProducts.
  kS16xS16,  ///< Two s16 times two s16, zero points already subtracted.
};

inline constexpr int kGroupBytes = 4;  ///< Of A.

/// Whether elements of A are widened to s16 and lose their zero points on the way.
constexpr bool WidensA(Form form) { return form == Form::kS16xS8 || form == Form::kS16xS16; }

/// Elements of K in a group.
constexpr int GroupElements(Form form) { return WidensA(form) ? 2 : 4; }

/// Bytes of a column of B in a group.
constexpr int GroupBytesOfB(Form form) { return form == Form::kS16xS8 ? 2 : 4; }

/// One tile of sums: `rows` (by choice of function) rows of A times one panel of B.
/// sums(r, j) = init[r * init_stride + j] + sum over groups of A's group g of row r times B's group
/// g of column j, modulo 2^32; more with SelfProducts, see there. Written for j < columns; nothing
/// else of C is touched. Products are formed for all nr columns.
struct TileArgs {
  const std::byte* a;  ///< Group g of row r stands at a + r * a_stride + 4 * g; any alignment.
  int64_t a_stride;    ///< Bytes from row to row.
  /// Group g of column j at b + (g * nr + j) * GroupBytesOfB; aligned to 16 times those.
  const std::byte* b;
  int64_t groups;       ///< At least 1.
  const int32_t* init;  ///< nr readable numbers for each row; any alignment of 4.
  int64_t init_stride;  ///< In numbers; 0: all rows begin alike.
  int32_t* c;           ///< sums(r, j) go to c[r * c_stride + j]; may be `init` itself.
  int64_t c_stride;     ///< In numbers.
  int columns;          ///< 1 .. nr; of a wide tile nr + 1 .. 2 * nr; of a row tile all.
  uint8_t flip = 0;     ///< XORed to every byte of A, by kernels with `flips`; others ignore it.
  bool flips_free = false;  ///< Flipping costs nothing on this CPU, even by 0; a hint.
  bool a_signed = false;    ///< kAnyxS8: bytes of A are s8; others ignore it.
  int64_t b_next = 0;       ///< Wide and row tiles: bytes from a panel to the next.
  /// Lines that may be fetched meanwhile, these with the first group; a hint. Null: none.
  const std::byte* ahead[2] = {};
  int64_t ahead_step = 0;  ///< Bytes from those to the next,
  int ahead_shift = 0;     ///< which come with every 2^ahead_shift groups.
  int64_t b_ahead =
      0;  ///< Bytes from a group of columns to one that may be fetched with it; a hint.
  int64_t a_ahead = 0;  ///< Bytes from `a` to rows that may be fetched meanwhile; a hint.
  /// Where elements of C as large as sums will go, which may be fetched meanwhile, smaller ones if
  /// a row of sums is no longer than a line; a hint. Null: there is nothing to fetch.
  const std::byte* out = nullptr;
  int64_t out_stride = 0;  ///< Bytes from row to row.
  /// Bytes from a row of A to an s32, aligned to 4, that its sums begin with besides `init`; 0:
  /// there is none. Kernels with SelfProducts; others ignore it.
  int64_t row_start = 0;
};
using TileFunction = void (*)(const TileArgs&);

/// A fast twin of pack::PackBytes for panels of this kernel's nr columns and its groups.
using PackBytesFunction = void (*)(const pack::PanelSource& source, int64_t k, int64_t columns,
                                   uint8_t flip, std::byte* panel, int32_t* sums);

/// For kernels that multiply sums of elements of A and B (S. Winograd, "A New Algorithm for Inner
/// Product", IEEE Trans. Computers C-17, 1968): of four elements of K,
///   a0 b0 + a1 b1 + a2 b2 + a3 b3 + a0 a2 + a1 a3 + b0 b2 + b1 b3
///     = (a0 + b2) (a2 + b0) + (a1 + b3) (a3 + b1),
/// two multiplications and four additions for four and none. Their tiles' sums come with what A and
/// B add here, the self products of a row and of a column, from every two groups, counted from the
/// tile's first. Callers make sums begin without it: with TileArgs::row_start and `init`. No
/// element of A is beyond +-32639, so that sums of two elements are s16.
struct SelfProducts {
  /// Writes what row_start wants behind the `groups` groups of each row: -(its self product),
  /// modulo 2^32. Rows stand `stride` bytes apart.
  void (*start_rows)(std::byte* rows, int64_t stride, int64_t count, int64_t groups);
  /// init[j] -= the self product of column j of a panel, modulo 2^32, for all nr columns.
  void (*subtract_columns)(const std::byte* panel, int64_t groups, int32_t* init);
};

/// Groups that make a self product. Blocks of K begin at a multiple of them.
inline constexpr int64_t kSelfGroups = 2;

/// What a kernel needs of the CPU.
enum class Isa : uint8_t { kBaseline, kNeonDot, kAvx2, kAvxVnni, kAvx512Vnni, kAmxInt8 };

/// One row of the table.
struct Int8Kernel {
  const char* name;  ///< Int8Gemm_<isa>_<mr>x<nr>
  Isa isa;
  bool test_only;  ///< Odd shapes that keep the generic code honest; never chosen by itself.
  Form form;
  int mr;                   ///< Most rows of a tile.
  int nr;                   ///< Columns of a panel.
  const TileFunction* run;  ///< run[r - 1] computes r rows, for r in 1 .. mr.
  const RowFunctions* rows;
  PackBytesFunction pack_bytes = nullptr;  ///< Null: pack::PackBytes.
  bool flips = false;                      ///< Applies TileArgs::flip, as a rule at no cost.

  /// Wide tiles take two neighbouring panels at a time: run_wide[r - 1] computes r rows, for r in
  /// 1 .. wide_most, and wide_mr rows are best. Null: there are none.
  const TileFunction* run_wide = nullptr;
  int wide_mr = 0;
  int wide_most = 0;
  /// With more rows at a time tiles are not wide, but with wide_groups; 0: any.
  int wide_product_rows = 0;

  /// A row tile takes one row and row_panels neighbouring panels, all columns of them. Null: none.
  TileFunction run_row = nullptr;
  int row_panels = 0;

  FewRowsFunction few_rows = nullptr;  ///< Null: B is always packed.

  /// What a thread calls before its first tile, and after the last one. Null: nothing.
  void (*begin)() = nullptr;
  void (*end)() = nullptr;

  /// So fast that memory is the limit: rows of A should begin with cache lines and be spread over
  /// the sets of the L1 cache, and C be written line after line.
  bool wants_lines = false;

  /// Flips with what multiplies, on CPUs with arch::Cpu::few_vector_ports.
  bool flip_competes = false;

  /// About how many times as fast as AVX512-VNNI: by that, how much work is worth a thread.
  int speed = 1;

  /// With exactly so many groups of K, tiles are wide however many rows there are. 0: never.
  int wide_groups = 0;

  const SelfProducts* self = nullptr;  ///< Null: sums are of products of A and B alone.
};

/// Largest tile of the table, wide ones and row tiles among them, and largest nr: what callers
/// provide for.
inline constexpr int kMaxTile = 2048;
inline constexpr int kMaxColumns = 64;       ///< Of a panel.
inline constexpr int kMaxTileColumns = 128;  ///< Of any tile.

}  // namespace tilewave::kernels::cpu
