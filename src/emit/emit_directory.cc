#include "emit/emit_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <string_view>
#include <utility>

#include "emit/directory_text.h"
#include "emit/launch_stream.h"
#include "emit/mlir_parser.h"
#include "emit/mlir_printer.h"
#include "program/lower.h"
#include "program/validate.h"

namespace tilewave::emit {
namespace {

using program::ArrayProgram;

constexpr std::string_view kKernelDirectory = "kernels/aie/";

/// The printed program, once it has been read back.
Result<std::string> CheckedMlir(const ArrayProgram& program) {
  Result<std::string> text = MlirText(program);
  if (!text.ok()) return text;
  const Result<ArrayProgram> read = ParseMlir(*text);
  if (!read.ok() || !(*read == program)) {
    return Status(StatusCode::kInternal, fmt::format("{} reads back as another program ({})",
                                                     Name(program.spec), read.status().message()));
  }
  return text;
}

/// Little-endian, whatever the machine's own order.
std::string BytesOf(const std::vector<uint32_t>& words) {
  std::string bytes;
  bytes.reserve(words.size() * sizeof(uint32_t));
  for (const uint32_t word : words) {
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(word >> shift & 0xFF);
  }
  return bytes;
}

}  // namespace

Result<std::vector<EmittedFile>> EmitDirectory(const program::DesignSpec& spec,
                                               const program::ProductShape& shape,
                                               std::span<const KernelSource> kernels) {
  const Result<ArrayProgram> program = program::Lower(spec);
  if (!program.ok()) return program.status();
  if (Status s = program::Validate(*program, arch::NpuOf(spec.arch)); !s.ok()) return s;
  Result<std::string> mlir = CheckedMlir(*program);
  if (!mlir.ok()) return mlir.status();
  const Result<LaunchStream> launch = MakeLaunchStream(*program, shape);
  if (!launch.ok()) return launch.status();

  const std::string product = ProductName(shape);
  const std::vector<KernelUse> uses = KernelUses(*program, kernels);
  std::vector<EmittedFile> files;
  files.push_back({"README.md", ReadmeText(*program, uses)});
  files.push_back({"build.sh", BuildScript(spec, uses), true});
  files.push_back({"design.mlir", *std::move(mlir)});
  for (const KernelSource& source : kernels) {
    files.push_back({fmt::format("{}{}", kKernelDirectory, source.name), std::string(source.text)});
  }
  files.push_back({product + ".stream.bin", BytesOf(launch->words)});
  files.push_back({product + ".txt", LaunchText(spec, shape, *launch)});
  return files;
}

}  // namespace tilewave::emit
