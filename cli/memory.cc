#include "cli/memory.h"

#include <fmt/format.h>

#include <cstdint>
#include <new>

#include "report/units.h"

namespace tilewave::cli {

Result<base::AlignedBuffer> Allocate(const std::string& what, size_t bytes) {
  try {
    return base::AlignedBuffer(bytes);
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kResourceExhausted,
                  fmt::format("{} needs {} of memory, which cannot be had", what,
                              report::FormatBytes(static_cast<int64_t>(bytes))));
  }
}

}  // namespace tilewave::cli
