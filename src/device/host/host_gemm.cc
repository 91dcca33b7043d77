#include "device/host/host_gemm.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/checked_math.h"
#include "base/clock.h"
#include "base/quick_copy.h"
#include "core/dynamic_scan.h"
#include "device/host/few_columns_product.h"
#include "device/host/few_rows_product.h"
#include "device/host/fold_batch.h"
#include "device/host/tile_walk.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::EpilogueMode;
using kernels::cpu::Form;
using kernels::cpu::Int8Kernel;

// In multiply-adds, as fast as AVX512-VNNI does them (Int8Kernel::speed).
// Below this many a product is over before a second thread has joined it.
constexpr int64_t kSmallestSharedMacs = int64_t{1} << 19;
// Below this, waking a thread takes longer than the product, whoever may come next.
constexpr int64_t kSmallestExpectingMacs = int64_t{1} << 20;
// Below this, it is over before a sleeping thread has woken up (some 50 us).
constexpr int64_t kSmallestWakingMacs = int64_t{1} << 23;
// Several tasks for each thread even out what other programs take away from some of them, unless B
// is packed in the call and has few strips.
constexpr int64_t kTasksPerThread = 4;
constexpr int64_t kGroupsPerLine = 16;
static_assert(kGroupsPerLine % kernels::cpu::kSelfGroups == 0);  // Blocks of K cut none.
// Columns that the walk packs together: whole lines of a row-major B, and some for each page.
constexpr int64_t kColumnsPacked = 128;
constexpr int64_t kMostColumnsPacked = 1024;
// What a program may hope to keep of an L3 cache: larger ones are shared by many cores, and by
// other machines if this is a virtual one.
constexpr int64_t kMostL3Bytes = int64_t{32} << 20;
// With a K beyond this, writing C takes little of the time.
constexpr int64_t kLongestStreamedK = 1024;
// With a K up to this, a tile takes less time than fetching its lines of C; with the second one, if
// memory is the limit.
constexpr int64_t kLongestFetchingK = 256;
constexpr int64_t kLongestFetchingFastK = 384;
// With a K up to this, writing C takes so much of the time that it pays to write row by row. With
// 512-bit vectors on Intel's cores any K does, measured.
constexpr int64_t kLongestWritingK = 256;
// Rows of quantised bytes this long are kept apart from each other.
constexpr int64_t kShortestSpreadK = 256;
// Sums of few rows or columns, in the L1 cache. Intel's cores find them in the L2 cache as well,
// and then read longer pieces.
constexpr int64_t kFewSumsBytes = int64_t{16} << 10;
// CPUs do not look beyond a page, and not always far enough in it: so much further on, measured on
// Zen 3.
constexpr int64_t kLoneTileAhead = 4096;
// More of A than this is rather packed again, task by task.
constexpr int64_t kMostBytesOfRows = int64_t{64} << 20;
// So many rows pay for narrow tiles, which read B from farther caches (HasShortPanels).
constexpr int64_t kFewestRowsOfShortPanels = 128;
// A task that copies rows of C takes about this much.
constexpr int64_t kBytesCopied = int64_t{64} << 10;
// Rows of f32 that are quantised together, if B stays in the L2 cache: the next ones fit there,
// too.
constexpr int64_t kFloatsTogether = 24;
// By rows, a task has this part of the rows of A that fit beside its columns of B: they pass once.
constexpr int64_t kShareOfRows = 4;
// A task this small is not worth cutting for that.
constexpr int64_t kSmallestTaskMacs = int64_t{1} << 20;

EpilogueMode ModeOf(const core::Problem& p) {
  EpilogueMode mode;
  mode.c_type = p.c_type;
  mode.activation = p.activation;
  switch (p.requant) {
    case core::RequantKind::kNone:
      break;
    case core::RequantKind::kShift:
      mode.requant = EpilogueMode::Requant::kShift;
      break;
    case core::RequantKind::kScale:
      mode.requant = EpilogueMode::Requant::kScale;
      break;
  }
  mode.shift = p.shift;
  mode.requant_zero = p.requant_zero;
  return mode;
}

/// Strides that no element is reached by may be any number, and loops step once beyond the last
/// element: here they are harmless ones.
core::Problem WithoutIdleStrides(core::Problem p) {
  if (p.batch == 1) p.a.batch = p.b.batch = p.c.batch = 0;
  if (p.m == 1) p.a.row = p.c.row = 0;
  if (p.k == 1) p.a.col = p.b.row = 1;
  if (p.n == 1) p.b.col = p.c.col = 1;
  return p;
}

/// Groups of a block of K, of at most about `fitting`: blocks are about as large as each other.
int64_t EqualBlocks(int64_t groups, int64_t fitting) {
  return base::RoundUp(base::CeilDiv(groups, base::CeilDiv(groups, fitting)), kGroupsPerLine);
}

/// Groups of K that are multiplied before the next rows are: all, if so many columns of B with all
/// of K fit `bytes`, or are at most a third longer: putting sums aside between blocks costs some
/// percent of a block's time.
int64_t BlockGroups(int64_t bytes, int64_t columns, const Int8Kernel& kernel, int64_t groups) {
  const int64_t fitting =
      std::max<int64_t>(1, bytes / (columns * kernels::cpu::GroupBytesOfB(kernel.form)));
  return groups <= fitting + (fitting / 3) ? groups : EqualBlocks(groups, fitting);
}

/// Groups of K that a few rows are multiplied by at a time: so many that these rows stay in the L1
/// cache beside a strip of B and sums. Other kernels than those that want lines take all of K.
int64_t RowBlockGroups(int64_t l1_bytes, const Int8Kernel& kernel, int64_t groups) {
  const int64_t group_bytes = int64_t{kernel.mr} * kernels::cpu::kGroupBytes;
  if (!kernel.wants_lines || groups * group_bytes <= l1_bytes / 2) return groups;
  return EqualBlocks(groups, std::max(kGroupsPerLine, l1_bytes / 3 / group_bytes));
}

/// Whether one operand is read once, where it stands, and has no panels.
bool TakesFewVectors(const core::Problem& p, const Int8Kernel& kernel) {
  return TakesFewRows(p, kernel) || TakesFewColumns(p, kernel);
}

/// Whether C is too large to be found in a cache afterwards, and K so short that writing C is a
/// good part of the work. Kernels that widen A multiply so slowly that lines of C are fetched in
/// time (measured on Zen 3, with AVX2 and with SSE2: past the caches takes 1 to 30 % longer).
bool GoesPastCaches(const core::Problem& p, const arch::Cpu& cpu, const Int8Kernel& kernel) {
  const int64_t c_bytes = p.batch * p.m * p.n * static_cast<int64_t>(ElementBytes(p.c_type));
  return p.c.col == 1 && c_bytes > std::min(cpu.l3_bytes, kMostL3Bytes) &&
         p.k <= kLongestStreamedK && CanWalkByRows(kernel) && !kernels::cpu::WidensA(kernel.form);
}

/// Whether B stays in the L2 cache beside rows of A and C.
bool StaysInL2(const core::Problem& p, const arch::Cpu& cpu) {
  return p.k * p.n <= cpu.l2_bytes / 2;
}

/// Bytes of C from which on writing it row by row pays for reading B from the L2 cache for each few
/// rows, measured: the more the longer the products are.
int64_t FewestBytesByRows(const core::Problem& p, const arch::Cpu& cpu) {
  return std::min(cpu.l2_bytes * p.k / 128, 2 * cpu.l2_bytes);
}

/// Whether C is written a few rows at a time, line after line. That is what limits kernels that
/// want lines; not if B is larger than C and than what of it stays in the L2 cache: then strips of
/// it pass once. Others go by strips, unless C is so large that the next strip finds the lines that
/// it shares with the one before gone, and rows are so many that CPUs do not fetch ahead.
bool GoesByRows(const core::Problem& p, const HostProduct& product, const arch::Cpu& cpu) {
  const Int8Kernel& kernel = *product.kernel;
  if (p.c.col != 1 || product.block_groups != product.groups || !CanWalkByRows(kernel)) {
    return false;
  }
  const int64_t c_column_bytes = p.m * static_cast<int64_t>(ElementBytes(p.c_type));
  const bool b_stays = StaysInL2(p, cpu);
  if (kernel.wants_lines) {
    return p.m > kernel.wide_product_rows && (c_column_bytes > p.k || b_stays);
  }
  const bool writes =
      p.k <= kLongestWritingK || (kernel.run_wide != nullptr && cpu.few_vector_ports);
  return writes && b_stays && c_column_bytes * p.n >= FewestBytesByRows(p, cpu);
}

/// Whether an operand is f32.
bool Quantises(const core::Problem& p) {
  return p.quantise_a != core::Quantise::kNone || p.quantise_b != core::Quantise::kNone;
}

/// Int8Kernel::speed, where multiplying is most of the work: not with few rows or columns, which
/// wait for the other operand, nor with f32 operands.
int SpeedOf(const core::Problem& p, const Int8Kernel& kernel) {
  const bool waits = p.m <= kernel.wide_product_rows || TakesFewColumns(p, kernel);
  return Quantises(p) || waits ? 1 : kernel.speed;
}

/// How far a lone tile's columns are fetched ahead where B does not stay in the L2 cache.
int64_t LoneTileAhead(const core::Problem& p, const arch::Cpu& cpu) {
  return StaysInL2(p, cpu) ? 0 : kLoneTileAhead;
}

/// Whether tiles of one panel are faster than wide ones where wide ones are the rule: on Zen 4, as
/// long as a panel stays in the L1 cache, and all of B does, or rows are many (measured: by 1 %
/// with a K of 256 to 1024, by 4 % with 64; with 2048 slower by 2 %, and so with 24 to 48 rows).
bool HasShortPanels(const core::Problem& p, const arch::Cpu& cpu, const Int8Kernel& kernel) {
  return cpu.halves_vectors && kernel.run_wide != nullptr && kernel.wide_product_rows == 0 &&
         p.k * kernel.nr <= cpu.l1_bytes &&
         (p.k * p.n <= cpu.l1_bytes || p.m >= kFewestRowsOfShortPanels);
}

/// Whether a tile takes so little time that lines of C have to be under way from a cache that is
/// far away. Some of a C that takes two thirds of the L2 cache are no more there when they are
/// written again; with less, fetching them only takes time (measured with AMX; to AVX512-VNNI it
/// makes no difference there).
bool FetchesC(const core::Problem& p, const arch::Cpu& cpu, const Int8Kernel& kernel) {
  const int64_t longest_k = kernel.wants_lines ? kLongestFetchingFastK : kLongestFetchingK;
  return p.c_type == ElementType::kS32 && p.k <= longest_k &&
         p.batch * p.m * p.n * int64_t{sizeof(int32_t)} > cpu.l2_bytes / 3 * 2;
}

}  // namespace

HostGemm::HostGemm(const core::Problem& problem, HostResources* resources)
    : problem_(WithoutIdleStrides(problem)),
      resources_(resources),
      flip_a_(FlipOfA(resources->kernel.form, core::MultipliedA(problem))) {
  const int64_t macs = core::MacsOf(problem) / SpeedOf(problem, resources->kernel);
  if (macs >= kSmallestSharedMacs) {
    crew_.workers = resources->workers;
    if (macs >= kSmallestExpectingMacs) crew_.wake = base::Wake::kIfBusy;
    if (macs >= kSmallestWakingMacs) crew_.wake = base::Wake::kAlways;
  }
  product_.problem = &problem_;
  product_.kernel = &resources->kernel;
  product_.mode = ModeOf(problem);
  product_.groups = base::CeilDiv(problem.k, kernels::cpu::GroupElements(resources->kernel.form));
  product_.a = {{nullptr, problem_.a.row, problem_.a.col, problem_.a.batch},
                core::MultipliedA(problem),
                flip_a_,
                problem.k,
                nullptr};
  // Tiles read packed columns from the L2 cache as fast as they multiply.
  const arch::Cpu& cpu = resources->cpu;
  const int64_t strip = StripColumns(resources->kernel);
  product_.block_groups = BlockGroups(cpu.l2_bytes / 4, strip, resources->kernel, product_.groups);
  product_.rows_from_afar = problem.batch * problem.m * problem.k > resources->cpu.l2_bytes;
  product_.past_caches = GoesPastCaches(problem_, resources->cpu, resources->kernel);
  product_.by_rows = product_.past_caches || GoesByRows(problem_, product_, cpu);
  product_.row_block_groups = RowBlockGroups(cpu.l1_bytes, resources->kernel, product_.groups);
  product_.flips_free = cpu.halves_vectors;
  product_.short_panels = HasShortPanels(problem_, cpu, resources_->kernel);
  product_.near_columns = problem_.k * problem_.n <= cpu.l1_bytes / 4;
  product_.lone_tile_ahead = LoneTileAhead(problem_, cpu);
  product_.fetches_c = FetchesC(problem_, cpu, resources->kernel);
  product_.few_sums_bytes = cpu.few_vector_ports ? cpu.l2_bytes / 16 : kFewSumsBytes;
  cut_ = CutFor(crew_.threads(), macs);
  SetWalkPacks();
  quantises_row_by_row_ = QuantisesRowByRow();
  if (quantises_row_by_row_) SetFloatsTogether();
  if (const auto folded = FoldedBatch(problem_)) {
    folded_ = std::make_unique<const HostGemm>(*folded, resources);
  }
  with_dense_c_ = problem_;
  with_dense_c_.c = {problem_.n, 1, problem_.m * problem_.n};
}

/// What the walk packs together. Columns that it has just packed are best still in the L1 cache,
/// three quarters of it, beside rows of A; but not if putting sums aside then takes longer than
/// multiplying. Kernels that want lines read from the L2 cache as fast as from the L1 cache: that
/// is where long pieces of B's rows go then, as long as sums that wait fit beside. Long pieces also
/// pay for kernels that widen A, with few rows (measured on Zen 3: 17 to 32 of them 10 to 25 %).
void HostGemm::SetWalkPacks() {
  const Int8Kernel& kernel = resources_->kernel;
  const arch::Cpu& cpu = resources_->cpu;
  const int64_t strip = StripColumns(kernel);
  int64_t columns = kColumnsPacked;
  if (kernel.wants_lines || kernels::cpu::WidensA(kernel.form)) {
    const int64_t sums_bytes = kernel.wants_lines ? cpu.l2_bytes / 2 : cpu.l2_bytes / 4;
    const int64_t sums_fitting = sums_bytes / (cut_.rows * int64_t{sizeof(int32_t)});
    columns = std::clamp(sums_fitting / strip * strip, kColumnsPacked, kMostColumnsPacked);
  }
  product_.columns_packed = base::RoundUp(std::min(columns, cut_.columns), strip);
  walk_packs_groups_ =
      kernel.wants_lines
          ? BlockGroups(cpu.l2_bytes / 4, product_.columns_packed, kernel, product_.groups)
          : BlockGroups(cpu.l1_bytes / 4 * 3, strip, kernel, product_.groups);
}

/// Whether the bytes of A would leave the L2 cache, and are more than C, which goes to memory of
/// ours first and is then copied.
bool HostGemm::QuantisesRowByRow() const {
  const core::Problem& p = problem_;
  const Int8Kernel& kernel = resources_->kernel;
  const bool per_row = p.quantise_a == core::Quantise::kPerVector && p.a.col == 1;
  const bool rows_once = cut_.column_tasks == 1 && (p.batch == 1 || p.a.batch != 0);
  return per_row && rows_once && !kernels::cpu::WidensA(kernel.form) &&
         !TakesFewVectors(p, kernel) && p.c.col == 1 && !product_.past_caches &&
         product_.rows_from_afar && p.n * product_.element_bytes() < p.k;
}

/// Some f32 rows are quantised and multiplied while the next ones come from memory: in time, if B
/// stays in the L2 cache for each few rows (measured on Zen 4, 8 heads of 1500 x 1500 x 64: 1.2
/// times as fast; not on CPUs with AMX).
void HostGemm::SetFloatsTogether() {
  if (resources_->kernel.wants_lines || !StaysInL2(problem_, resources_->cpu)) return;
  product_.floats_together = kFloatsTogether;
  if (crew_.threads() > 1) return;
  cut_.rows = problem_.m;
  cut_.row_tasks = 1;
}

HostGemm::Cut HostGemm::CutFor(int threads, int64_t macs) const {
  const Int8Kernel& kernel = resources_->kernel;
  const int64_t row_bytes = base::CeilDiv(problem_.k, kernels::cpu::GroupElements(kernel.form)) *
                            kernels::cpu::kGroupBytes;
  // Half of the L2 cache for rows of A leaves room for panels of B and for C.
  const int64_t fitting = std::max<int64_t>(1, resources_->cpu.l2_bytes / 2 / row_bytes);
  const bool by_rows_alone = product_.by_rows && !product_.past_caches;
  Cut cut;
  cut.rows = std::min(
      problem_.m,
      base::RoundUp(by_rows_alone ? base::CeilDiv(fitting, kShareOfRows) : fitting, kernel.mr));
  cut.columns = problem_.n;
  if (product_.by_rows) {
    // Then it is columns of B that stay.
    cut.columns = std::min(cut.columns, base::RoundUp(fitting, StripColumns(kernel)));
  }
  if (threads > 1) {
    const int64_t wanted =
        std::clamp<int64_t>(macs / kSmallestTaskMacs, threads, kTasksPerThread * threads);
    const int64_t per_matrix = base::CeilDiv(wanted, problem_.batch);
    if (by_rows_alone) {
      ShareRows(per_matrix, threads, &cut);
    } else {
      ShareColumns(per_matrix, threads, &cut);
    }
  }
  cut.row_tasks = base::CeilDiv(problem_.m, cut.rows);
  cut.column_tasks = base::CeilDiv(problem_.n, cut.columns);
  return cut;
}

/// At least so many tasks for each matrix. Columns are cut first: rows that fit the L2 cache read
/// each strip of B once.
void HostGemm::ShareColumns(int64_t tasks, int threads, Cut* cut) const {
  const Int8Kernel& kernel = resources_->kernel;
  const int64_t strips = base::CeilDiv(problem_.n, StripColumns(kernel));
  // Then each thread packs columns that it alone multiplies by: they need not come from another
  // thread's cache. Not if some had a strip more than others.
  if (!problem_.b_prepacked && strips % threads == 0) tasks = std::min(tasks, strips);
  const int64_t shared =
      base::RoundUp(base::CeilDiv(problem_.m, base::CeilDiv(tasks, strips)), kernel.mr);
  cut->rows = std::min(cut->rows, shared);
  const int64_t row_tasks = base::CeilDiv(problem_.m, cut->rows);
  cut->rows = base::RoundUp(base::CeilDiv(problem_.m, row_tasks), kernel.mr);
  // As many for each thread, if all take as long.
  const int64_t column_tasks = base::CeilDiv(tasks, row_tasks);
  const bool even = problem_.batch * row_tasks * column_tasks % threads == 0;
  const int64_t columns =
      base::CeilDiv(problem_.n, even ? column_tasks : base::RoundUp(column_tasks, threads));
  cut->columns = std::min(cut->columns, base::RoundUp(columns, StripColumns(kernel)));
}

/// The same by rows: rows are cut first, so that all columns are computed from rows that have been
/// packed once; columns only where there are too few rows.
void HostGemm::ShareRows(int64_t tasks, int threads, Cut* cut) const {
  const Int8Kernel& kernel = resources_->kernel;
  const int64_t column_tasks = base::CeilDiv(problem_.n, cut->columns);
  const int64_t most = base::CeilDiv(problem_.m, kernel.mr);
  const int64_t shared = std::max(base::CeilDiv(tasks, column_tasks), problem_.m / cut->rows);
  const int64_t even = problem_.batch % threads == 0 ? shared : base::RoundUp(shared, threads);
  const int64_t row_tasks = std::min(even, most);
  cut->rows = std::min(cut->rows, base::RoundUp(base::CeilDiv(problem_.m, row_tasks), kernel.mr));
  const int64_t got = base::CeilDiv(problem_.m, cut->rows);
  if (got * column_tasks >= tasks) return;
  const int64_t columns = base::CeilDiv(problem_.n, base::CeilDiv(tasks, got));
  cut->columns = std::min(cut->columns, base::RoundUp(columns, StripColumns(kernel)));
}

Status HostGemm::Execute(const core::Operands& operands, const HostWeights* weights,
                         std::atomic<int64_t>* progress, int64_t* pack_ns) const {
  TW_CHECK_EQ(weights != nullptr, problem_.b_prepacked);
  if (folded_ != nullptr) {
    const auto folded = FoldedOperands(problem_, operands);
    // What is wrong is said below, in terms of the batch.
    if (folded && folded_->Execute(*folded, weights, progress, pack_ns).ok()) return {};
  }
  std::unique_ptr<Workspace> workspace = resources_->workspaces.Take();
  Status status;
  if (Quantises(problem_)) {
    core::Operands scaled = operands;
    status = ExecuteIn(scaled, &scaled, weights, progress, workspace.get(), pack_ns);
  } else {
    status = ExecuteIn(operands, nullptr, weights, progress, workspace.get(), pack_ns);
  }
  resources_->workspaces.GiveBack(std::move(workspace));
  return status;
}

/// An f32 A as bytes, or left to be quantised, row by row, in `rows`.
Status HostGemm::QuantiseLeft(core::Operands* operands, Workspace* workspace,
                              std::optional<FloatRows>* rows, HostProduct* product) const {
  const Int8Kernel& kernel = resources_->kernel;
  const core::FloatOperand x = core::FloatOperandA(problem_, *operands);
  core::DynamicScales scales;
  if (quantises_row_by_row_) {
    scales = ScalesIn(x, &workspace->scales_a);
    rows->emplace(x, scales);
    product->a.floats = &**rows;
    workspace->unchecked_c.Reserve(
        static_cast<size_t>(problem_.batch * with_dense_c_.c.batch * product->element_bytes()));
    product->problem = &with_dense_c_;
    product->c = workspace->unchecked_c.data();
    product->progress = nullptr;  // CopyToC counts.
  } else {
    // Padding is a small part of longer rows.
    const int64_t stride =
        problem_.k < kShortestSpreadK ? problem_.k : SpreadRowStride(kernel, problem_.k);
    const ByteForm form{TakesFewVectors(problem_, kernel) ? uint8_t{0} : flip_a_, stride};
    Status s = QuantiseOperand(x, form, *kernel.rows, Before(), &workspace->scales_a,
                               &workspace->bytes_a, &scales, &product->a.bytes);
    if (!s.ok()) return s;
    product->a.flip = 0;
  }
  core::UseScalesA(x, scales, operands);
  return {};
}

/// An f32 B as bytes.
Status HostGemm::QuantiseRight(core::Operands* operands, Workspace* workspace,
                               RightSource* right) const {
  const core::FloatOperand x = core::FloatOperandB(problem_, *operands);
  core::DynamicScales scales;
  ByteOperand bytes;
  Status s = QuantiseOperand(x, {}, *resources_->kernel.rows, Before(), &workspace->scales_b,
                             &workspace->bytes_b, &scales, &bytes);
  if (!s.ok()) return s;
  core::UseScalesB(x, scales, operands);
  *right = {bytes.data,          ElementType::kS8,   bytes.k_stride,
            bytes.vector_stride, bytes.batch_stride, operands->zero_b};
  return {};
}

/// `scaled`: the operands, in memory that scales found here may be written to; null if none are.
Status HostGemm::ExecuteIn(const core::Operands& operands, core::Operands* scaled,
                           const HostWeights* weights, std::atomic<int64_t>* progress,
                           Workspace* workspace, int64_t* pack_ns) const {
  const int64_t start_ns = pack_ns == nullptr ? 0 : base::WallNowNs();
  const auto packed = [&] {
    if (pack_ns != nullptr) *pack_ns = base::WallNowNs() - start_ns;
  };
  const Int8Kernel& kernel = resources_->kernel;
  base::QuickCopy<HostProduct> copy(product_);
  HostProduct& product = *copy;
  product.c = operands.c;
  product.progress = progress;
  // The caller's C is written when all f32 operands are known to be finite.
  std::optional<FloatRows> float_rows;
  product.a.bytes.data = static_cast<const uint8_t*>(operands.a);
  if (problem_.quantise_a != core::Quantise::kNone) {
    if (Status s = QuantiseLeft(scaled, workspace, &float_rows, &product); !s.ok()) return s;
  }
  RightSource right = RightSourceOf(problem_, operands);
  if (problem_.quantise_b != core::Quantise::kNone) {
    if (Status s = QuantiseRight(scaled, workspace, &right); !s.ok()) {
      // A comes first in what is said, too.
      Status first;
      if (float_rows) first = core::ScanDynamicScales(float_rows->x, float_rows->scales);
      return first.ok() ? s : first;
    }
  }
  FillParameters(operands, workspace, &product);
  if (TakesFewRows(problem_, kernel)) {
    packed();
    ComputeFewRows(product, operands, right, crew_, workspace);
    return {};
  }
  if (TakesFewColumns(problem_, kernel)) {
    packed();
    ComputeFewColumns(product, operands, right, crew_, workspace);
    return {};
  }
  const std::span<TaskMemory> members = workspace->MembersFor(crew_.threads());
  // One matrix with different zero points in each of the batch is as many packed ones.
  const bool one_b = problem_.b.batch == 0 && right.zero.batch_stride == 0;
  product.b_matrices = one_b ? 1 : problem_.batch;
  FillZeroA(operands, workspace, &product);
  const bool begins = weights == nullptr && BeginsWithSums(operands, right, product);
  product.walk_packs = begins && WalkPacks(product);
  if (weights != nullptr) {
    product.b = &weights->packed();
  } else if (product.walk_packs || (begins && EachPacks())) {
    product.b_source = &right;
    if (product.walk_packs) product.block_groups = walk_packs_groups_;
  } else {
    PackRight(right, product.b_matrices, workspace);
    product.b = &workspace->right;
  }
  product.any_zero_b = PackedRight::AnyZero(right, kernel);
  product.rows_in_place = BestInPlace(product.a, kernel, resources_->cpu, cut_.columns);
  product.rows_once = PacksRowsOnce(product);
  if (product.rows_once) PackRowsOnce(workspace, &product);
  packed();
  product.measures_packing = pack_ns != nullptr && (product.b == nullptr || float_rows);
  if (product.b != nullptr) FillInit(operands, workspace, &product);
  product.sums_are_c = problem_.c_type == ElementType::kS32 &&
                       problem_.activation == Activation::kNone && !HasRowTerms(product);
  if (product.measures_packing) {
    for (TaskMemory& member : members) member.packing_ns = 0;
  }
  Compute(product, members);
  if (product.measures_packing) {
    // Threads pack side by side.
    const auto by_time = [](const TaskMemory& a, const TaskMemory& b) {
      return a.packing_ns < b.packing_ns;
    };
    *pack_ns += std::max_element(members.begin(), members.end(), by_time)->packing_ns;
  }
  if (!float_rows) return {};
  if (!float_rows->finite.load(std::memory_order_relaxed)) {
    return NotFinite(float_rows->x, float_rows->scales);
  }
  CopyToC(workspace->unchecked_c.data(), operands.c, progress);
  return {};
}

void HostGemm::CopyToC(const std::byte* from, void* c, std::atomic<int64_t>* progress) const {
  const int64_t bytes = product_.element_bytes();
  const int64_t row_bytes = problem_.n * bytes;
  const int64_t all_rows = problem_.batch * problem_.m;
  const int64_t each = std::max<int64_t>(1, kBytesCopied / row_bytes);
  base::ParallelFor(Before(), base::CeilDiv(all_rows, each), [&](int64_t t) {
    const int64_t end = std::min(all_rows, (t + 1) * each);
    for (int64_t i = t * each; i < end; ++i) {
      const int64_t index = (i / problem_.m * problem_.c.batch) + (i % problem_.m * problem_.c.row);
      std::memcpy(static_cast<std::byte*>(c) + (index * bytes), from + (i * row_bytes),
                  static_cast<size_t>(row_bytes));
    }
    if (progress != nullptr) {
      progress->fetch_add((end - (t * each)) * problem_.n, std::memory_order_relaxed);
    }
  });
}

/// Who helps before the product. A call is no reason by itself to expect another one.
base::Crew HostGemm::Before() const {
  return {crew_.workers, crew_.wake == base::Wake::kIfBusy ? base::Wake::kNever : crew_.wake};
}

void HostGemm::PackRight(const RightSource& source, int64_t matrices, Workspace* workspace) const {
  PackedRight& right = workspace->right;
  right.Reset(resources_->kernel, RightLayout(resources_->kernel, problem_.k, problem_.n),
              matrices);
  right.PackAll(source, Before());
}

/// Whether tasks would pack rows again for the next columns of B that the L2 cache has room for,
/// wherever A stands.
bool HostGemm::PacksRowsOnce(const HostProduct& product) const {
  const Int8Kernel& kernel = resources_->kernel;
  if (!kernel.wants_lines || !product.by_rows || product.walk_packs ||
      product.a.floats != nullptr || cut_.column_tasks == 1) {
    return false;
  }
  return problem_.batch * problem_.m * PackedRowStride(product.a, kernel) <= kMostBytesOfRows;
}

void HostGemm::PackRowsOnce(Workspace* workspace, HostProduct* product) const {
  const Int8Kernel& kernel = resources_->kernel;
  const int64_t stride = PackedRowStride(product->a, kernel);
  TW_CHECK(kernel.self == nullptr);  // all_rows would have to say where its rows' starts are.
  // Whether A is read in place depends on where it stands: calls alike but for that find the memory
  // of the first.
  workspace->rows.Reserve(static_cast<size_t>(problem_.batch * problem_.m * stride));
  if (product->rows_in_place) return;
  std::byte* const to = workspace->rows.data();
  base::ParallelFor(Before(), problem_.batch * cut_.row_tasks, [&](int64_t t) {
    const int64_t matrix = t / cut_.row_tasks;
    const int64_t first = t % cut_.row_tasks * cut_.rows;
    PackRows(product->a, kernel, matrix, first, std::min(cut_.rows, problem_.m - first),
             to + (((matrix * problem_.m) + first) * stride));
  });
  product->all_rows = {to, stride, 0};
}

void HostGemm::FillParameters(const core::Operands& o, Workspace* workspace,
                              HostProduct* product) const {
  if (!o.scale_a.present && !o.scale_b.present && !o.bias_f32.present && !o.requant_scale.present) {
    return;
  }
  const int64_t batch = problem_.batch;
  product->scale_a = Dense(o.scale_a, batch, problem_.m, &workspace->parameters[0]);
  product->scale_b = Dense(o.scale_b, batch, problem_.n, &workspace->parameters[1]);
  product->bias_f32 = Dense(o.bias_f32, batch, problem_.n, &workspace->parameters[2]);
  product->requant_scale = Dense(o.requant_scale, batch, problem_.n, &workspace->parameters[3]);
}

/// Whether what sums begin with comes from packing B alone.
bool HostGemm::BeginsWithSums(const core::Operands& o, const RightSource& right,
                              const HostProduct& product) {
  const bool one_zero_b =
      !right.zero.present || core::FormOf(right.zero) == core::ParameterForm::kOne;
  const int32_t zero_a = product.zero_a.data == nullptr ? product.shared_zero_a : 0;
  return one_zero_b && (zero_a == 0 || zero_a == 128) && !o.bias_s32.present;
}

/// Whether the walk over a task's tiles packs the columns of B that it comes to: no other task
/// needs them, and all of B would leave the L2 cache, or would come from that of another thread.
/// Vectors of Intel's cores rather wait for all of a large B than for pieces of its rows, measured.
bool HostGemm::WalkPacks(const HostProduct& product) const {
  // Not for each few rows again.
  if (cut_.row_tasks != 1 || product.floats_together > 0) return false;
  if (product.past_caches || product.b_matrices != problem_.batch) return false;
  if (StaysInL2(problem_, resources_->cpu)) return crew_.threads() > 1 && !product.by_rows;
  return !resources_->cpu.few_vector_ports || resources_->kernel.wants_lines;
}

/// Whether each thread packs the whole B that it multiplies by: that takes no longer than to wait
/// for what others have packed (measured with two), as long as it stays in the L2 cache.
bool HostGemm::EachPacks() const {
  return crew_.threads() > 1 && problem_.batch * cut_.tasks() > 1 && cut_.column_tasks == 1 &&
         StaysInL2(problem_, resources_->cpu);
}

/// Zero points of A as multiplied: one for all rows, or one for each.
void HostGemm::FillZeroA(const core::Operands& o, Workspace* workspace,
                         HostProduct* product) const {
  const Form form = resources_->kernel.form;
  const int32_t shift = ShiftOf(flip_a_, product->a.type);
  const bool one_zero = !o.zero_a.present || core::FormOf(o.zero_a) == core::ParameterForm::kOne;
  if (!one_zero || (kernels::cpu::WidensA(form) && o.zero_a.present)) {
    workspace->row_terms.Reserve(static_cast<size_t>(problem_.batch * problem_.m) *
                                 sizeof(int32_t));
    auto* zeros = workspace->row_terms.data<int32_t>();
    for (int64_t matrix = 0; matrix < problem_.batch; ++matrix) {
      for (int64_t i = 0; i < problem_.m; ++i) {
        zeros[(matrix * problem_.m) + i] = shift + o.zero_a.At(matrix, i);
      }
    }
    product->zero_a = {zeros, problem_.m};
  } else {
    product->shared_zero_a = shift + (o.zero_a.present ? o.zero_a.At(0, 0) : 0);
  }
}

/// Sums begin with what all rows share: the integer bias, self products of B, and the terms of zero
/// points of A if they are one.
void HostGemm::FillInit(const core::Operands& o, Workspace* workspace, HostProduct* product) const {
  const PackedRight& b = *product->b;
  const int32_t zero_a = product->zero_a.data == nullptr ? product->shared_zero_a : 0;
  if (!o.bias_s32.present && (zero_a == 0 || zero_a == 128)) {
    const int64_t stride = product->b_matrices == 1 ? 0 : b.init_0(1) - b.init_0(0);
    product->init = {zero_a == 0 ? b.init_0(0) : b.init_128(0), stride};
    return;
  }
  const int64_t per_matrix = b.layout().columns_padded();
  const bool per_batch = product->b_matrices > 1 || o.bias_s32.batch_stride != 0;
  const int64_t matrices = per_batch ? problem_.batch : 1;
  workspace->init.Reserve(static_cast<size_t>(matrices * per_matrix) * sizeof(int32_t));
  auto* init = workspace->init.data<int32_t>();
  for (int64_t matrix = 0; matrix < matrices; ++matrix) {
    const int64_t b_matrix = product->b_matrices == 1 ? 0 : matrix;
    const int32_t* sums = b.sums(b_matrix);
    const int32_t* zeros = b.zeros(b_matrix);
    const int32_t* init_0 = b.init_0(b_matrix);
    int32_t* to = init + (matrix * per_matrix);
    for (int64_t j = 0; j < per_matrix; ++j) {
      const bool biased = o.bias_s32.present && j < problem_.n;
      const auto begin = static_cast<uint32_t>(init_0[j]) +
                         static_cast<uint32_t>(biased ? o.bias_s32.At(matrix, j) : 0);
      const auto k_zero = static_cast<uint32_t>(problem_.k) * static_cast<uint32_t>(zeros[j]);
      const uint32_t term = static_cast<uint32_t>(sums[j]) - k_zero;
      to[j] = static_cast<int32_t>(begin - (static_cast<uint32_t>(zero_a) * term));
    }
  }
  product->init = {init, per_batch ? per_matrix : 0};
}

void HostGemm::Compute(const HostProduct& product, std::span<TaskMemory> members) const {
  const int64_t tasks = problem_.batch * cut_.tasks();
  for (TaskMemory& member : members) ReserveFor(product, std::min(cut_.rows, problem_.m), &member);
  if (tasks == 1) {
    ComputeRectangle(product, {0, 0, problem_.m, 0, problem_.n}, members.data());
    return;
  }
  base::ShareTasks(crew_, tasks, [&](base::TaskSource& source, int member) {
    TaskMemory* memory = &members[static_cast<size_t>(member)];
    for (int64_t t = source.Next(); t >= 0; t = source.Next()) {
      ComputeRectangle(product, RectangleOf(t), memory);
    }
  });
}

/// Rectangles side by side in one row of tasks first: they share rows of A. By rows, it is columns
/// of B that stay in a near cache, for those one below the other; and so it is if B is packed in
/// the call, each part by the thread that multiplies by it.
Rectangle HostGemm::RectangleOf(int64_t task) const {
  const int64_t in_matrix = task % cut_.tasks();
  const bool down = product_.by_rows || !problem_.b_prepacked;
  const int64_t row_task = down ? in_matrix % cut_.row_tasks : in_matrix / cut_.column_tasks;
  const int64_t column_task = down ? in_matrix / cut_.row_tasks : in_matrix % cut_.column_tasks;
  const int64_t row = row_task * cut_.rows;
  const int64_t column = column_task * cut_.columns;
  return {task / cut_.tasks(), row, std::min(cut_.rows, problem_.m - row), column,
          std::min(cut_.columns, problem_.n - column)};
}

}  // namespace tilewave::device::host
