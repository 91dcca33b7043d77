#include "profile/constant_table.h"

#include <fmt/format.h>

#include <string>

namespace tilewave::profile {
namespace {

// Limits are physical and generous: they catch a slip of the unit or of the sign, not a device that
// is faster than those of today. The least is 0 only where a cost may vanish or hide.
constexpr double kMostUs = 1e6;
constexpr double kMostCycles = 1e6;

// The member at a path of members: a fold of p.*first.*second.
template <auto... kPath>
constexpr Constant At(std::string_view key, std::string_view unit, double least, double most) {
  return {{key, unit, least, most, [](const Profile& p) { return (p.*....*kPath); }},
          [](Profile* p) { return &(*p.*....*kPath); }};
}

template <auto kMember>
constexpr Constant Launch(std::string_view key, double least, double most) {
  return At<&Profile::launch, kMember>(key, "us", least, most);
}

template <auto kMember>
constexpr Constant Controller(std::string_view key, double least) {
  return At<&Profile::controller, kMember>(key, "cycles", least, kMostCycles);
}

template <auto kMember>
constexpr Constant Dma(std::string_view key, double least) {
  return At<&Profile::dma, kMember>(key, "cycles", least, kMostCycles);
}

template <auto kMember>
constexpr Constant DmaWord(std::string_view key) {
  return At<&Profile::dma, kMember>(key, "cycles/word", 0.1, 100);
}

template <auto kWork>
constexpr Constant Item(std::string_view key) {
  return At<&Profile::host, kWork, &HostCost::item_us>(key, "us", 0, kMostUs);
}

template <auto kWork>
constexpr Constant Byte(std::string_view key) {
  return At<&Profile::host, kWork, &HostCost::byte_ns>(key, "ns/B", 0, 1000);
}

constexpr Constant kConstants[] = {
    At<&Profile::clock_ghz>("clock_ghz", "GHz", 0.1, 5),
    Launch<&LaunchCosts::submit_us>("launch.submit_us", 0, 1e4),
    Launch<&LaunchCosts::latency_us>("launch.latency_us", 0, kMostUs),
    Launch<&LaunchCosts::serial_us>("launch.serial_us", 0, kMostUs),
    Launch<&LaunchCosts::chain_build_us>("launch.chain_build_us", 0, 1e4),
    Launch<&LaunchCosts::chain_run_us>("launch.chain_run_us", 0, 1e4),
    Launch<&LaunchCosts::chain_serial_us>("launch.chain_serial_us", 0, kMostUs),
    Launch<&LaunchCosts::chain_run_serial_us>("launch.chain_run_serial_us", 0, kMostUs),
    Launch<&LaunchCosts::recovery_us>("launch.recovery_us", 1000, 1e8),
    Launch<&LaunchCosts::reconfigure_us>("launch.reconfigure_us", 0, 1e7),
    Controller<&ControllerCosts::write_cycles>("controller.write_cycles", 1),
    Controller<&ControllerCosts::block_cycles>("controller.block_cycles", 0),
    At<&Profile::controller, &ControllerCosts::block_word_cycles>("controller.block_word_cycles",
                                                                  "cycles/word", 0.1, 100),
    Controller<&ControllerCosts::mask_write_cycles>("controller.mask_write_cycles", 1),
    Controller<&ControllerCosts::patch_cycles>("controller.patch_cycles", 1),
    Controller<&ControllerCosts::sync_cycles>("controller.sync_cycles", 0),
    Dma<&DmaCosts::mm2s_first_cycles>("dma.mm2s_first_cycles", 1),
    Dma<&DmaCosts::mm2s_task_cycles>("dma.mm2s_task_cycles", 1),
    Dma<&DmaCosts::s2mm_first_cycles>("dma.s2mm_first_cycles", 1),
    Dma<&DmaCosts::s2mm_task_cycles>("dma.s2mm_task_cycles", 1),
    DmaWord<&DmaCosts::mm2s_word_cycles>("dma.mm2s_word_cycles"),
    DmaWord<&DmaCosts::s2mm_word_cycles>("dma.s2mm_word_cycles"),
    DmaWord<&DmaCosts::stream_word_cycles>("dma.stream_word_cycles"),
    Dma<&DmaCosts::stream_latency_cycles>("dma.stream_latency_cycles", 0),
    Dma<&DmaCosts::descriptor_cycles>("dma.descriptor_cycles", 0),
    At<&Profile::ddr, &DdrCosts::read_gbps>("ddr.read_gbps", "GB/s", 0.1, 1000),
    At<&Profile::ddr, &DdrCosts::write_gbps>("ddr.write_gbps", "GB/s", 0.1, 1000),
    At<&Profile::ddr, &DdrCosts::run_overhead_bytes>("ddr.run_overhead_bytes", "B", 0, 4096),
    At<&Profile::core, &CoreCosts::lock_cycles>("core.lock_cycles", "cycles", 0, kMostCycles),
    At<&Profile::core, &CoreCosts::zero_bytes_per_cycle>("core.zero_bytes_per_cycle", "B/cycle", 1,
                                                         1024),
    At<&Profile::core, &CoreCosts::requantise_cycles>("core.requantise_cycles", "cycles/element", 0,
                                                      1000),
    At<&Profile::host, &HostCosts::call_us>("host.call_us", "us", 0, kMostUs),
    Item<&HostCosts::allocate>("host.allocate.item_us"),
    Byte<&HostCosts::allocate>("host.allocate.byte_ns"),
    Item<&HostCosts::slice>("host.slice.item_us"),
    Byte<&HostCosts::slice>("host.slice.byte_ns"),
    Item<&HostCosts::pack>("host.pack.item_us"),
    Byte<&HostCosts::pack>("host.pack.byte_ns"),
    Item<&HostCosts::write>("host.write.item_us"),
    Byte<&HostCosts::write>("host.write.byte_ns"),
    Item<&HostCosts::sync_in>("host.sync_in.item_us"),
    Byte<&HostCosts::sync_in>("host.sync_in.byte_ns"),
    Item<&HostCosts::sync_out>("host.sync_out.item_us"),
    Byte<&HostCosts::sync_out>("host.sync_out.byte_ns"),
    Item<&HostCosts::read>("host.read.item_us"),
    Byte<&HostCosts::read>("host.read.byte_ns"),
    Item<&HostCosts::accumulate>("host.accumulate.item_us"),
    Byte<&HostCosts::accumulate>("host.accumulate.byte_ns"),
    Item<&HostCosts::finish>("host.finish.item_us"),
    Byte<&HostCosts::finish>("host.finish.byte_ns"),
};

constexpr ModelConstant kModelConstants[] = {
    {"peak_macs_per_cycle", "MAC/cycle", 0.0001, 4096, &KernelModel::peak_macs_per_cycle},
    {"output_cycles", "cycles/element", 0, kMostCycles, &KernelModel::output_cycles},
    {"fixed_cycles", "cycles", 0, kMostCycles, &KernelModel::fixed_cycles},
    {"loop_cycles", "cycles", 0, kMostCycles, &KernelModel::loop_cycles},
};

}  // namespace

std::span<const Constant> ConstantTable() { return kConstants; }

std::span<const ModelConstant> ModelConstantTable() { return kModelConstants; }

std::vector<ConstantInfo> Constants() {
  std::vector<ConstantInfo> infos;
  for (const Constant& constant : kConstants) infos.push_back(constant.info);
  return infos;
}

Status SetConstant(Profile* profile, std::string_view key, double value) {
  std::string known;
  for (const Constant& constant : kConstants) {
    if (constant.info.key != key) {
      known += fmt::format("{}{}", known.empty() ? "" : ", ", constant.info.key);
      continue;
    }
    // Written so that a NaN is refused, too.
    if (!(value >= constant.info.least && value <= constant.info.most)) {
      return {StatusCode::kInvalidArgument,
              fmt::format("{} = {} {}; expected {} to {}", key, value, constant.info.unit,
                          constant.info.least, constant.info.most)};
    }
    *constant.target(profile) = value;
    return {};
  }
  return {StatusCode::kNotFound,
          fmt::format("a profile has no constant '{}'; expected one of: {}", key, known)};
}

}  // namespace tilewave::profile
