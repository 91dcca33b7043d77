#include "program/design_spec.h"

#include <fmt/format.h>

namespace tilewave::program {
namespace {

// Goes up with every change of what Lower() builds from an equal spec.
constexpr uint64_t kLoweringVersion = 1;

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

std::string_view Name(TileOutput output) { return output == TileOutput::kS32 ? "s32" : "s8_lossy"; }

}  // namespace

std::string_view Name(DesignFamily family) {
  return family == DesignFamily::kPackedTile ? "packed_tile" : "k_stream";
}

std::string_view Name(TileKernel kernel) {
  return kernel == TileKernel::kScalar ? "scalar" : "vector";
}

std::string Name(const DesignSpec& spec) {
  return fmt::format("{}-{}x{}x{}-{}-{}-{}", Name(spec.family), spec.tile_m, spec.tile_k,
                     spec.tile_n, Name(spec.kernel), Name(spec.output),
                     arch::NpuOf(spec.arch).name);
}

uint64_t ConfigurationHash(const DesignSpec& spec) {
  uint64_t hash = kFnvOffset;
  for (const uint64_t number :
       {kLoweringVersion, static_cast<uint64_t>(spec.family), static_cast<uint64_t>(spec.arch),
        static_cast<uint64_t>(spec.tile_m), static_cast<uint64_t>(spec.tile_k),
        static_cast<uint64_t>(spec.tile_n), static_cast<uint64_t>(spec.kernel),
        static_cast<uint64_t>(spec.output), static_cast<uint64_t>(spec.stack_bytes)}) {
    hash = Mix(hash, number);
  }
  return hash;
}

BlockShape BlockShapeOf(const DesignSpec& spec) {
  if (spec.kernel == TileKernel::kScalar) return {1, 1, 1};
  return {spec.arch == arch::NpuArch::kNpu1 ? 4 : 8, 8, 8};
}

}  // namespace tilewave::program
