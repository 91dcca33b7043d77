#include "cli/stream_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "report/table.h"
#include "report/units.h"

namespace tilewave::cli {
namespace {

using program::ChannelId;
using program::DecodedOp;
using program::Dim;
using program::StreamOp;
using program::Tile;

/// One number of an operation.
struct Field {
  const char* name;
  uint64_t value;
  bool hexadecimal = false;
};

/// All that an operation says.
struct OpContents {
  std::vector<Field> fields;
  std::span<const uint32_t> words;
};

Field Hex(const char* name, uint64_t value) { return {name, value, true}; }

/// One overload per operation.
struct ContentsVisitor {
  OpContents operator()(const program::Write32& op) const {
    return {{Hex("address", op.address), Hex("value", op.value)}, {}};
  }
  OpContents operator()(const program::BlockWrite& op) const {
    return {{Hex("address", op.address)}, op.words};
  }
  OpContents operator()(const program::MaskWrite& op) const {
    return {{Hex("address", op.address), Hex("value", op.value), Hex("mask", op.mask)}, {}};
  }
  OpContents operator()(const program::MaskPoll& op) const {
    return {{Hex("address", op.address), Hex("value", op.value), Hex("mask", op.mask)}, {}};
  }
  OpContents operator()(const program::PatchAddress& op) const {
    return {
        {Hex("address", op.address), {"argument", op.argument}, {"offset_bytes", op.offset_bytes}},
        {}};
  }
  OpContents operator()(const program::Sync& op) const {
    const auto number = [](int value) { return static_cast<uint64_t>(value); };
    return {{{"column", number(op.channel.tile.column)},
             {"row", number(op.channel.tile.row)},
             {"direction", op.channel.direction == program::Direction::kS2mm ? 0u : 1u},
             {"channel", number(op.channel.channel)},
             {"columns", number(op.columns)},
             {"rows", number(op.rows)}},
            {}};
  }
  OpContents operator()(const program::Noop& /*op*/) const { return {}; }
  OpContents operator()(const program::Preempt& op) const { return {{{"level", op.level}}, {}}; }
  OpContents operator()(const program::LoadPdi& op) const {
    return {{{"id", op.id}, {"bytes", op.bytes}, Hex("address", op.address)}, {}};
  }
  OpContents operator()(const program::LoadProgram& op) const {
    return {{{"sequences", op.sequences}, {"id", op.id}}, {}};
  }
  OpContents operator()(const program::CreateScratchpad& op) const {
    return {{{"usage", op.usage}, {"bytes", op.bytes}, Hex("offset", op.offset)}, {}};
  }
  OpContents operator()(const program::UpdateStateTable& op) const {
    return {{{"index", op.index}, {"function", op.function}, {"argument", op.argument}}, {}};
  }
  OpContents operator()(const program::UpdateRegister& op) const {
    return {{{"index", op.index},
             {"function", op.function},
             {"argument", op.argument},
             Hex("offset", op.offset)},
            {}};
  }
  OpContents operator()(const program::UpdateScratchpad& /*op*/) const { return {}; }
  OpContents operator()(const program::MergeSync& op) const {
    return {{{"tokens", op.tokens}, {"columns", op.columns}}, {}};
  }
  OpContents operator()(const program::CustomOp& op) const { return {{}, op.words}; }
};

std::string ContentsText(const StreamOp& op) {
  const OpContents contents = std::visit(ContentsVisitor(), op);
  std::string text;
  for (const Field& field : contents.fields) {
    if (!text.empty()) text += ", ";
    text += field.hexadecimal ? fmt::format("{} {:#010x}", field.name, field.value)
                              : fmt::format("{} {}", field.name, field.value);
  }
  if (!contents.words.empty()) {
    text += text.empty() ? "words" : ", words";
    for (const uint32_t word : contents.words) text += fmt::format(" {:08x}", word);
  }
  return text;
}

nlohmann::json OpJson(const StreamOp& op) {
  const OpContents contents = std::visit(ContentsVisitor(), op);
  nlohmann::json json{{"op", Name(op)}, {"opcode", OpcodeOf(op)}};
  for (const Field& field : contents.fields) json[field.name] = field.value;
  if (!contents.words.empty()) json["words"] = contents.words;
  return json;
}

/// The operations with the words at which they stand. REQUIRES: a stream that was read before.
template <typename Visit>
void ForEachOp(std::span<const uint32_t> words, const Visit& visit) {
  Result<program::StreamReader> reader = program::StreamReader::Open(words);
  while (reader.ok() && !reader->done()) {
    const size_t position = reader->position();
    const Result<StreamOp> op = reader->Next();
    if (!op.ok()) return;
    visit(position, *op);
  }
}

std::string VersionText(program::StreamVersion version) {
  return version == program::StreamVersion::kV01 ? "0.1" : "1.0";
}

std::string BytesOfWords(int64_t words) { return fmt::format("{} B", words * arch::kWordBytes); }

std::string ExecutionsText(const Dim& iteration, int executions) {
  if (iteration.size == 1) {
    return executions == 1 ? "" : fmt::format(", repeated {} times", executions);
  }
  std::string text = executions == 1 ? ", once"
                                     : fmt::format(", {} times, each {} further on", executions,
                                                   BytesOfWords(iteration.step_words));
  if (executions != iteration.size) text += fmt::format(" (of an iteration of {})", iteration.size);
  return text;
}

/// What a step of the stream is, and the rest of what it says.
using StepText = std::pair<std::string, std::string>;

struct StepTextVisitor {
  // Told by the tasks that use it.
  StepText operator()(const program::WriteDescriptor& /*op*/) const { return {}; }
  StepText operator()(const program::ShimTask& task) const {
    const program::PushTask& push = task.push;
    std::string text = fmt::format("descriptor {}: ", push.descriptor);
    if (task.pattern) {
      text += fmt::format("buffer {}", task.pattern->argument);
      if (task.pattern->offset_bytes != 0) {
        text += fmt::format(" + {} B", task.pattern->offset_bytes);
      }
      text += ": " + PatternText(*task.pattern, push.executions);
    } else {
      text += fmt::format("{} executions, unknown ({})", push.executions, task.no_pattern_because);
    }
    if (push.token) text += ", token";
    return {Name(push.channel), text};
  }
  StepText operator()(const program::AwaitToken& op) const { return {Name(op.channel), "wait"}; }
  StepText operator()(const program::WriteParameter& op) const {
    return {Name(op.tile), fmt::format("parameter at {:#x} is {:#x}", op.address, op.value)};
  }
  StepText operator()(const program::SetLock& op) const {
    return {Name(op.tile), fmt::format("lock {} is {}", op.id, op.value)};
  }
  StepText operator()(const program::SetController& op) const {
    return {Name(op.channel), fmt::format("tokens for controller {}", op.id)};
  }
  StepText operator()(const StreamOp& op) const {
    return {std::string(Name(op)), ContentsText(op)};
  }
};

nlohmann::json TileJson(const char* kind, const Tile& tile) {
  return {{"kind", kind}, {"column", tile.column}, {"row", tile.row}};
}

nlohmann::json ChannelJson(const char* kind, const ChannelId& id) {
  nlohmann::json json = TileJson(kind, id.tile);
  json["direction"] = Name(id.direction);
  json["channel"] = id.channel;
  return json;
}

nlohmann::json PatternJson(const program::WriteDescriptor& pattern) {
  nlohmann::json sizes = nlohmann::json::array();
  nlohmann::json steps = nlohmann::json::array();
  for (const Dim& dim : pattern.dims) {
    sizes.push_back(dim.size);
    steps.push_back(dim.step_words);
  }
  if (pattern.dims.empty()) {
    sizes.push_back(pattern.length_words);
    steps.push_back(1);
  }
  return {{"argument", pattern.argument},
          {"offset_bytes", pattern.offset_bytes},
          {"length_words", pattern.length_words},
          {"sizes", sizes},
          {"steps_words", steps},
          {"iteration_size", pattern.iteration.size},
          {"iteration_step_words", pattern.iteration.step_words}};
}

struct StepJsonVisitor {
  nlohmann::json operator()(const program::WriteDescriptor& /*op*/) const { return nullptr; }
  nlohmann::json operator()(const program::ShimTask& task) const {
    nlohmann::json json = ChannelJson("task", task.push.channel);
    json["descriptor"] = task.push.descriptor;
    json["executions"] = task.push.executions;
    json["token"] = task.push.token;
    json["pattern"] = task.pattern ? PatternJson(*task.pattern) : nullptr;
    if (!task.pattern) json["no_pattern_because"] = task.no_pattern_because;
    return json;
  }
  nlohmann::json operator()(const program::AwaitToken& op) const {
    return ChannelJson("wait", op.channel);
  }
  nlohmann::json operator()(const program::WriteParameter& op) const {
    nlohmann::json json = TileJson("parameter", op.tile);
    json["address"] = op.address;
    json["value"] = op.value;
    return json;
  }
  nlohmann::json operator()(const program::SetLock& op) const {
    nlohmann::json json = TileJson("lock", op.tile);
    json["id"] = op.id;
    json["value"] = op.value;
    return json;
  }
  nlohmann::json operator()(const program::SetController& op) const {
    nlohmann::json json = ChannelJson("controller", op.channel);
    json["id"] = op.id;
    return json;
  }
  nlohmann::json operator()(const StreamOp& op) const {
    nlohmann::json json = OpJson(op);
    json["kind"] = "operation";
    return json;
  }
};

}  // namespace

std::string PatternText(const program::WriteDescriptor& pattern, int executions) {
  const program::DimList& dims = pattern.dims;
  std::string text;
  if (dims.empty()) {
    text = BytesOfWords(pattern.length_words) + " in one run";
  } else if (dims[0].step_words == 1) {
    text = BytesOfWords(dims[0].size);
  } else {
    text = fmt::format("{} words, step {}", dims[0].size, BytesOfWords(dims[0].step_words));
  }
  bool has_rows = false;
  for (size_t i = 1; i < dims.size(); ++i) {
    if (dims[i].size == 1) continue;
    const std::string step = BytesOfWords(dims[i].step_words);
    text = has_rows ? fmt::format("{}, in {} blocks, step {}", text, dims[i].size, step)
                    : fmt::format("{} rows x {}, step {}", dims[i].size, text, step);
    has_rows = true;
  }
  return text + ExecutionsText(pattern.iteration, executions);
}

std::string StreamText(std::span<const uint32_t> words, const program::DecodedStream& stream) {
  const program::StreamHeader& header = stream.header;
  report::Table ops;
  ops.AddColumn("word", report::Table::Align::kRight);
  ops.AddColumn("operation");
  ops.AddColumn("contents");
  ForEachOp(words, [&ops](size_t position, const StreamOp& op) {
    const bool custom = OpcodeOf(op) >= 0x82;
    ops.AddRow({fmt::format("{}", position),
                custom ? fmt::format("{} {:#04x}", Name(op), OpcodeOf(op)) : std::string(Name(op)),
                ContentsText(op)});
  });
  report::Table steps;
  steps.AddColumn("where");
  steps.AddColumn("what");
  for (const DecodedOp& op : stream.ops) {
    StepText text = std::visit(StepTextVisitor(), op);
    if (!text.first.empty()) steps.AddRow({std::move(text.first), std::move(text.second)});
  }
  return fmt::format("version {}, {}, {} rows, {} columns: {} operations, {} bytes\n\n{}\n{}",
                     VersionText(header.version), program::NpuOfGeneration(header.generation).name,
                     header.rows, header.columns, report::FormatCount(header.ops),
                     report::FormatCount(header.bytes), ops.ToString(), steps.ToString());
}

nlohmann::json StreamJson(std::span<const uint32_t> words, const program::DecodedStream& stream) {
  const program::StreamHeader& header = stream.header;
  nlohmann::json ops = nlohmann::json::array();
  ForEachOp(words, [&ops](size_t position, const StreamOp& op) {
    nlohmann::json json = OpJson(op);
    json["word"] = position;
    ops.push_back(std::move(json));
  });
  nlohmann::json tasks = nlohmann::json::array();
  for (const DecodedOp& op : stream.ops) {
    nlohmann::json json = std::visit(StepJsonVisitor(), op);
    if (!json.is_null()) tasks.push_back(std::move(json));
  }
  return {{"header",
           {{"version", VersionText(header.version)},
            {"npu", program::NpuOfGeneration(header.generation).name},
            {"generation", header.generation},
            {"rows", header.rows},
            {"columns", header.columns},
            {"ops", header.ops},
            {"bytes", header.bytes}}},
          {"ops", std::move(ops)},
          {"tasks", std::move(tasks)}};
}

}  // namespace tilewave::cli
