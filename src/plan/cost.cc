#include "plan/cost.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked_math.h"
#include "plan/ledger.h"
#include "plan/task_cycles.h"
#include "plan/whole_array_cost.h"

namespace tilewave::plan {
namespace {

using profile::Profile;

/// One launch on the array, from the first instruction to the last.
struct LaunchTime {
  double kernel_us = 0;
  double dma_us = 0;  ///< What no kernel hides.

  double total_us() const { return kernel_us + dma_us; }
};

/// Follows one launch of a single-core design: set up the inputs, wait for the first tiles, work
/// through K, drain C.
Result<LaunchTime> PredictLaunch(const ArrayPlan& plan, const Profile& profile) {
  const program::DesignSpec& spec = plan.spec;
  const bool exact = spec.output == program::TileOutput::kS32;
  const std::string& model_name =
      spec.kernel == program::TileKernel::kScalar ? profile.scalar_model : profile.vector_model;
  const profile::KernelModel* model = profile.FindModel(model_name, exact ? "s32" : "s8");
  if (model == nullptr) {
    return Status(StatusCode::kNotFound,
                  fmt::format("profile {} has no kernel model '{}' with {} output", profile.name,
                              model_name, exact ? "s32" : "s8"));
  }
  const auto steps = static_cast<double>(plan.k_steps);
  const double step_cycles = model->CyclesOf(spec.tile_m, spec.tile_k, spec.tile_n);
  const double zero_cycles =
      exact ? static_cast<double>(plan.output_bytes) / profile.core.zero_bytes_per_cycle : 0;

  const profile::ControllerCosts& controller = profile.controller;
  const profile::DmaCosts& dma = profile.dma;
  const double task_cycles = TaskCycles(controller);
  // Each input has a channel of its own: the last one to be set up is the last to arrive.
  const auto inputs = static_cast<double>(plan.input_bytes.size());
  const double largest_words =
      static_cast<double>(*std::max_element(plan.input_bytes.begin(), plan.input_bytes.end())) /
      arch::kWordBytes;
  const double tile_cycles = dma.mm2s_word_cycles * largest_words / steps;
  const double output_cycles =
      dma.s2mm_word_cycles * static_cast<double>(plan.output_bytes) / arch::kWordBytes;
  // A stream slower than the kernel shows in every step but the first.
  const double starved_cycles = (steps - 1) * std::max(0.0, tile_cycles - step_cycles);
  LaunchTime time;
  time.kernel_us = profile.CyclesToUs((steps * step_cycles) + zero_cycles);
  time.dma_us = profile.CyclesToUs((inputs * task_cycles) + dma.mm2s_first_cycles + tile_cycles +
                                   starved_cycles + output_cycles + controller.sync_cycles);
  return time;
}

/// Host work of one launch, by phase.
struct HostTime {
  double write_us = 0;
  double sync_in_us = 0;
  double sync_out_us = 0;
  double read_us = 0;
  double accumulate_us = 0;

  double sync_us() const { return sync_in_us + sync_out_us; }
  double before_us() const { return write_us + sync_in_us; }
  double after_us() const { return sync_out_us + read_us + accumulate_us; }
};

HostTime PredictHost(const ArrayPlan& plan, const profile::HostCosts& host) {
  const auto in_bytes = static_cast<double>(plan.input_bytes_per_launch());
  const auto out_bytes = static_cast<double>(plan.output_bytes);
  const auto buffers_in = static_cast<double>(plan.input_bytes.size());
  const bool whole_waves = plan.mode != SubmissionMode::kSequential && plan.batched_syncs &&
                           !plan.interleave && plan.buffers == BufferPolicy::kPool;
  // Syncs of a wave are one; of a chain, one; otherwise the ready launches decide, at worst one.
  const double syncs =
      whole_waves ? 1 / static_cast<double>(plan.sets) : 1 / static_cast<double>(plan.chain);
  const bool batched = plan.batched_syncs && plan.buffers == BufferPolicy::kPool;
  return {HostUs(host.write, 1, in_bytes),
          HostUs(host.sync_in, batched ? syncs : buffers_in, in_bytes),
          HostUs(host.sync_out, batched ? syncs : 1, out_bytes), HostUs(host.read, 1, out_bytes),
          HostUs(host.accumulate, 1, out_bytes)};
}

void AddSetUp(const core::Problem& problem, const ArrayPlan& plan, const profile::HostCosts& host,
              Ledger* ledger) {
  ledger->Add(Term::kCall, host.call_us);
  const auto sets = static_cast<double>(plan.sets);
  const double buffers = static_cast<double>(plan.input_bytes.size()) + 1;
  const double bytes = sets * static_cast<double>(plan.set_bytes());
  if (plan.buffers == BufferPolicy::kPool) {
    ledger->Add(Term::kAllocate,
                HostUs(host.allocate, 1, bytes) + HostUs(host.slice, sets * buffers, 0));
  } else {
    ledger->Add(Term::kAllocate, HostUs(host.allocate, sets * buffers, bytes));
  }
  const double converted = ConvertedBytes(problem);
  if (converted > 0) ledger->Add(Term::kPack, HostUs(host.pack, 1, converted));
  const double c_bytes = static_cast<double>(problem.batch) * static_cast<double>(problem.m) *
                         static_cast<double>(problem.n) *
                         static_cast<double>(ElementBytes(problem.c_type));
  ledger->Add(Term::kFinish, HostUs(host.finish, 1, c_bytes));
}

void AddHost(const HostTime& host, double launches, Ledger* ledger) {
  ledger->Add(Term::kWrite, launches * host.write_us);
  ledger->Add(Term::kSync, launches * host.sync_us());
  ledger->Add(Term::kRead, launches * host.read_us);
  ledger->Add(Term::kAccumulate, launches * host.accumulate_us);
}

/// Shares of host work that overlaps the array: only what stands before the first launch and
/// after the last, and whatever the array has to wait for.
void AddOverlappedHost(const HostTime& host, double launches, double first, double last,
                       double starving_share, Ledger* ledger) {
  const auto split = [&](Term term, double us, double exposed_launches) {
    const double all = launches * us;
    const double exposed = std::min(all, (exposed_launches * us));
    const double starved = (all - exposed) * starving_share;
    ledger->Add(term, exposed + starved);
    ledger->Hide(term, all - exposed - starved);
  };
  split(Term::kWrite, host.write_us, first);
  split(Term::kSync, host.sync_in_us, first);
  split(Term::kSync, host.sync_out_us, last);
  split(Term::kRead, host.read_us, last);
  split(Term::kAccumulate, host.accumulate_us, last);
}

void AddSequential(const ArrayPlan& plan, const Profile& profile, const HostTime& host,
                   Ledger* ledger) {
  const auto launches = static_cast<double>(plan.launches);
  AddHost(host, launches, ledger);
  ledger->Add(Term::kSubmit, launches * profile.launch.submit_us);
  ledger->Add(Term::kLatency, launches * profile.launch.latency_us);
}

/// How the launches of a call reach the device.
struct Submissions {
  int64_t waves = 0;  ///< Each begins on an idle device and ends by waiting for all of it.
  int64_t count = 0;
  double each_us = 0;    ///< Host time inside the submitting call, on average.
  double queued_us = 0;  ///< The device's pause before a submission that was waiting, ...
  double run_us = 0;     ///< ... and before each further launch of its chain.
};

Submissions CountSubmissions(const ArrayPlan& plan, const profile::LaunchCosts& launch) {
  Submissions s;
  const int64_t wave = plan.interleave ? plan.launches : std::min(plan.sets, plan.launches);
  const int64_t full = plan.launches / wave;
  const int64_t rest = plan.launches % wave;
  s.waves = full + (rest > 0 ? 1 : 0);
  s.count = (full * base::CeilDiv(wave, plan.chain)) + base::CeilDiv(rest, plan.chain);
  s.each_us = launch.submit_us;
  s.queued_us = launch.serial_us;
  if (plan.chain > 1) {
    const double runs = static_cast<double>(plan.launches) / static_cast<double>(s.count);
    s.each_us += launch.chain_build_us + (launch.chain_run_us * runs);
    s.run_us = launch.chain_run_serial_us;
    s.queued_us = launch.chain_serial_us + s.run_us;
  }
  return s;
}

void AddOverlapped(const ArrayPlan& plan, const Profile& profile, const HostTime& host,
                   const LaunchTime& launch, Ledger* ledger) {
  const auto launches = static_cast<double>(plan.launches);
  const Submissions s = CountSubmissions(plan, profile.launch);
  // The first submission of a wave meets an idle device: latency instead of the serial part.
  const auto waves = static_cast<double>(s.waves);
  const auto queued = static_cast<double>(s.count - s.waves);
  const double serial_us =
      (queued * s.queued_us) + (static_cast<double>(plan.launches - s.count) * s.run_us);
  ledger->Add(Term::kSerial, serial_us);
  ledger->Add(Term::kLatency, waves * profile.launch.latency_us);
  ledger->Add(Term::kSubmit, waves * s.each_us);
  const double hidden_submits = queued * s.each_us;
  const double array_us = (launches * launch.total_us()) + serial_us;
  if (!plan.interleave) {
    AddHost(host, launches, ledger);
    const double late_us = std::max(0.0, hidden_submits - array_us);
    ledger->Add(Term::kSubmit, late_us);
    ledger->Hide(Term::kSubmit, hidden_submits - late_us);
    return;
  }
  const auto chain = static_cast<double>(std::min(plan.chain, plan.launches));
  const double host_us =
      ((launches - chain) * (host.before_us() + host.after_us())) + hidden_submits;
  const double starving_share = host_us > array_us ? (host_us - array_us) / host_us : 0;
  AddOverlappedHost(host, launches, chain, chain, starving_share, ledger);
  ledger->Add(Term::kSubmit, hidden_submits * starving_share);
  ledger->Hide(Term::kSubmit, hidden_submits * (1 - starving_share));
}

}  // namespace

double ConvertedBytes(const core::Problem& p) {
  // Quantised copies, and bytes summed for zero points; s8 and u8 are read where they lie.
  const auto elements = [&p](int64_t batch_stride, int64_t rows, int64_t cols) {
    return static_cast<double>(batch_stride == 0 ? 1 : p.batch) * static_cast<double>(rows) *
           static_cast<double>(cols);
  };
  double bytes = 0;
  if (p.quantise_a != core::Quantise::kNone) bytes += elements(p.a.batch, p.m, p.k);
  if (p.quantise_b != core::Quantise::kNone) bytes += elements(p.b.batch, p.k, p.n);
  // A zero point of one side needs the sums of the other; u8 is s8 with a zero point.
  const bool zero_a =
      p.zero_a != core::ParameterForm::kAbsent || core::MultipliedA(p) == ElementType::kU8;
  const bool zero_b =
      p.zero_b != core::ParameterForm::kAbsent || core::MultipliedB(p) == ElementType::kU8;
  if (zero_b) bytes += elements(p.a.batch, p.m, p.k);
  if (zero_a) bytes += elements(p.b.batch, p.k, p.n);
  return bytes;
}

std::string_view Name(Term term) {
  switch (term) {
    case Term::kCall:
      return "call";
    case Term::kAllocate:
      return "allocate";
    case Term::kPack:
      return "pack";
    case Term::kWrite:
      return "write";
    case Term::kSync:
      return "sync";
    case Term::kRead:
      return "read";
    case Term::kAccumulate:
      return "accumulate";
    case Term::kFinish:
      return "finish";
    case Term::kSubmit:
      return "submit";
    case Term::kLatency:
      return "latency";
    case Term::kSerial:
      return "serial";
    case Term::kDma:
      return "dma";
    case Term::kKernel:
      return "kernel";
  }
  return "unknown";
}

std::string_view Remedy(Term term) {
  switch (term) {
    case Term::kCall:
      return "less host work per call";
    case Term::kAllocate:
      return "a pool of buffers that stays";
    case Term::kPack:
      return "operands that are s8 already";
    case Term::kWrite:
    case Term::kRead:
    case Term::kAccumulate:
      return "fewer and larger tiles, the K loop on the device, host work behind the array's";
    case Term::kSync:
      return "one sync for many buffers";
    case Term::kFinish:
      return "an epilogue on the array";
    case Term::kSubmit:
    case Term::kSerial:
      return "fewer launches: larger tiles, the K loop on the device, the whole product in one";
    case Term::kLatency:
      return "launches in flight while others wait";
    case Term::kDma:
      return "transfers behind kernels, more than one output tile per launch";
    case Term::kKernel:
      return "a vector kernel, then more cores";
  }
  return "";
}

const CostTerm& Cost::wall() const {
  return *std::max_element(terms.begin(), terms.end(),
                           [](const CostTerm& a, const CostTerm& b) { return a.us < b.us; });
}

Result<Cost> PredictCost(const core::Problem& problem, const ArrayPlan& plan,
                         const Profile& profile) {
  if (plan.spec.family == program::DesignFamily::kWholeArray) {
    return PredictWholeArray(problem, plan, profile);
  }
  const Result<LaunchTime> launch = PredictLaunch(plan, profile);
  if (!launch.ok()) return launch.status();
  const HostTime host = PredictHost(plan, profile.host);
  Ledger ledger;
  AddSetUp(problem, plan, profile.host, &ledger);
  const auto launches = static_cast<double>(plan.launches);
  ledger.Add(Term::kKernel, launches * launch->kernel_us);
  ledger.Add(Term::kDma, launches * launch->dma_us);
  if (plan.mode == SubmissionMode::kSequential) {
    AddSequential(plan, profile, host, &ledger);
  } else {
    AddOverlapped(plan, profile, host, *launch, &ledger);
  }
  return ledger.Take();
}

}  // namespace tilewave::plan
