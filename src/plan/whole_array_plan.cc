#include "plan/whole_array_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/checked_math.h"
#include "plan/whole_array_cost.h"
#include "program/lower.h"
#include "program/validate.h"

namespace tilewave::plan {
namespace {

using program::DesignSpec;
using program::TileOutput;

/// Nobody wants more than this on a device at once.
constexpr int64_t kMaxImageBytes = int64_t{4} << 30;

constexpr int64_t kDefaultTile = 64;
/// Longer contiguous reads gain little; memory tiles hold two buffers of A and B each.
constexpr int64_t kDefaultMostK = 512;
constexpr int64_t kMostPaddingOfK = 32;

/// What the planner chooses from: general, deep in K, large (where DDR bounds), few rows, few
/// columns, small.
struct TableDesign {
  int64_t m;
  int64_t k;
  int64_t n;
  int64_t k_mt;
  int c_buffers;
};
constexpr TableDesign kTable[] = {
    {64, 64, 64, 64, 2},   {64, 64, 64, 256, 2},  {64, 128, 64, 512, 1}, {80, 88, 80, 440, 1},
    {16, 128, 64, 256, 2}, {64, 128, 16, 256, 2}, {32, 64, 32, 128, 2}};

/// Whether the array itself can make C: requantised by one shift, of signed operands without zero
/// points, bias or activation.
bool ArrayRequantises(const core::Problem& p) {
  return p.c_type == ElementType::kS8 && p.requant == core::RequantKind::kShift &&
         p.activation == Activation::kNone && p.bias_s32 == core::ParameterForm::kAbsent &&
         p.zero_a == core::ParameterForm::kAbsent && p.zero_b == core::ParameterForm::kAbsent &&
         core::MultipliedA(p) == ElementType::kS8 && core::MultipliedB(p) == ElementType::kS8;
}

/// Whether C is the sums as they are.
bool IsPlainSum(const core::Problem& p) {
  return p.c_type == ElementType::kS32 && p.c.col == 1 && p.activation == Activation::kNone &&
         p.bias_s32 == core::ParameterForm::kAbsent && p.zero_a == core::ParameterForm::kAbsent &&
         p.zero_b == core::ParameterForm::kAbsent && core::MultipliedA(p) == ElementType::kS8 &&
         core::MultipliedB(p) == ElementType::kS8;
}

/// Whether the array can read A where it lies in device memory: bytes that are multiplied as they
/// are, without sums of its rows, and as many of them as the images want.
bool ReadsResidentA(const core::Problem& p) {
  return p.a_device_bytes > 0 && p.a_type == ElementType::kS8 && p.a.col == 1 &&
         p.a.row % arch::kWordBytes == 0 && p.a.batch % arch::kWordBytes == 0 &&
         p.zero_b == core::ParameterForm::kAbsent && core::MultipliedB(p) == ElementType::kS8;
}

bool FixesTile(const ArrayChoices& c) {
  return c.tile > 0 || c.tile_m > 0 || c.tile_k > 0 || c.tile_n > 0 || c.k_mt > 0 ||
         c.c_buffers > 0;
}

Status Fits(const DesignSpec& spec) {
  const Result<program::ArrayProgram> program = program::Lower(spec);
  if (!program.ok()) return program.status();
  return program::Validate(*program, arch::NpuOf(spec.arch));
}

/// All but k_mt.
DesignSpec SpecOf(arch::NpuArch arch, const ArrayChoices& choices, TileOutput output) {
  const auto or_default = [](int64_t value, int64_t otherwise) {
    return value > 0 ? value : otherwise;
  };
  const int64_t tile = or_default(choices.tile, kDefaultTile);
  DesignSpec spec;
  spec.family = program::DesignFamily::kWholeArray;
  spec.arch = arch;
  spec.tile_m = or_default(choices.tile_m, tile);
  spec.tile_k = or_default(choices.tile_k, tile);
  spec.tile_n = or_default(choices.tile_n, tile);
  spec.kernel = choices.kernel.value_or(program::TileKernel::kVector);
  spec.output = output;
  spec.stack_bytes = choices.stack_bytes.value_or(program::kWholeArrayStackBytes);
  spec.columns = choices.columns > 0 ? choices.columns : arch::NpuOf(arch).columns;
  spec.k_mt = choices.k_mt;
  spec.b_layout = choices.b_layout.value_or(program::BLayout::kPacked);
  spec.c_buffers = choices.c_buffers > 0 ? choices.c_buffers : 1;
  return spec;
}

/// The plan of one design; no cost yet.
Result<ArrayPlan> PlanFor(const core::Problem& p, const DesignSpec& spec) {
  ArrayPlan plan;
  plan.spec = spec;
  plan.mode = SubmissionMode::kSequential;
  plan.buffers = BufferPolicy::kPool;
  plan.interleave = false;
  plan.tiles_k = 1;
  plan.launches = plan.sets = 1;
  plan.shape = {
      p.batch, p.m, p.k, p.n, p.batch > 1 && p.a.batch == 0, p.batch > 1 && p.b.batch == 0,
      p.shift};
  if (ReadsResidentA(p)) {
    plan.shape.a_row_bytes = p.a.row;
    plan.shape.a_matrix_bytes = p.a.batch;
    const Result<program::ImageLayout> resident = program::ImageLayoutOf(spec, plan.shape);
    plan.resident_a = resident.ok() && resident->a_extent_bytes() <= p.a_device_bytes;
    if (!plan.resident_a) plan.shape.a_row_bytes = plan.shape.a_matrix_bytes = 0;
  }
  Result<program::ImageLayout> images = program::ImageLayoutOf(spec, plan.shape);
  if (!images.ok()) return images.status();
  plan.images = *images;
  plan.tiles_m = images->row_blocks;
  plan.tiles_n = images->column_blocks;
  plan.k_steps = images->k_padded / spec.tile_k;
  plan.resident_b = p.b_prepacked;
  plan.plain_c = spec.output == TileOutput::kS8 || IsPlainSum(p);
  const int64_t a_bytes = images->a_bytes * images->a_matrices;
  const int64_t b_bytes = images->b_bytes * images->b_matrices;
  const int64_t c_bytes = images->c_bytes * images->c_matrices;
  plan.device_c = p.c_on_device && plan.plain_c;
  plan.output_bytes = plan.device_c ? 0 : c_bytes;
  plan.input_bytes = {plan.resident_a ? 0 : a_bytes, plan.resident_b ? 0 : b_bytes};
  // Each is below 2^62, but their sum may not be.
  const std::optional<int64_t> inputs = base::CheckedAdd(a_bytes, b_bytes);
  const std::optional<int64_t> all = inputs ? base::CheckedAdd(*inputs, c_bytes) : std::nullopt;
  if (!all || *all > kMaxImageBytes) {
    return Status(StatusCode::kOutOfRange,
                  fmt::format("the images of this product have {} bytes; at most {} on the device "
                              "at once",
                              all ? fmt::format("{}", *all) : "more than 2^63", kMaxImageBytes));
  }
  return plan;
}

}  // namespace

Result<DesignSpec> WholeArraySpec(arch::NpuArch arch, const ArrayChoices& choices,
                                  TileOutput output, int64_t k) {
  DesignSpec spec = SpecOf(arch, choices, output);
  if (spec.k_mt > 0) {
    if (Status s = Fits(spec); !s.ok()) return s;
    return spec;
  }
  std::optional<int64_t> largest;
  Status refused;
  for (int64_t tiles = std::max<int64_t>(kDefaultMostK / spec.tile_k, 1); tiles >= 1; --tiles) {
    spec.k_mt = tiles * spec.tile_k;
    refused = Fits(spec);
    if (!refused.ok()) continue;
    if (!largest) largest = spec.k_mt;
    const int64_t passes = base::CeilDiv(k, spec.k_mt);
    if (passes * spec.k_mt - k <= k / kMostPaddingOfK) return spec;
  }
  if (!largest) return refused;
  spec.k_mt = *largest;
  return spec;
}

Result<ArrayPlan> MakeWholeArrayPlan(const core::Problem& problem, const profile::Profile& profile,
                                     const ArrayChoices& choices) {
  if (choices.mode || choices.buffers || choices.pool != 0) {
    return Status(StatusCode::kInvalidArgument,
                  "whole_array has one launch and one buffer set; expected no mode, buffers or "
                  "pool");
  }
  const TileOutput output =
      choices.output.value_or(ArrayRequantises(problem) ? TileOutput::kS8 : TileOutput::kS32);
  if (FixesTile(choices)) {
    const Result<DesignSpec> spec = WholeArraySpec(profile.arch, choices, output, problem.k);
    if (!spec.ok()) return spec.status();
    return PlanFor(problem, *spec);
  }
  std::optional<ArrayPlan> best;
  double best_us = 0;
  Status refused;
  for (const TableDesign& design : kTable) {
    ArrayChoices each = choices;
    each.tile_m = design.m;
    each.tile_k = design.k;
    each.tile_n = design.n;
    each.c_buffers = design.c_buffers;
    each.k_mt = design.k_mt;
    Result<ArrayPlan> plan = PlanFor(problem, SpecOf(profile.arch, each, output));
    const Result<Cost> cost =
        plan.ok() ? PredictWholeArray(problem, *plan, profile) : Result<Cost>(plan.status());
    if (!cost.ok()) {
      refused = cost.status();
      continue;
    }
    if (best && cost->total_us >= best_us) continue;
    best = *std::move(plan);
    best_us = cost->total_us;
  }
  if (!best) return refused;
  if (Status s = Fits(best->spec); !s.ok()) return s;
  return *std::move(best);
}

}  // namespace tilewave::plan
