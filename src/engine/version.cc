#include "tilewave/engine.h"

namespace tilewave {

std::string_view Version() { return TILEWAVE_VERSION; }

}  // namespace tilewave
