#include "program/design_spec.h"

#include <fmt/format.h>

namespace tilewave::program {
namespace {

// Goes up with every change of what Lower() builds from an equal spec.
constexpr uint64_t kLoweringVersion = 2;

// FNV-1a with 64 bits (Fowler, Noll, Vo).
constexpr uint64_t kFnvOffset = 0xCBF29CE484222325u;
constexpr uint64_t kFnvPrime = 0x100000001B3u;

/// The eight bytes of a number from the lowest on, whatever the machine's own order.
uint64_t Mix(uint64_t hash, uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) {
    hash = (hash ^ (number >> shift & 0xFF)) * kFnvPrime;
  }
  return hash;
}

}  // namespace

std::string_view Name(DesignFamily family) {
  switch (family) {
    case DesignFamily::kPackedTile:
      return "packed_tile";
    case DesignFamily::kKStream:
      return "k_stream";
    case DesignFamily::kWholeArray:
      return "whole_array";
  }
  return "unknown";
}

std::string_view Name(TileKernel kernel) {
  return kernel == TileKernel::kScalar ? "scalar" : "vector";
}

std::string_view Name(TileOutput output) {
  switch (output) {
    case TileOutput::kS32:
      return "s32";
    case TileOutput::kS8:
      return "s8";
    case TileOutput::kS16:
      return "s16";
    case TileOutput::kS8Lossy:
      return "s8_lossy";
    case TileOutput::kS16Lossy:
      return "s16_lossy";
  }
  return "unknown";
}

std::string_view Name(BLayout layout) {
  switch (layout) {
    case BLayout::kRowMajor:
      return "row";
    case BLayout::kColumnMajor:
      return "col";
    case BLayout::kPacked:
      return "packed";
  }
  return "unknown";
}

int64_t OutputBytes(TileOutput output) {
  switch (output) {
    case TileOutput::kS32:
      return 4;
    case TileOutput::kS16:
    case TileOutput::kS16Lossy:
      return 2;
    case TileOutput::kS8:
    case TileOutput::kS8Lossy:
      return 1;
  }
  return 0;
}

bool IsLossy(TileOutput output) {
  return output == TileOutput::kS8Lossy || output == TileOutput::kS16Lossy;
}

bool IsRequantised(TileOutput output) {
  return output == TileOutput::kS8 || output == TileOutput::kS16;
}

std::string Name(const DesignSpec& spec) {
  std::string name =
      fmt::format("{}-{}x{}x{}-{}-{}-{}", Name(spec.family), spec.tile_m, spec.tile_k, spec.tile_n,
                  Name(spec.kernel), Name(spec.output), arch::NpuOf(spec.arch).name);
  if (spec.family == DesignFamily::kWholeArray) {
    name += fmt::format("-{}col-kmt{}-{}-{}c", spec.columns, MemoryTileK(spec), Name(spec.b_layout),
                        spec.c_buffers);
  }
  return name;
}

uint64_t ConfigurationHash(const DesignSpec& spec) {
  uint64_t hash = kFnvOffset;
  for (const uint64_t number :
       {kLoweringVersion, static_cast<uint64_t>(spec.family), static_cast<uint64_t>(spec.arch),
        static_cast<uint64_t>(spec.tile_m), static_cast<uint64_t>(spec.tile_k),
        static_cast<uint64_t>(spec.tile_n), static_cast<uint64_t>(spec.kernel),
        static_cast<uint64_t>(spec.output), static_cast<uint64_t>(spec.stack_bytes),
        static_cast<uint64_t>(spec.columns), static_cast<uint64_t>(MemoryTileK(spec)),
        static_cast<uint64_t>(spec.b_layout), static_cast<uint64_t>(spec.c_buffers)}) {
    hash = Mix(hash, number);
  }
  return hash;
}

BlockShape BlockShapeOf(const DesignSpec& spec) {
  if (spec.kernel == TileKernel::kScalar) return {1, 1, 1};
  return {spec.arch == arch::NpuArch::kNpu1 ? 4 : 8, 8, 8};
}

int64_t MemoryTileK(const DesignSpec& spec) { return spec.k_mt == 0 ? spec.tile_k : spec.k_mt; }

}  // namespace tilewave::program
