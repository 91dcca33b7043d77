#include "plan/whole_array_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plan/ledger.h"
#include "plan/task_cycles.h"
#include "program/lower_whole_array.h"

namespace tilewave::plan {
namespace {

using profile::Profile;
using program::DesignSpec;
using program::TileOutput;

/// Operations of a core's loop around one kernel call: four lock steps, two turns of rings, the
/// end of the loop.
constexpr double kStepOps = 7;

double D(int64_t value) { return static_cast<double>(value); }
double WordsOf(int64_t bytes) { return D(bytes) / arch::kWordBytes; }

/// Bytes that DDR serves for `bytes` in runs of `run_bytes`, `row_bytes` from one to the next. Runs
/// as long as rows are one run.
double Served(double bytes, int64_t run_bytes, int64_t row_bytes, const profile::DdrCosts& ddr) {
  if (run_bytes >= row_bytes) return bytes;
  const double share = std::min(1.0, D(row_bytes) / arch::kPageBytes);
  return bytes * (1 + (ddr.run_overhead_bytes * share / D(run_bytes)));
}

double ServedOfB(double bytes, const DesignSpec& spec, const program::ImageLayout& images,
                 const profile::DdrCosts& ddr) {
  switch (spec.b_layout) {
    case program::BLayout::kRowMajor:
      return Served(bytes, spec.tile_n, images.n_padded, ddr);
    case program::BLayout::kColumnMajor:
      return Served(bytes, program::MemoryTileK(spec), images.k_padded, ddr);
    case program::BLayout::kPacked:
      break;
  }
  return bytes;
}

}  // namespace

const char* ModelOutput(TileOutput output) {
  switch (output) {
    case TileOutput::kS8Lossy:
      return "s8";
    case TileOutput::kS16Lossy:
      return "s16";
    case TileOutput::kS32:
    case TileOutput::kS8:
    case TileOutput::kS16:
      break;
  }
  return "s32";
}

double WholeArrayTime::total_us() const {
  return std::max({compute_us, read_us, write_us}) + start_us;
}

Result<WholeArrayTime> PredictWholeArrayLaunch(const ArrayPlan& plan, const Profile& profile) {
  const DesignSpec& spec = plan.spec;
  const program::ImageLayout& images = plan.images;
  const profile::KernelModel* model =
      profile.FindModel(profile.vector_model, ModelOutput(spec.output));
  if (model == nullptr) {
    return Status(StatusCode::kNotFound,
                  fmt::format("profile {} has no kernel model '{}' with {} output", profile.name,
                              profile.vector_model, ModelOutput(spec.output)));
  }
  const int64_t rows = program::CoreRows(spec);
  int fed_rows = 0;
  for (int c = 0; c < spec.columns; ++c) {
    fed_rows = std::max(fed_rows, program::FedRowsOf(spec, c).count);
  }
  const double tiles = D(images.c_matrices * images.row_blocks * images.column_blocks);
  const double steps = D(images.k_padded / spec.tile_k);
  const int64_t c_tile = spec.tile_m * spec.tile_n;
  const int64_t c_bytes = c_tile * program::OutputBytes(spec.output);
  const profile::DmaCosts& dma = profile.dma;

  // One step over K: the kernel, or the slowest of the streams that feed it.
  const double kernel_cycles =
      model->CyclesOf(spec.tile_m, spec.tile_k, spec.tile_n) + model->loop_cycles;
  const double a_words = WordsOf(spec.tile_m * spec.tile_k);
  const double b_words = WordsOf(spec.tile_k * spec.tile_n);
  const double step_cycles =
      std::max({kernel_cycles + (kStepOps * profile.core.lock_cycles),
                std::max(a_words, b_words) * dma.stream_word_cycles,
                std::max(a_words * fed_rows, b_words) * dma.mm2s_word_cycles});
  // One tile of C: zero it, step through K, requantise, and let go of it.
  const bool requantised = program::IsRequantised(spec.output);
  const double zero_cycles =
      D(c_tile * (program::IsLossy(spec.output) ? program::OutputBytes(spec.output) : 4)) /
      profile.core.zero_bytes_per_cycle;
  const double finish_cycles = requantised ? D(c_tile) * profile.core.requantise_cycles : 0;
  const double drain_cycles = WordsOf(c_bytes) * dma.stream_word_cycles;
  const double busy_cycles = zero_cycles + (steps * step_cycles) + finish_cycles;
  const double tile_cycles = std::max(busy_cycles + (spec.c_buffers == 1 ? drain_cycles : 0),
                                      D(rows) * WordsOf(c_bytes) * dma.s2mm_word_cycles);

  const double a_bytes = tiles * D(rows * spec.tile_m * images.k_padded);
  const double b_bytes = tiles * D(spec.columns * spec.tile_n * images.k_padded);
  const double all_c_bytes = tiles * D(rows * spec.columns * c_bytes);
  const int64_t k_mt = program::MemoryTileK(spec);
  const int64_t element = program::OutputBytes(spec.output);

  const profile::ControllerCosts& controller = profile.controller;
  const double task_cycles = TaskCycles(controller);
  const double feeding = D(std::min<int64_t>(spec.columns, rows));
  const double fill_cycles = ((spec.columns + feeding) * task_cycles) + dma.mm2s_first_cycles +
                             (WordsOf(spec.tile_m * fed_rows * k_mt) * dma.mm2s_word_cycles) +
                             std::max(a_words, b_words);
  const double empty_cycles = (spec.c_buffers == 1 ? 0 : drain_cycles) +
                              (D(rows) * WordsOf(c_bytes) * dma.s2mm_word_cycles) +
                              ((2.0 * spec.columns + feeding) *
                               std::min(4.0, D(images.row_blocks)) * controller.sync_cycles);

  WholeArrayTime time;
  time.kernel_us =
      profile.CyclesToUs(tiles * (zero_cycles + (steps * kernel_cycles) + finish_cycles));
  time.compute_us = profile.CyclesToUs(tiles * tile_cycles);
  time.read_us = (Served(a_bytes, k_mt, images.a_row_bytes, profile.ddr) +
                  ServedOfB(b_bytes, spec, images, profile.ddr)) /
                 (profile.ddr.read_gbps * 1e3);
  time.write_us =
      Served(all_c_bytes, spec.tile_n * element, images.n_padded * element, profile.ddr) /
      (profile.ddr.write_gbps * 1e3);
  time.start_us = profile.CyclesToUs(fill_cycles + empty_cycles);
  return time;
}

Result<Cost> PredictWholeArray(const core::Problem& problem, const ArrayPlan& plan,
                               const Profile& profile) {
  const Result<WholeArrayTime> array = PredictWholeArrayLaunch(plan, profile);
  if (!array.ok()) return array.status();
  Ledger ledger;
  ledger.Add(Term::kKernel, array->kernel_us);
  ledger.Add(Term::kDma, array->total_us() - array->kernel_us);
  const profile::HostCosts& host = profile.host;
  ledger.Add(Term::kCall, host.call_us);
  const double buffers = D(static_cast<int64_t>(plan.input_bytes.size()) + 1);
  ledger.Add(Term::kAllocate,
             HostUs(host.allocate, 1, D(plan.set_bytes())) + HostUs(host.slice, buffers, 0));
  const double converted = ConvertedBytes(problem);
  if (converted > 0) ledger.Add(Term::kPack, HostUs(host.pack, 1, converted));
  const double in_bytes = D(plan.input_bytes_per_launch());
  const double out_bytes = D(plan.output_bytes);
  if (in_bytes > 0) {
    ledger.Add(Term::kWrite, HostUs(host.write, 1, in_bytes));
    ledger.Add(Term::kSync, HostUs(host.sync_in, 1, in_bytes));
  }
  if (out_bytes > 0) {
    ledger.Add(Term::kSync, HostUs(host.sync_out, 1, out_bytes));
    ledger.Add(Term::kRead, HostUs(host.read, 1, out_bytes));
  }
  if (!plan.plain_c) {
    ledger.Add(Term::kFinish, HostUs(host.finish, 1,
                                     D(problem.batch * problem.m * problem.n) *
                                         static_cast<double>(ElementBytes(problem.c_type))));
  }
  ledger.Add(Term::kSubmit, profile.launch.submit_us);
  ledger.Add(Term::kLatency, profile.launch.latency_us);
  return ledger.Take();
}

}  // namespace tilewave::plan
