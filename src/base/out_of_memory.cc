#include "base/out_of_memory.h"

namespace tilewave::base {
namespace {

const Status kOutOfMemory(StatusCode::kResourceExhausted, "out of memory");

}  // namespace

const Status& OutOfMemoryStatus() { return kOutOfMemory; }

}  // namespace tilewave::base
