#pragma once

// Figures with int8 operands that others have measured and published, as data: what `bench --suite
// published` is judged by. Nothing here feeds back into a profile.

#include <cstdint>
#include <span>
#include <string_view>

#include "program/design_spec.h"

namespace tilewave::cli {

/// What a figure counts.
enum class PublishedUnit : uint8_t {
  kTops,         ///< Of a whole product, launch included.
  kMacsPerCycle  ///< Of one kernel call on one core.
};

struct PublishedRow {
  std::string_view source;
  std::string_view profile;  ///< What it ran on.
  std::string_view kernel_model;
  PublishedUnit unit = PublishedUnit::kTops;
  program::TileOutput output = program::TileOutput::kS32;
  int64_t tile_m = 0;
  int64_t tile_k = 0;
  int64_t tile_n = 0;
  int64_t k_mt = 0;  ///< 0: not published.
  program::BLayout b_layout = program::BLayout::kColumnMajor;
  int c_buffers = 1;
  int64_t m = 0;  ///< Of the product; 0 for a kernel.
  int64_t k = 0;
  int64_t n = 0;
  double published = 0;
  std::string_view note;  ///< What the row leaves open, and what stands in for it.
};

std::span<const PublishedRow> PublishedRows();

/// Published figures that no row stands for, each with the reason.
struct LeftOut {
  std::string_view what;
  std::string_view why;
};
std::span<const LeftOut> PublishedLeftOut();

}  // namespace tilewave::cli
