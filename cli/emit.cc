#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/operands.h"
#include "cli/output_directory.h"
#include "cli/text.h"
#include "cli/whole_array_flags.h"
#include "emit/emit_directory.h"
#include "emit/kernel_sources.h"

namespace tilewave::cli {
namespace {

using program::BLayout;
using program::DesignFamily;
using program::DesignSpec;
using program::ProductShape;

constexpr int64_t kLargestBatch = int64_t{1} << 31;
constexpr int64_t kLargestShift = 31;

struct EmitOptions {
  std::string shape;
  std::string arch;
  std::string design = "whole_array";
  std::string directory;
  std::string out = "s32";
  std::optional<std::string> tile;
  WholeArrayFlags whole_array;
  std::optional<std::string> batch;
  std::optional<std::string> shift;
};

/// "MxKxN" with all extents at least 1.
Result<std::vector<int64_t>> ParseExtents(std::string_view what, const std::string& text,
                                          int64_t most) {
  Result<std::vector<int64_t>> shape = ParseShape(text);
  if (shape.ok() && shape->size() == 3 && *std::max_element(shape->begin(), shape->end()) <= most) {
    return shape;
  }
  const std::string up_to = most == std::numeric_limits<int64_t>::max()
                                ? "at least 1"
                                : fmt::format("from 1 to {}", most);
  return Invalid(fmt::format("{} '{}'; expected MxKxN, each {}", what, text, up_to));
}

Status CheckFamilyOptions(const EmitOptions& o) {
  if (o.design == "whole_array") return {};
  for (const auto& [option, given] :
       {std::pair{"--k-mt", o.whole_array.k_mt.has_value()},
        std::pair{"--b-layout", o.whole_array.b_layout.has_value()},
        std::pair{"--cols", o.whole_array.columns.has_value()},
        std::pair{"--c-buffers", o.whole_array.c_buffers.has_value()},
        std::pair{"--batch", o.batch.has_value()}, std::pair{"--shift", o.shift.has_value()}}) {
    if (given) return Invalid(fmt::format("{} is for whole_array, not {}", option, o.design));
  }
  return {};
}

Result<BLayout> LayoutOf(const std::string& name) {
  for (const BLayout layout : {BLayout::kRowMajor, BLayout::kColumnMajor, BLayout::kPacked}) {
    if (Name(layout) == name) return layout;
  }
  return Invalid(fmt::format("--b-layout is '{}'; expected row, col or packed", name));
}

Result<DesignSpec> SpecOf(const EmitOptions& o) {
  if (Status s = CheckFamilyOptions(o); !s.ok()) return s;
  DesignSpec spec;
  spec.arch = o.arch == "npu1" ? arch::NpuArch::kNpu1 : arch::NpuArch::kNpu2;
  spec.family = o.design == "whole_array" ? DesignFamily::kWholeArray
                : o.design == "k_stream"  ? DesignFamily::kKStream
                                          : DesignFamily::kPackedTile;
  if (o.out == "s8") spec.output = program::TileOutput::kS8;
  if (spec.family == DesignFamily::kWholeArray) {
    spec.columns = arch::NpuOf(spec.arch).columns;
    spec.stack_bytes = program::kWholeArrayStackBytes;
  }
  if (o.tile) {
    const Result<std::vector<int64_t>> tile = ParseExtents("--tile is", *o.tile, kLargestSide);
    if (!tile.ok()) return tile.status();
    spec.tile_m = (*tile)[0];
    spec.tile_k = (*tile)[1];
    spec.tile_n = (*tile)[2];
  }
  if (o.whole_array.b_layout) {
    const Result<BLayout> layout = LayoutOf(*o.whole_array.b_layout);
    if (!layout.ok()) return layout.status();
    spec.b_layout = *layout;
  }
  const Status s = ParseWholeArrayFlags(o.whole_array, &spec);
  if (!s.ok()) return s;
  return spec;
}

Result<ProductShape> ShapeOf(const EmitOptions& o) {
  const Result<std::vector<int64_t>> extents =
      ParseExtents("the product is", o.shape, std::numeric_limits<int64_t>::max());
  if (!extents.ok()) return extents.status();
  ProductShape shape;
  shape.m = (*extents)[0];
  shape.k = (*extents)[1];
  shape.n = (*extents)[2];
  if (o.shift && o.out != "s8") return Invalid("--shift is for --out s8");
  Status s = ParseOptional("--batch", o.batch, 1, kLargestBatch, &shape.batch);
  if (s.ok()) s = ParseOptional("--shift", o.shift, 0, kLargestShift, &shape.requant.shift);
  if (!s.ok()) return s;
  return shape;
}

Status CheckDirectoryName(const std::string& directory) {
  if (directory.empty()) return Invalid("-o is empty");
  if (directory[0] != '-') return {};
  return Invalid(
      fmt::format("'{0}' looks like an option; a directory of that name is ./{0}", directory));
}

Status Emit(const EmitOptions& options, Context* context) {
  if (Status s = CheckDirectoryName(options.directory); !s.ok()) return s;
  const Result<DesignSpec> spec = SpecOf(options);
  if (!spec.ok()) return spec.status();
  const Result<ProductShape> shape = ShapeOf(options);
  if (!shape.ok()) return shape.status();
  const Result<std::vector<emit::EmittedFile>> files =
      emit::EmitDirectory(*spec, *shape, emit::KernelSources());
  if (!files.ok()) return files.status();
  const Result<std::vector<bool>> written = WriteDirectory(options.directory, *files);
  if (!written.ok()) return written.status();

  const std::string hash = fmt::format("{:016x}", ConfigurationHash(*spec));
  std::string text =
      fmt::format("{}\nconfiguration {}, never built or run by tilewave\n", Name(*spec), hash);
  nlohmann::json list = nlohmann::json::array();
  for (size_t i = 0; i < files->size(); ++i) {
    const emit::EmittedFile& file = (*files)[i];
    const bool is_new = (*written)[i];
    text += fmt::format("  {:<32} {:>8} bytes{}\n", file.name, file.bytes.size(),
                        is_new ? "" : ", was there");
    list.push_back({{"name", file.name}, {"bytes", file.bytes.size()}, {"written", is_new}});
  }
  context->Succeed(text, {{"directory", options.directory},
                          {"design", Name(*spec)},
                          {"configuration", hash},
                          {"files", list}});
  return {};
}

void AddDesignOptions(CLI::App* command, EmitOptions* o) {
  command->add_option("--arch", o->arch, "The array")
      ->type_name("NAME")
      ->check(CLI::IsMember({"npu1", "npu2"}))
      ->required();
  command->add_option("--design", o->design, "whole_array, k_stream or packed_tile")
      ->type_name("NAME")
      ->check(CLI::IsMember({"whole_array", "k_stream", "packed_tile"}))
      ->capture_default_str();
  command->add_option("--out", o->out, "What leaves the array: s32, or s8 (whole_array)")
      ->type_name("T")
      ->check(CLI::IsMember({"s32", "s8"}))
      ->capture_default_str();
  AddText(command, "--tile", &o->tile, "A core's tile (default 64x64x64)")->type_name("MxKxN");
  AddWholeArrayFlags(command, &o->whole_array);
}

}  // namespace

void AddEmitCommand(CLI::App* app, Context* context) {
  CLI::App* command = app->add_subcommand(
      "emit", "Write a design for mlir-aie: MLIR, kernels, build script, and a product's stream");
  auto options = std::make_shared<EmitOptions>();
  command->add_option("SHAPE", options->shape, "M x K x N, as 512x512x512")
      ->type_name("MxKxN")
      ->required();
  AddDesignOptions(command, options.get());
  AddText(command, "--batch", &options->batch, "whole_array: so many products in one launch")
      ->type_name("N");
  AddText(command, "--shift", &options->shift,
          "--out s8: shift right by 0 to 31 (default 0), ties to even, saturating")
      ->type_name("N");
  command->add_option("-o", options->directory, "Directory; nothing in it is replaced")
      ->type_name("DIR")
      ->required();
  command->callback([options, context] {
    if (const Status s = Emit(*options, context); !s.ok()) context->Fail(s);
  });
}

}  // namespace tilewave::cli
