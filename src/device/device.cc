#include "device/device.h"

namespace tilewave::device {

uint64_t NewPayloadDomain() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace tilewave::device
