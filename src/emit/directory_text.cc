#include "emit/directory_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "emit/memref_types.h"
#include "emit/mlir_names.h"
#include "emit/spec_text.h"

namespace tilewave::emit {
namespace {

using program::DesignFamily;
using program::DesignSpec;
using program::ProductShape;

// Device, configuration hash, design, kernels.
constexpr std::string_view kReadme = R"text(# {name}

Made by `tilewave emit`. **Nothing here has run on an NPU, and none of it has been through aie-opt
or aiecc by tilewave's authors.** What `tilewave emit` has checked: the program and the streams fit
the limits of the hardware, and design.mlir reads back as the program that the virtual NPU runs.

| | |
|---|---|
| device | `{device}` |
| configuration | `{hash:016x}` |
| design | `{spec}` |
| toolchain | mlir-aie 1.4.2 (commit 7e00b57955e1) with its Peano (llvm-aie) |

| file | |
|---|---|
| `design.mlir` | the configuration of the array; the same for every product |
| `kernels/aie/` | sources of the tile kernels |
| `build.sh` | makes `{hash:016x}.xclbin` of the two |
| `*.stream.bin` | the instruction stream of one product, 32-bit words, little-endian |
| `*.txt` | what that stream multiplies, and what its buffers hold |

Further products for the same configuration join this directory: `tilewave emit` writes nothing
that is there already, and refuses a directory in which a file differs.

## Building

    MLIR_AIE_DIR=... PEANO_INSTALL_DIR=... ./build.sh

## Kernels

Functions with C linkage in one object, `kernels.o`. Pointers are bare; a memref says how many
bytes or words stand behind one. Tiles are in row-major blocks: A in rows x depth, B in depth x
columns, C in rows x columns.

| kernel | tile m x k x n | block | arguments | source |
|---|---|---|---|---|
{kernels}
## Memory

Every core, and every memory tile that feeds as much, is laid out alike. Two loads of one
instruction from one bank of a core take a cycle more.

| tile | buffer | address | bytes | banks |
|---|---|---|---|---|
{memory}
## What to check on first use

- `aie-opt --verify-diagnostics design.mlir` accepts the text.
- Completion tokens: in what aiecc leaves of its passes in `build/`, each shim tile has a packet
  flow from `TileControl` to `South`, and its `controller_id` is still {controller}. Those passes
  add the flow; without it a stream waits for ever.
- Addresses: buffers and `parameters` stand where design.mlir puts them. Streams write parameters
  and locks by address and id.
- Descriptor ids: those in design.mlir are kept.
- The linker's map: the stack is at the bottom of the data memory, and `.data` and `.bss` overlap no
  buffer.
- The core's assembly: parameters are loaded after the lock `start` is taken, not before.
- Program memory: at most {program_bytes} bytes a core.
)text";

constexpr std::string_view kBuild = R"text(#!/bin/sh
# {name}: makes {hash:016x}.xclbin of design.mlir and the tile kernels.
set -eu
cd "$(dirname "$0")"

fail() {{
  echo "build.sh: $1" >&2
  exit 1
}}

[ -n "${{MLIR_AIE_DIR:-}}" ] ||
  fail "MLIR_AIE_DIR is not set; expected the folder of an installed mlir-aie 1.4.2"
[ -x "$MLIR_AIE_DIR/bin/aiecc" ] || fail "MLIR_AIE_DIR has no bin/aiecc: $MLIR_AIE_DIR"
[ -n "${{PEANO_INSTALL_DIR:-}}" ] ||
  fail "PEANO_INSTALL_DIR is not set; expected the folder of an installed llvm-aie"
[ -x "$PEANO_INSTALL_DIR/bin/clang++" ] ||
  fail "PEANO_INSTALL_DIR has no bin/clang++: $PEANO_INSTALL_DIR"

# One C++ file that defines {functions}.
{source}
[ -f "$KERNELS" ] || fail "there is no file of kernels '$KERNELS'"

"$PEANO_INSTALL_DIR/bin/clang++" -O2 -std=c++20 --target={target}-none-unknown-elf \
  -Wno-parentheses -Wno-attributes -Wno-macro-redefined -Wno-empty-body \
  -Wno-missing-template-arg-list-after-template-kw -DNDEBUG \
  -ffunction-sections -fdata-sections -fstack-size-section \
  -I "$MLIR_AIE_DIR/include" -I . -DDIM_M={m} -DDIM_K={k} -DDIM_N={n} \
  -c "$KERNELS" -o kernels.o

"$MLIR_AIE_DIR/bin/aiecc" --get-xclbin --xclbin-name={hash:016x}.xclbin \
  --peano="$PEANO_INSTALL_DIR" -O3 -j0 --tmpdir=build design.mlir

echo "{hash:016x}.xclbin"
)text";

constexpr std::string_view kOwnKernels = "KERNELS=${KERNELS:-kernels/aie/tile_kernels.cc}";

std::string FunctionNames(std::span<const KernelUse> kernels) {
  std::vector<std::string_view> names;
  for (const KernelUse& use : kernels) names.push_back(use.kernel.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

const char* LayoutText(program::BLayout layout) {
  switch (layout) {
    case program::BLayout::kRowMajor:
      return "row-major";
    case program::BLayout::kColumnMajor:
      return "column-major";
    case program::BLayout::kPacked:
      break;
  }
  return "packed: tile_n columns after tile_n columns, each k x tile_n in row-major blocks";
}

/// What buffers of a whole product hold.
std::string ImagesText(const DesignSpec& spec, const program::ImageLayout& layout) {
  return fmt::format(
      "A {} x {}, s8, row-major\nB {} x {}, s8, {}\nC {} x {}, {}, row-major\n"
      "matrices of A {}, of B {}, of C {}, one after the other\n"
      "Beyond the product, A and B must be 0 along K; C beyond M and N is of no use.\n",
      layout.m_padded, layout.k_padded, layout.k_padded, layout.n_padded, LayoutText(spec.b_layout),
      layout.m_padded, layout.n_padded, Name(spec.output), layout.a_matrices, layout.b_matrices,
      layout.c_matrices);
}

std::string TilesText(const DesignSpec& spec, int64_t launches) {
  const bool streams_k = spec.family == DesignFamily::kKStream;
  return fmt::format(
      "The product takes {} launches, all with this stream: one for each tile of C{}.\n"
      "Buffers: {}, the tile of C.\n",
      launches, streams_k ? "" : " and step over K, whose results the host adds",
      streams_k ? "the panel of A (its tiles along K), the panel of B"
                : "the tile of A and behind it that of B");
}

}  // namespace

std::vector<KernelUse> KernelUses(const program::ArrayProgram& program,
                                  std::span<const KernelSource> sources) {
  const Result<std::map<std::string, std::string>> signatures = MemrefTypes(program).Signatures();
  std::map<std::string_view, KernelUse> uses;
  for (const program::Core& core : program.cores) {
    for (const program::Kernel& kernel : core.kernels) {
      KernelUse& use = uses[kernel.name];
      use.kernel = kernel;
      if (signatures.ok() && signatures->contains(kernel.name)) {
        use.arguments = signatures->at(kernel.name);
      }
      const std::string definition = fmt::format("void {}(", kernel.name);
      // The kernels here take blocks two by two.
      const bool even =
          kernel.m % (2 * kernel.block.rows) == 0 && kernel.n % (2 * kernel.block.columns) == 0;
      use.has_source =
          even && std::any_of(sources.begin(), sources.end(), [&](const KernelSource& s) {
            return s.text.find(definition) != s.text.npos;
          });
    }
  }
  std::vector<KernelUse> list;
  list.reserve(uses.size());
  for (auto& [name, use] : uses) list.push_back(std::move(use));
  return list;
}

std::string ProductName(const ProductShape& shape) {
  const std::string batch = shape.batch == 1 ? "" : fmt::format("batch{}-", shape.batch);
  return fmt::format("{}{}x{}x{}", batch, shape.m, shape.k, shape.n);
}

namespace {

/// Buffers of the first core and of the first memory tile with their banks.
std::string MemoryRows(const program::ArrayProgram& program) {
  const arch::Npu& npu = arch::NpuOf(program.spec.arch);
  std::string rows;
  for (const program::TileBuffer& b : program.buffers) {
    const bool first = b.tile.column == 0 && b.tile.row <= program.cores.front().tile.row;
    if (!first) continue;
    const arch::TileLimits& limits = npu.LimitsOf(b.tile.row);
    const int64_t bank = arch::BankOf(limits, b.address);
    const int64_t last = arch::BankOf(limits, b.address + b.bytes - 1);
    rows += fmt::format("| {} | `{}` | {} | {} | {} |\n", program::Name(b.tile), b.name, b.address,
                        b.bytes,
                        bank == last ? fmt::format("{}", bank) : fmt::format("{}-{}", bank, last));
  }
  return rows;
}

}  // namespace

std::string ReadmeText(const program::ArrayProgram& program, std::span<const KernelUse> kernels) {
  const DesignSpec& spec = program.spec;
  std::string rows;
  for (const KernelUse& use : kernels) {
    const program::Kernel& k = use.kernel;
    rows += fmt::format("| `{}` | {} x {} x {} | {} x {} x {}{} | `{}` | {} |\n", k.name, k.m, k.k,
                        k.n, k.block.rows, k.block.depth, k.block.columns,
                        k.b_transposed ? ", B transposed inside its blocks" : "", use.arguments,
                        use.has_source ? "`kernels/aie/tile_kernels.cc`" : "**none: yours**");
  }
  return fmt::format(
      fmt::runtime(kReadme), fmt::arg("name", Name(spec)), fmt::arg("device", DeviceName(spec)),
      fmt::arg("hash", program::ConfigurationHash(spec)), fmt::arg("spec", SpecText(spec)),
      fmt::arg("kernels", rows), fmt::arg("memory", MemoryRows(program)),
      fmt::arg("controller", arch::kShimControllerId),
      fmt::arg("program_bytes", arch::NpuOf(spec.arch).core.program_bytes));
}

std::string BuildScript(const DesignSpec& spec, std::span<const KernelUse> kernels) {
  std::vector<std::string_view> missing;
  for (const KernelUse& use : kernels) {
    if (!use.has_source) missing.push_back(use.kernel.name);
  }
  const std::string source =
      missing.empty()
          ? std::string(kOwnKernels)
          : fmt::format(
                "[ -n \"${{KERNELS:-}}\" ] ||\n  fail \"no source here defines {} as this "
                "design wants it; set KERNELS to a C++ file that does\"",
                fmt::join(missing, ", "));
  return fmt::format(fmt::runtime(kBuild), fmt::arg("name", Name(spec)),
                     fmt::arg("hash", program::ConfigurationHash(spec)), fmt::arg("source", source),
                     fmt::arg("functions", FunctionNames(kernels)),
                     fmt::arg("target", spec.arch == arch::NpuArch::kNpu1 ? "aie2" : "aie2p"),
                     fmt::arg("m", spec.tile_m), fmt::arg("k", spec.tile_k),
                     fmt::arg("n", spec.tile_n));
}

std::string LaunchText(const DesignSpec& spec, const ProductShape& shape,
                       const LaunchStream& launch) {
  std::string text = fmt::format(
      "{}.stream.bin: {} words for configuration {:016x} ({})\n"
      "batch {}, M {}, K {}, N {}\nbytes of the launch's buffers: {}\n",
      ProductName(shape), launch.words.size(), program::ConfigurationHash(spec), Name(spec),
      shape.batch, shape.m, shape.k, shape.n, fmt::join(launch.argument_bytes, ", "));
  if (spec.family != DesignFamily::kWholeArray) return text + TilesText(spec, launch.launches);
  const Result<program::ImageLayout> layout = program::ImageLayoutOf(spec, shape);
  if (layout.ok()) text += ImagesText(spec, *layout);
  if (program::IsRequantised(spec.output)) {
    text += fmt::format("Sums are shifted right by {}, rounding {}, saturation {}.\n",
                        shape.requant.shift, Name(shape.requant.rounding),
                        Name(shape.requant.saturation));
  }
  return text;
}

}  // namespace tilewave::emit
