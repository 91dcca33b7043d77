#pragma once

// The measured constants of one device, as data: what the virtual NPU times events with and what
// the planner predicts with. Files in profiles/; each constant there has its unit and its source.

#include <string>
#include <string_view>
#include <vector>

#include "arch/npu.h"
#include "tilewave/status.h"

namespace tilewave::profile {

/// Cycles of one kernel call: m * k * n / peak_macs_per_cycle + output_cycles * m * n +
/// fixed_cycles. One model per output type; no lookup per tile.
struct KernelModel {
  std::string name;    ///< "scalar16", "peano-mm".
  std::string output;  ///< "s32", "s16" or "s8": what C is kept as between steps over K.
  double peak_macs_per_cycle = 0;
  double output_cycles = 0;  ///< Per element of C.
  double fixed_cycles = 0;
  /// What a core that is fed through memory tiles spends around each call, beside the kernel's own
  /// cycles: locks as the compiler writes them, banks that its DMA channels take.
  double loop_cycles = 0;

  double CyclesOf(int64_t m, int64_t k, int64_t n) const;
};

/// One launch, seen from host and device.
struct LaunchCosts {
  double submit_us = 0;            ///< Host: inside the submitting call, per single launch.
  double latency_us = 0;           ///< From submission to the first controller instruction, idle.
  double serial_us = 0;            ///< From one launch's end to a queued next one's start.
  double chain_build_us = 0;       ///< Host: making one chain, ...
  double chain_run_us = 0;         ///< ... and each run added to it.
  double chain_serial_us = 0;      ///< Device: per chain, on top of chain_run_serial_us.
  double chain_run_serial_us = 0;  ///< From one run's end to the next one's start in a chain.
  double recovery_us = 0;          ///< Without progress for so long, the driver gives a launch up.
  double reconfigure_us = 0;       ///< Another configuration than the last launch's onto the array.
};

/// The array's controller, in array cycles per instruction.
struct ControllerCosts {
  double write_cycles = 0;
  double block_cycles = 0;       ///< Block write without its payload, ...
  double block_word_cycles = 0;  ///< ... and each word of it.
  double mask_write_cycles = 0;
  double patch_cycles = 0;
  double sync_cycles = 0;  ///< Once the token is there.
};

/// DMA and streams, in array cycles.
struct DmaCosts {
  double mm2s_first_cycles = 0;  ///< Shim: from push to data, first task of a channel in a launch.
  double mm2s_task_cycles = 0;   ///< The same, later tasks.
  double s2mm_first_cycles = 0;
  double s2mm_task_cycles = 0;
  double mm2s_word_cycles = 0;    ///< Shim, memory to stream, per word.
  double s2mm_word_cycles = 0;    ///< Shim, stream to memory, per word.
  double stream_word_cycles = 0;  ///< Between tiles of the array.
  double stream_latency_cycles = 0;
  double descriptor_cycles = 0;  ///< Loading a descriptor in any tile.
};

/// The memory behind the shim tiles, shared by all of them. Reads and writes share nothing, as
/// long as each stays below its own bandwidth.
struct DdrCosts {
  double read_gbps = 0;   ///< GB/s to the array, over long contiguous runs.
  double write_gbps = 0;  ///< GB/s from the array, likewise.
  /// What a contiguous run costs beside its own bytes if it starts on another page than the run
  /// before it; runs that follow closer share that in proportion.
  double run_overhead_bytes = 0;
};

/// The cores, in array cycles.
struct CoreCosts {
  double lock_cycles = 0;
  double zero_bytes_per_cycle = 0;
  double requantise_cycles = 0;  ///< Per element, from s32 sums to a narrower C.
};

/// Host work: a fixed time per item and a time per byte.
struct HostCost {
  double item_us = 0;
  double byte_ns = 0;
};

struct HostCosts {
  double call_us = 0;   ///< Per matmul, whatever its size.
  HostCost allocate;    ///< Device buffers.
  HostCost slice;       ///< Windows into them; no bytes.
  HostCost pack;        ///< Converting or quantising operands.
  HostCost write;       ///< Copies into device-visible buffers.
  HostCost sync_in;     ///< Host writes made visible to the device.
  HostCost sync_out;    ///< Device writes made visible to the host.
  HostCost read;        ///< Copies out of device-visible buffers.
  HostCost accumulate;  ///< Adding one launch's tile to the sums over K.
  HostCost finish;      ///< Epilogue; bytes of C.
};

struct Profile {
  std::string name;
  std::string description;
  std::string date;  ///< When the constants were collected, YYYY-MM-DD.
  arch::NpuArch arch = arch::NpuArch::kNpu1;
  double clock_ghz = 0;  ///< Of the array.
  LaunchCosts launch;
  ControllerCosts controller;
  DmaCosts dma;
  DdrCosts ddr;
  CoreCosts core;
  HostCosts host;
  std::string scalar_model;  ///< The model of scalar tile kernels on this device, ...
  std::string vector_model;  ///< ... and of vector ones: names in kernel_models.
  std::vector<KernelModel> kernel_models;

  double CyclesToUs(double cycles) const { return cycles / (clock_ghz * 1e3); }

  /// The model of that name and output type ("s32", "s16", "s8"); null if there is none.
  const KernelModel* FindModel(std::string_view model, std::string_view output) const;
};

/// What a constant may be.
struct ConstantInfo {
  std::string_view key;   ///< "launch.latency_us".
  std::string_view unit;  ///< "us".
  double least = 0;
  double most = 0;
  double (*value)(const Profile&);
};

/// Every constant of a profile in the order of the files (kernel models apart).
std::vector<ConstantInfo> Constants();

/// Sets one constant, as if the file had that value. kNotFound: no such key; kInvalidArgument: a
/// value that is not plausible; both list what is.
[[nodiscard]] Status SetConstant(Profile* profile, std::string_view key, double value);

/// Reads a profile from JSON text; `origin` names it in messages. Errors: kDataLoss (no JSON),
/// kInvalidArgument naming the constant, its unit and what is plausible: missing, no number,
/// negative, absurd, of another unit, without a source, unknown.
[[nodiscard]] Result<Profile> ParseProfile(std::string_view json, std::string_view origin);

/// A profile by the name of one that is built in ("phoenix"), or from a file if the name ends in
/// ".json". kNotFound lists the names that there are.
[[nodiscard]] Result<Profile> FindProfile(const std::string& name);

/// Names of the built-in profiles, sorted.
std::vector<std::string_view> ProfileNames();

}  // namespace tilewave::profile
