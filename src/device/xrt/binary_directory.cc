#include "device/xrt/binary_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

namespace tilewave::device::xrt {
namespace {

/// First bytes of an xclbin (xclbin.h: axlf::m_magic).
constexpr std::string_view kMagic = "xclbin2";

}  // namespace

std::string BinaryName(const program::DesignSpec& spec) {
  return fmt::format("{:016x}.xclbin", program::ConfigurationHash(spec));
}

std::string EmitCommand(const program::DesignSpec& spec) {
  const bool whole = spec.family == program::DesignFamily::kWholeArray;
  const bool plain_s32 = spec.output == program::TileOutput::kS32;
  if (spec.kernel != program::TileKernel::kVector) return {};
  if (!plain_s32 && spec.output != program::TileOutput::kS8) return {};
  if (!whole && spec.stack_bytes != program::DesignSpec().stack_bytes) return {};
  // Any product of the design will do: one tile of each.
  const auto tile = fmt::format("{}x{}x{}", spec.tile_m, spec.tile_k, spec.tile_n);
  std::string command =
      fmt::format("tilewave emit {} --arch {} --design {} --out {} --tile {}", tile,
                  arch::NpuOf(spec.arch).name, Name(spec.family), Name(spec.output), tile);
  if (whole) {
    command += fmt::format(" --cols {} --k-mt {} --b-layout {} --c-buffers {} --stack {}",
                           spec.columns, program::MemoryTileK(spec), Name(spec.b_layout),
                           spec.c_buffers, spec.stack_bytes);
  }
  return command + fmt::format(" -o {:016x}", program::ConfigurationHash(spec));
}

Result<std::unique_ptr<ArrayImage>> ReadBinary(const std::string& directory,
                                               const program::DesignSpec& spec) {
  const std::string path = directory + "/" + BinaryName(spec);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    const std::string command = EmitCommand(spec);
    return Status(
        StatusCode::kNotFound,
        fmt::format("no array binary {} for {}; {}", path, Name(spec),
                    command.empty()
                        ? "tilewave emit does not write this design"
                        : fmt::format("`{}` and the build.sh that it writes make it", command)));
  }
  const std::streamoff size = file.tellg();
  file.seekg(0);
  std::vector<std::byte> bytes(static_cast<size_t>(std::max<std::streamoff>(size, 0)));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (size < 0 || !file) {
    return Status(StatusCode::kDataLoss, fmt::format("array binary {} cannot be read", path));
  }
  if (bytes.size() < kMagic.size() ||
      std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("array binary {} does not begin with '{}'", path, kMagic));
  }
  return std::unique_ptr<ArrayImage>(std::make_unique<ArrayBinary>(spec, std::move(bytes)));
}

}  // namespace tilewave::device::xrt
