#include "device/device.h"

#include <fmt/format.h>

namespace tilewave::device {

uint64_t NewPayloadDomain() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

Status CheckStream(const Launch& launch) {
  const uint64_t loaded = launch.executable->configuration_hash();
  if (launch.stream_configuration == 0 || launch.stream_configuration == loaded) return {};
  return {StatusCode::kInvalidArgument,
          fmt::format("a stream for configuration {:016x}; {} is {:016x}",
                      launch.stream_configuration, launch.executable->kernel_name(), loaded)};
}

}  // namespace tilewave::device
