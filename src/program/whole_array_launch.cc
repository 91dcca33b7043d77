#include "program/whole_array_launch.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/checked_math.h"
#include "program/lower_whole_array.h"
#include "program/stream_writer.h"

namespace tilewave::program {
namespace {

// Descriptors of one round on one shim tile, and rounds that have their own: one more than wait.
constexpr int kDescriptorsPerRound = 3;
constexpr int kDescriptorSets = kRoundsInFlight + 1;

// Of one round in one column: three block writes of a descriptor, address patches, queue writes and
// token waits.
constexpr int64_t kRoundBytes = int64_t{3} * (12 + 12 + 6 + 4) * arch::kWordBytes;

// Arguments of the launch.
constexpr int kArgumentA = 0;
constexpr int kArgumentB = 1;
constexpr int kArgumentC = 2;

constexpr int64_t Words(int64_t bytes) { return bytes / arch::kWordBytes; }

/// Largest number of rows that divides `rows`, fits a wrap, and whose step to the next such group
/// fits a step. At least 1.
int64_t RowsPerGroup(int64_t rows, int64_t row_step_words, const arch::TileLimits& shim) {
  const int64_t most =
      std::min(shim.max_wrap[1], shim.max_step_words / std::max<int64_t>(row_step_words, 1));
  for (int64_t group = std::min(rows, most); group > 1; --group) {
    if (rows % group == 0) return group;
  }
  return 1;
}

/// One block of rows and some blocks of columns of one matrix.
struct Round {
  int64_t index = 0;
  int64_t matrix = 0;
  int64_t row_block = 0;
  int64_t column_block = 0;  ///< First of them.
  int64_t column_blocks = 1;
};

/// Hands the operations of a launch to a sink, one by one, whose Take says whether to go on.
template <typename Sink>
class Emitter {
 public:
  Emitter(const ArrayProgram& program, const ProductShape& shape, const ImageLayout& layout,
          Sink* sink)
      : program_(program),
        spec_(program.spec),
        shape_(shape),
        layout_(layout),
        shim_(arch::NpuOf(program.spec.arch).shim),
        k_mt_(MemoryTileK(program.spec)),
        sink_(sink) {
    const int64_t tile_k = spec_.b_layout == BLayout::kRowMajor ? 1 : layout.k_padded;
    b_step_words_ = Words(spec_.columns * spec_.tile_n * tile_k);
    const bool moves = b_step_words_ <= shim_.max_step_words;
    // A is repeated and B and C move on, as often as an iteration counts; B's steps may be too
    // long.
    blocks_per_round_ = moves ? shim_.max_iterations : 1;
    rounds_per_row_ = base::CeilDiv(layout.column_blocks, blocks_per_round_);
    rounds_ = layout.c_matrices * layout.row_blocks * rounds_per_row_;
    if (spec_.b_layout == BLayout::kRowMajor) {
      rows_of_b_ = RowsPerGroup(layout.k_padded, Words(layout.n_padded), shim_);
    }
  }

  bool Emit() {
    const int64_t most = arch::kInstructionHeapBytes / (kRoundBytes * spec_.columns);
    if (rounds_ > most) {
      status_ = {StatusCode::kOutOfRange,
                 fmt::format("the stream of this product has {} rounds of tasks; at most {} fit "
                             "the {} bytes that a device has for instructions; cut it into several "
                             "products",
                             rounds_, most, arch::kInstructionHeapBytes)};
      return false;
    }
    for (int64_t r = 0; r < rounds_; ++r) {
      const Round round = RoundAt(r);
      for (int c = 0; c < spec_.columns; ++c) {
        if (r >= kRoundsInFlight && !Await(c)) return false;
        if (!FeedA(round, c) || !FeedB(round, c)) return false;
        if (r > 0 && !DrainC(round, c)) return false;
      }
      if (r > 0) continue;
      // While the first tiles are on their way.
      if (!StartCores()) return false;
      for (int c = 0; c < spec_.columns; ++c) {
        if (!DrainC(round, c)) return false;
      }
    }
    for (int64_t r = std::max<int64_t>(0, rounds_ - kRoundsInFlight); r < rounds_; ++r) {
      for (int c = 0; c < spec_.columns; ++c) {
        if (!Await(c)) return false;
      }
    }
    return true;
  }

  /// Why Emit gave up, if the sink did not make it.
  const Status& status() const { return status_; }

 private:
  static Tile Shim(int column) { return {column, 0}; }
  bool Feeds(int column) const { return FedRowsOf(spec_, column).count > 0; }

  Round RoundAt(int64_t index) const {
    Round round;
    round.index = index;
    round.column_block = index % rounds_per_row_ * blocks_per_round_;
    round.column_blocks = std::min(blocks_per_round_, layout_.column_blocks - round.column_block);
    const int64_t row = index / rounds_per_row_;
    round.row_block = row % layout_.row_blocks;
    round.matrix = row / layout_.row_blocks;
    return round;
  }

  bool Transfer(const Round& round, const ChannelId& channel, int place, WriteDescriptor d) {
    d.tile = channel.tile;
    d.id = static_cast<int>(round.index % kDescriptorSets) * kDescriptorsPerRound + place;
    if (!sink_->Take(d)) return false;
    return sink_->Take(
        PushTask{channel, d.id, static_cast<int>(round.column_blocks), /*token=*/true});
  }

  /// Drops iterations that do not happen.
  Dim Iteration(const Round& round, int64_t step_words) const {
    return round.column_blocks > 1 ? Dim{round.column_blocks, step_words} : Dim{1, 1};
  }

  bool FeedA(const Round& round, int column) {
    const FedRows fed = FedRowsOf(spec_, column);
    if (fed.count == 0) return true;
    const int64_t row = ((round.row_block * CoreRows(spec_)) + fed.first) * spec_.tile_m;
    const int64_t matrix = shape_.a_shared ? 0 : round.matrix;
    WriteDescriptor d;
    d.argument = kArgumentA;
    d.offset_bytes = (matrix * layout_.a_bytes) + (row * layout_.a_row_bytes);
    d.length_words = Words(fed.count * spec_.tile_m * layout_.k_padded);
    d.dims = {{Words(k_mt_), 1},
              {fed.count * spec_.tile_m, Words(layout_.a_row_bytes)},
              {layout_.k_padded / k_mt_, Words(k_mt_)}};
    return Transfer(round, {Shim(column), Direction::kMm2s, 0}, kArgumentA, d);
  }

  bool FeedB(const Round& round, int column) {
    const int64_t tile = (round.column_block * spec_.columns) + column;
    const int64_t matrix = shape_.b_shared ? 0 : round.matrix;
    WriteDescriptor d;
    d.argument = kArgumentB;
    d.offset_bytes = matrix * layout_.b_bytes;
    d.length_words = Words(layout_.k_padded * spec_.tile_n);
    switch (spec_.b_layout) {
      case BLayout::kRowMajor:
        d.offset_bytes += tile * spec_.tile_n;
        d.dims = {{Words(spec_.tile_n), 1},
                  {rows_of_b_, Words(layout_.n_padded)},
                  {layout_.k_padded / rows_of_b_, rows_of_b_ * Words(layout_.n_padded)}};
        break;
      case BLayout::kColumnMajor:
        d.offset_bytes += tile * spec_.tile_n * layout_.k_padded;
        d.dims = {{Words(k_mt_), 1},
                  {spec_.tile_n, Words(layout_.k_padded)},
                  {layout_.k_padded / k_mt_, Words(k_mt_)}};
        break;
      case BLayout::kPacked:
        d.offset_bytes += tile * spec_.tile_n * layout_.k_padded;
        break;
    }
    d.iteration = Iteration(round, b_step_words_);
    return Transfer(round, {Shim(column), Direction::kMm2s, 1}, kArgumentB, d);
  }

  bool DrainC(const Round& round, int column) {
    const int64_t element = OutputBytes(spec_.output);
    const int64_t rows = CoreRows(spec_) * spec_.tile_m;
    const int64_t tile = (round.column_block * spec_.columns) + column;
    WriteDescriptor d;
    d.argument = kArgumentC;
    d.offset_bytes =
        (round.matrix * layout_.c_bytes) +
        (((round.row_block * rows * layout_.n_padded) + (tile * spec_.tile_n)) * element);
    d.length_words = Words(rows * spec_.tile_n * element);
    d.dims = {{Words(spec_.tile_n * element), 1}, {rows, Words(layout_.n_padded * element)}};
    d.iteration = Iteration(round, Words(spec_.columns * spec_.tile_n * element));
    return Transfer(round, {Shim(column), Direction::kS2mm, 0}, kArgumentC, d);
  }

  /// Everything that one round has started in a column. C comes last of what it depends on, so the
  /// others have their tokens by then.
  bool Await(int column) {
    const Tile shim = Shim(column);
    if (!sink_->Take(AwaitToken{{shim, Direction::kS2mm, 0}})) return false;
    if (!sink_->Take(AwaitToken{{shim, Direction::kMm2s, 1}})) return false;
    if (!Feeds(column)) return true;
    return sink_->Take(AwaitToken{{shim, Direction::kMm2s, 0}});
  }

  bool StartCores() {
    for (const Parameter& parameter : program_.parameters) {
      const std::optional<uint32_t> value = ValueOf(parameter.name);
      if (!value) return false;
      if (!sink_->Take(WriteParameter{parameter.tile, parameter.address, *value})) return false;
    }
    for (const Lock& lock : program_.locks) {
      if (lock.name == "start" && !sink_->Take(SetLock{lock.tile, lock.id, 1})) return false;
    }
    return true;
  }

  std::optional<uint32_t> ValueOf(const std::string& parameter) {
    int64_t value = 0;
    if (parameter == "tiles") {
      value = layout_.c_matrices * layout_.row_blocks * layout_.column_blocks;
    } else if (parameter == "k_steps") {
      value = layout_.k_padded / spec_.tile_k;
    } else if (parameter == "shift") {
      value = shape_.requant.shift;
    } else if (parameter == "rounding") {
      value = static_cast<int64_t>(shape_.requant.rounding);
    } else if (parameter == "saturation") {
      value = static_cast<int64_t>(shape_.requant.saturation);
    }
    if (value < 0 || value > std::numeric_limits<uint32_t>::max()) {
      status_ = {StatusCode::kOutOfRange,
                 fmt::format("a launch with {} = {}; at most {}", parameter, value,
                             std::numeric_limits<uint32_t>::max())};
      return std::nullopt;
    }
    return static_cast<uint32_t>(value);
  }

  const ArrayProgram& program_;
  const DesignSpec& spec_;
  const ProductShape& shape_;
  const ImageLayout& layout_;
  const arch::TileLimits& shim_;
  const int64_t k_mt_;
  Sink* sink_;
  Status status_;
  int64_t b_step_words_ = 0;  ///< From a block of columns to the next.
  int64_t blocks_per_round_ = 1;
  int64_t rounds_per_row_ = 1;  ///< Of blocks.
  int64_t rounds_ = 0;
  int64_t rows_of_b_ = 1;
};

/// Takes operations straight into words.
struct Encoder {
  template <typename Op>
  bool Take(const Op& op) {
    return writer.Add(op);
  }
  StreamWriter writer;
};

}  // namespace

Result<ImageLayout> ImageLayoutOf(const DesignSpec& spec, const ProductShape& shape) {
  // Any extent that a view can have, rounded up, stays below this.
  constexpr int64_t kMost = int64_t{1} << 62;
  const int64_t m_block = spec.tile_m * CoreRows(spec);
  const int64_t n_block = spec.tile_n * spec.columns;
  const int64_t k_mt = MemoryTileK(spec);
  if (std::max({shape.m, shape.k, shape.n, shape.batch}) > kMost / 2) {
    return Status(StatusCode::kOutOfRange, "the images of this product overflow 62 bits");
  }
  ImageLayout layout;
  layout.m_padded = base::RoundUp(shape.m, m_block);
  layout.k_padded = base::RoundUp(shape.k, k_mt);
  layout.n_padded = base::RoundUp(shape.n, n_block);
  layout.row_blocks = layout.m_padded / m_block;
  layout.column_blocks = layout.n_padded / n_block;
  layout.a_matrices = shape.a_shared ? 1 : shape.batch;
  layout.b_matrices = shape.b_shared ? 1 : shape.batch;
  layout.c_matrices = shape.batch;
  layout.a_row_bytes = shape.a_row_bytes > 0 ? shape.a_row_bytes : layout.k_padded;
  const std::optional<int64_t> a =
      base::CheckedProduct({layout.m_padded, layout.a_row_bytes, layout.a_matrices});
  const std::optional<int64_t> b =
      base::CheckedProduct({layout.k_padded, layout.n_padded, layout.b_matrices});
  const std::optional<int64_t> c = base::CheckedProduct(
      {layout.m_padded, layout.n_padded, OutputBytes(spec.output), layout.c_matrices});
  if (!a || !b || !c || std::max({*a, *b, *c}) > kMost) {
    return Status(StatusCode::kOutOfRange, "the images of this product overflow 62 bits");
  }
  layout.a_bytes = shape.a_row_bytes > 0 ? shape.a_matrix_bytes : *a / layout.a_matrices;
  layout.b_bytes = *b / layout.b_matrices;
  layout.c_bytes = *c / layout.c_matrices;
  return layout;
}

Result<Sequence> WholeArraySequence(const ArrayProgram& program, const ProductShape& shape,
                                    const ImageLayout& layout) {
  struct Appender {
    bool Take(const SequenceOp& op) {
      sequence.push_back(op);
      return true;
    }
    Sequence sequence;
  };
  Appender appender;
  Emitter emitter(program, shape, layout, &appender);
  if (!emitter.Emit()) return emitter.status();
  return std::move(appender.sequence);
}

Status EncodeWholeArray(const ArrayProgram& program, const ProductShape& shape,
                        const ImageLayout& layout, std::vector<uint32_t>* words) {
  Encoder encoder{StreamWriter(arch::NpuOf(program.spec.arch), {}, words)};
  Emitter emitter(program, shape, layout, &encoder);
  if (!emitter.Emit()) {
    return encoder.writer.status().ok() ? emitter.status() : encoder.writer.status();
  }
  return encoder.writer.Finish();
}

}  // namespace tilewave::program
