#include "program/nearest_fit.h"

#include <algorithm>
#include <functional>

#include "base/checked_math.h"
#include "program/array_builder.h"
#include "program/lower.h"
#include "program/lower_whole_array.h"
#include "program/program_checker.h"

namespace tilewave::program {
namespace {

/// The largest value from `low` to `high` for which `fits` says yes, if what fits is all below
/// some value. Nothing if not even `low` does.
std::optional<int64_t> LargestThat(int64_t low, int64_t high,
                                   const std::function<bool(int64_t)>& fits) {
  if (low > high || !fits(low)) return std::nullopt;
  while (low < high) {
    const int64_t middle = high - ((high - low) / 2);
    if (fits(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

class Search {
 public:
  explicit Search(const DesignSpec& spec)
      : spec_(spec), block_(BlockShapeOf(spec)), npu_(arch::NpuOf(spec.arch)) {}

  std::optional<DesignSpec> Run() const {
    if (Fits(spec_)) return std::nullopt;
    if (std::optional<DesignSpec> found = WithLessInMemoryTiles(spec_)) return found;
    const std::optional<int64_t> k_blocks =
        LargestThat(1, (spec_.tile_k / block_.depth) - 1, [this](int64_t blocks) {
          return WithLessInMemoryTiles(WithTileK(spec_, blocks * block_.depth)).has_value();
        });
    if (k_blocks) return WithLessInMemoryTiles(WithTileK(spec_, *k_blocks * block_.depth));
    if (std::optional<DesignSpec> found = Shrink(/*k_too=*/false)) return found;
    return Shrink(/*k_too=*/true);
  }

 private:
  /// The budget of a design, as LowerWholeArray spends it. The result of the search is lowered and
  /// judged, so this decides what is tried, not what is legal.
  bool Fits(const DesignSpec& spec) const {
    return CoreBytes(spec) <= npu_.core.memory_bytes &&
           MemoryTileBytes(spec) <= npu_.memory.memory_bytes &&
           MostDescriptors(spec) <= npu_.memory.descriptors / 2;
  }

  static int64_t CoreBytes(const DesignSpec& spec) {
    const int64_t sums = AlignedBytes(spec.tile_m * spec.tile_n * OutputBytes(TileOutput::kS32));
    const int64_t out = AlignedBytes(spec.tile_m * spec.tile_n * OutputBytes(spec.output));
    int64_t c = spec.c_buffers * out;
    if (IsRequantised(spec.output)) c = spec.c_buffers == 2 ? sums + out : sums;
    const int64_t parameters = AlignedBytes(arch::kWordBytes);  // One line, however many.
    return AlignedBytes(spec.stack_bytes) + parameters +
           (kInputDepth *
            (AlignedBytes(spec.tile_m * spec.tile_k) + AlignedBytes(spec.tile_k * spec.tile_n))) +
           c;
  }

  int64_t MemoryTileBytes(const DesignSpec& spec) const {
    const int64_t k_mt = MemoryTileK(spec);
    const int64_t rows = CoreRows(spec);
    const int64_t out = AlignedBytes(spec.tile_m * spec.tile_n * OutputBytes(spec.output));
    return (kInputDepth * ((MostFedRows() * AlignedBytes(spec.tile_m * k_mt)) +
                           AlignedBytes(k_mt * spec.tile_n))) +
           (rows * spec.c_buffers * out);
  }

  /// Of the pools of even and odd channels the fuller one.
  int64_t MostDescriptors(const DesignSpec& spec) const {
    const int64_t fed = MostFedRows();
    const int64_t rows = CoreRows(spec);
    const int64_t row_of_a = kInputDepth * (MemoryTileK(spec) / spec.tile_k);
    const int64_t c_in = rows / 2 * spec.c_buffers;
    const int64_t even = (fed * kInputDepth) + ((fed + 1) / 2 * row_of_a) + c_in + kInputDepth;
    const int64_t odd = kInputDepth + (fed / 2 * row_of_a) + c_in + (rows * spec.c_buffers);
    return std::max(even, odd);
  }

  int64_t MostFedRows() const {
    int most = 0;
    for (int c = 0; c < spec_.columns; ++c) most = std::max(most, FedRowsOf(spec_, c).count);
    return most;
  }

  /// The spec with another tile_k, and the k_mt it asked for or the next smaller one that is a
  /// multiple.
  static DesignSpec WithTileK(DesignSpec spec, int64_t tile_k) {
    if (spec.k_mt != 0) spec.k_mt = std::max(spec.k_mt / tile_k, int64_t{1}) * tile_k;
    spec.tile_k = tile_k;
    return spec;
  }

  /// The largest k_mt up to the spec's own with which it fits.
  std::optional<DesignSpec> WithLessInMemoryTiles(DesignSpec spec) const {
    const auto with = [&spec](int64_t tiles) {
      DesignSpec changed = spec;
      if (spec.k_mt != 0) changed.k_mt = tiles * spec.tile_k;
      return changed;
    };
    const std::optional<int64_t> tiles =
        LargestThat(1, MemoryTileK(spec) / spec.tile_k,
                    [this, &with](int64_t count) { return Fits(with(count)); });
    if (!tiles) return std::nullopt;
    return with(*tiles);
  }

  std::optional<DesignSpec> Shrink(bool k_too) const {
    DesignSpec spec = spec_;
    for (;;) {
      if (std::optional<DesignSpec> found = WithLessInMemoryTiles(spec)) return found;
      const int64_t longest = std::max({spec.tile_m, spec.tile_n, k_too ? spec.tile_k : 0});
      if (k_too && spec.tile_k == longest && longest > block_.depth) {
        spec = WithTileK(spec, longest - block_.depth);
      } else if (spec.tile_m >= spec.tile_n && spec.tile_m > block_.rows) {
        spec.tile_m -= block_.rows;
      } else if (spec.tile_n > block_.columns) {
        spec.tile_n -= block_.columns;
      } else {
        return std::nullopt;
      }
    }
  }

  const DesignSpec& spec_;
  const BlockShape block_;
  const arch::Npu& npu_;
};

}  // namespace

std::optional<DesignSpec> NearestFit(const DesignSpec& spec) {
  if (spec.family != DesignFamily::kWholeArray || !Lower(spec).ok()) return std::nullopt;
  std::optional<DesignSpec> found = Search(spec).Run();
  if (!found) return std::nullopt;
  const Result<ArrayProgram> program = Lower(*found);
  if (!program.ok() || !CheckProgram(*program, arch::NpuOf(spec.arch)).empty()) return std::nullopt;
  return found;
}

}  // namespace tilewave::program
