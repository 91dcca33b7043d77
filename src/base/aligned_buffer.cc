#include "base/aligned_buffer.h"

#include <sys/mman.h>

namespace tilewave::base {

void AdviseHugePages(void* data, size_t bytes) {
#if defined(MADV_HUGEPAGE)
  // Whole pages only. A refusal changes nothing but the speed.
  static_cast<void>(madvise(data, bytes / kHugePageBytes * kHugePageBytes, MADV_HUGEPAGE));
#else
  static_cast<void>(data);
  static_cast<void>(bytes);
#endif
}

}  // namespace tilewave::base
