#pragma once

// What would fit instead of a design that does not.

#include <optional>

#include "program/design_spec.h"

namespace tilewave::program {

/// For a whole_array design that Lower builds but that has too much for the memories or the
/// descriptors of its array: the nearest one that is legal. Less of K in the memory tiles (k_mt) if
/// that is enough; else a smaller tile_k; else a smaller tile_m or tile_n, always the longer one;
/// if that is not enough, always the longest of the three. Everything else stays as it is. Nothing
/// if the spec fits, is refused for another reason, or no tile would fit.
std::optional<DesignSpec> NearestFit(const DesignSpec& spec);

}  // namespace tilewave::program
