#include "emit/mlir_parser.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "emit/core_parser.h"
#include "emit/mlir_names.h"
#include "emit/mlir_printer.h"
#include "emit/mlir_symbols.h"
#include "emit/mlir_tokens.h"
#include "emit/spec_text.h"

namespace tilewave::emit {
namespace {

using program::ArrayProgram;
using program::Channel;
using program::ChannelId;
using program::Descriptor;
using program::Direction;
using program::Tile;

constexpr int64_t kMostBytes = int64_t{1} << 40;

class MlirParser {
 public:
  explicit MlirParser(Cursor cursor) : cursor_(std::move(cursor)) {}

  Result<ArrayProgram> Parse() {
    TakeSpec();
    TakeDirective("configuration");
    cursor_.ExpectAll({"module", "{", "aie.device", "("});
    cursor_.Take(Token::Kind::kWord, "a device");
    cursor_.ExpectAll({")", "{"});
    while (cursor_.ok() && !cursor_.Is("}")) TakeStatement();
    cursor_.ExpectAll({"}", "}"});
    if (cursor_.ok() && cursor_.Peek().kind != Token::Kind::kEnd) {
      cursor_.Fail(cursor_.Peek(), "the end");
    }
    if (!cursor_.ok()) return cursor_.status();
    return std::move(program_);
  }

 private:
  /// The words of "// tilewave: <word> ...", the first included.
  std::vector<std::string_view> TakeDirective(std::string_view word) {
    const Token token = cursor_.Peek();
    std::vector<std::string_view> words =
        WordsOf(cursor_.Take(Token::Kind::kDirective, fmt::format("'// tilewave: {} ...'", word)));
    if (words[0] != word) cursor_.Fail(token, fmt::format("'// tilewave: {} ...'", word));
    return words;
  }

  void TakeSpec() {
    constexpr std::string_view kWord = "spec ";
    const Token token = cursor_.Peek();
    TakeDirective("spec");
    if (!cursor_.ok() || !token.text.starts_with(kWord)) {
      return cursor_.Fail(token, "'// tilewave: spec ...'");
    }
    const Result<program::DesignSpec> spec = ParseSpecText(token.text.substr(kWord.size()));
    if (!spec.ok()) return cursor_.Fail(token, "a design (" + spec.status().message() + ")");
    program_.spec = *spec;
  }

  void TakeStatement() {
    const Token& token = cursor_.Peek();
    if (token.kind == Token::Kind::kDirective) return TakeParameters();
    if (token.kind == Token::Kind::kValue) return TakeAssignment();
    if (cursor_.Is("aie.flow")) return TakeFlow();
    // These follow from the rest.
    if (cursor_.Accept("func.func")) {
      cursor_.Expect("private");
      cursor_.Take(Token::Kind::kSymbol, "a kernel");
      cursor_.SkipGroup("(", ")");
      cursor_.Expect("attributes");
      return cursor_.SkipGroup("{", "}");
    }
    if (cursor_.Accept("aie.shim_dma_allocation")) {
      cursor_.Take(Token::Kind::kSymbol, "an allocation");
      return cursor_.SkipGroup("(", ")");
    }
    if (cursor_.Accept("aie.runtime_sequence")) {
      cursor_.Take(Token::Kind::kSymbol, "a sequence");
      cursor_.SkipGroup("(", ")");
      return cursor_.SkipGroup("{", "}");
    }
    cursor_.Fail(token, "a tile, buffer, lock, flow, core or what else an array has");
  }

  void TakeAssignment() {
    const Token name = cursor_.Peek();
    cursor_.Take(Token::Kind::kValue, "a name");
    cursor_.Expect("=");
    if (cursor_.Accept("aie.tile")) return TakeTile(name.text);
    if (cursor_.Accept("aie.buffer")) return TakeBuffer(name);
    if (cursor_.Accept("aie.lock")) return TakeLock(name);
    const Token kind = cursor_.Peek();
    const bool core = cursor_.Accept("aie.core");
    const bool dma = !core && (cursor_.Accept("aie.mem") || cursor_.Accept("aie.memtile_dma"));
    if (!core && !dma) return cursor_.Fail(kind, "a tile, buffer, lock, channels or a core");
    const Tile tile = TakeOwner();
    cursor_.Expect(")");
    if (core) {
      program_.cores.push_back(TakeCore(tile, symbols_, &cursor_));
    } else {
      TakeChannels(tile);
    }
  }

  void TakeTile(std::string_view name) {
    Tile tile;
    cursor_.Expect("(");
    tile.column = cursor_.TakeInt();
    cursor_.Expect(",");
    tile.row = cursor_.TakeInt();
    cursor_.Expect(")");
    if (cursor_.Is("{")) cursor_.SkipGroup("{", "}");
    symbols_.tiles[name] = tile;
  }

  /// "(%tile".
  Tile TakeOwner() {
    cursor_.Expect("(");
    return TakeNamed(symbols_.tiles, "a tile", &cursor_);
  }

  /// What is left of a symbol without its tile's name.
  std::string NameOn(const Tile& tile, const Token& symbol) {
    const std::string prefix = "%" + TileName(tile) + "_";
    if (!symbol.text.starts_with(prefix)) {
      cursor_.Fail(symbol, fmt::format("a name that begins with '{}'", prefix));
      return {};
    }
    return std::string(symbol.text.substr(prefix.size()));
  }

  void TakeSymbolName() {
    cursor_.ExpectAll({",", "sym_name", "="});
    cursor_.Take(Token::Kind::kString, "the name as a string");
    cursor_.Expect("}");
  }

  void TakeBuffer(const Token& symbol) {
    program::TileBuffer buffer;
    buffer.tile = TakeOwner();
    cursor_.ExpectAll({")", "{", "address", "="});
    buffer.address = cursor_.TakeInt();
    cursor_.ExpectAll({":", "i32"});
    TakeSymbolName();
    cursor_.Expect(":");
    bool of_bytes = false;
    buffer.bytes = TakeMemref(&of_bytes);
    buffer.name = NameOn(buffer.tile, symbol);
    if (!cursor_.ok()) return;
    if (parameters_.empty()) {
      symbols_.buffers[symbol.text] = static_cast<int>(program_.buffers.size());
      of_bytes_.push_back(of_bytes);
      program_.buffers.push_back(std::move(buffer));
      return;
    }
    symbols_.parameters[symbol.text] = static_cast<int>(program_.parameters.size());
    int64_t address = buffer.address;
    for (const std::string_view name : std::exchange(parameters_, {})) {
      program_.parameters.push_back({std::string(name), buffer.tile, address});
      address += arch::kWordBytes;
    }
  }

  /// "memref<1024xi32>" as bytes.
  int64_t TakeMemref(bool* of_bytes) {
    cursor_.ExpectAll({"memref", "<"});
    const Token shape = cursor_.Peek();
    cursor_.Take(Token::Kind::kWord, "a shape");
    const size_t cross = shape.text.find('x');
    const int64_t elements = NumberIn(shape.text.substr(0, cross), kMostBytes);
    const std::string_view element =
        cross == shape.text.npos ? std::string_view() : shape.text.substr(cross + 1);
    *of_bytes = element == "i8";
    if (elements < 0 || (!*of_bytes && element != "i32")) {
      cursor_.Fail(shape, "a shape as '1024xi32' or '4096xi8'");
    }
    cursor_.Expect(">");
    return *of_bytes ? elements : elements * arch::kWordBytes;
  }

  /// The names of the words in the buffer that follows.
  void TakeParameters() {
    parameters_ = TakeDirective("parameters");
    parameters_.erase(parameters_.begin());
    const bool buffer = cursor_.Peek().kind == Token::Kind::kValue && cursor_.Is("aie.buffer", 2);
    if (parameters_.empty() || !buffer) cursor_.Fail(cursor_.Peek(), "a buffer of parameters");
  }

  void TakeLock(const Token& symbol) {
    program::Lock lock;
    lock.tile = TakeOwner();
    cursor_.Expect(",");
    lock.id = cursor_.TakeInt();
    cursor_.ExpectAll({")", "{", "init", "="});
    lock.initial = cursor_.TakeInt();
    cursor_.ExpectAll({":", "i32"});
    TakeSymbolName();
    lock.name = NameOn(lock.tile, symbol);
    symbols_.locks[symbol.text] = static_cast<int>(program_.locks.size());
    program_.locks.push_back(std::move(lock));
  }

  /// "%tile, DMA : 0".
  ChannelId TakeFlowEnd(Direction direction) {
    ChannelId id;
    id.tile = TakeNamed(symbols_.tiles, "a tile", &cursor_);
    id.direction = direction;
    cursor_.ExpectAll({",", "DMA", ":"});
    id.channel = cursor_.TakeInt();
    return id;
  }

  void TakeFlow() {
    cursor_.ExpectAll({"aie.flow", "("});
    const ChannelId source = TakeFlowEnd(Direction::kMm2s);
    cursor_.Expect(",");
    const ChannelId destination = TakeFlowEnd(Direction::kS2mm);
    cursor_.Expect(")");
    if (program_.flows.empty() || !(program_.flows.back().source == source)) {
      program_.flows.push_back({source, {}});
    }
    program_.flows.back().destinations.push_back(destination);
  }

  // --- Channels ---

  void TakeChannels(const Tile& tile) {
    MlirConstants constants;
    cursor_.Expect("{");
    while (cursor_.ok() && cursor_.Peek().kind == Token::Kind::kValue) {
      const std::string_view name = cursor_.Take(Token::Kind::kValue, "a constant");
      cursor_.Expect("=");
      TakeConstant(name, &constants, &cursor_);
    }
    std::string_view label;
    while (cursor_.ok() && label != "^end") {
      Channel channel;
      channel.id.tile = tile;
      const Token next = TakeStart(&channel.id);
      while (cursor_.ok() && cursor_.Peek().text.starts_with("^bd")) {
        channel.descriptors.push_back(TakeDescriptor(constants));
      }
      program_.channels.push_back(std::move(channel));
      label = cursor_.Take(Token::Kind::kBlock, "'^bd...', '^channel...' or '^end'");
      if (next.text != label) cursor_.Fail(next, fmt::format("'{}', which follows", label));
      cursor_.Expect(":");
    }
    cursor_.ExpectAll({"aie.end", "}"});
  }

  /// "aie.dma_start(S2MM, 0, ^first, ^next)"; what follows must be ^first. Returns ^next.
  Token TakeStart(ChannelId* id) {
    cursor_.ExpectAll({"aie.dma_start", "("});
    id->direction = cursor_.Is("S2MM") ? Direction::kS2mm : Direction::kMm2s;
    if (!cursor_.Is("S2MM") && !cursor_.Is("MM2S")) {
      cursor_.Fail(cursor_.Peek(), "'S2MM' or 'MM2S'");
    }
    cursor_.Take(Token::Kind::kWord, "a direction");
    cursor_.Expect(",");
    id->channel = cursor_.TakeInt();
    cursor_.Expect(",");
    const Token first = cursor_.Peek();
    cursor_.Take(Token::Kind::kBlock, "the first descriptor");
    cursor_.Expect(",");
    Token next = cursor_.Peek();
    cursor_.Take(Token::Kind::kBlock, "what follows this channel");
    cursor_.Expect(")");
    if (first.text != cursor_.Peek().text) cursor_.Fail(first, "the descriptor that follows");
    return next;
  }

  /// The id of "^bd7"; -1 of "^end".
  int TakeDescriptorLabel() {
    const Token token = cursor_.Peek();
    const std::string_view label = cursor_.Take(Token::Kind::kBlock, "a descriptor");
    if (label == "^end") return -1;
    const int64_t id = label.size() < 3 ? -1 : NumberIn(label.substr(3), INT32_MAX);
    if (!label.starts_with("^bd") || id < 0) cursor_.Fail(token, "'^bd...' or '^end'");
    return static_cast<int>(id);
  }

  Descriptor TakeDescriptor(const MlirConstants& constants) {
    Descriptor d;
    bool releases = false;
    d.id = TakeDescriptorLabel();
    cursor_.Expect(":");
    if (cursor_.Is("aie.use_lock")) {
      d.acquire = TakeLockUse(symbols_, constants, &releases, &cursor_);
    }
    cursor_.ExpectAll({"aie.dma_bd", "("});
    d.buffer = TakeNamed(symbols_.buffers, "a buffer", &cursor_);
    const bool bytes = cursor_.ok() && of_bytes_[static_cast<size_t>(d.buffer)];
    const int64_t scale = bytes ? arch::kWordBytes : 1;
    cursor_.ExpectAll({":", "memref"});
    cursor_.SkipGroup("<", ">");
    cursor_.ExpectAll({"offset", "="});
    d.offset_words = TakeWords(scale);
    cursor_.ExpectAll({"len", "="});
    d.length_words = TakeWords(scale);
    if (cursor_.Is("sizes")) TakePattern(scale, &d);
    cursor_.ExpectAll({")", "{", "bd_id", "="});
    cursor_.TakeInt();
    cursor_.ExpectAll({":", "i32"});
    if (cursor_.Accept(",")) TakeIteration(scale, &d);
    cursor_.Expect("}");
    if (cursor_.Is("aie.use_lock")) {
      d.release = TakeLockUse(symbols_, constants, &releases, &cursor_);
    }
    cursor_.Expect("aie.next_bd");
    d.next = TakeDescriptorLabel();
    return d;
  }

  /// A number of elements as words.
  int64_t TakeWords(int64_t elements_per_word) {
    const Token token = cursor_.Peek();
    const int64_t elements = cursor_.TakeNumber(kMostBytes);
    if (elements % elements_per_word != 0) {
      cursor_.Fail(token, fmt::format("a multiple of {} elements", elements_per_word));
    }
    return elements / elements_per_word;
  }

  /// "[1, 2]", outermost first, as words from d0 on; at most as many as a descriptor has.
  std::vector<int64_t> TakeDims(const std::vector<int64_t>& scales) {
    std::vector<Token> numbers;
    cursor_.Expect("[");
    while (cursor_.ok() && !cursor_.Is("]")) {
      if (!numbers.empty()) cursor_.Expect(",");
      if (numbers.size() >= arch::kMaxDims) cursor_.Fail(cursor_.Peek(), "']'");
      numbers.push_back(cursor_.Peek());
      cursor_.TakeNumber(kMostBytes);
    }
    cursor_.Expect("]");
    std::vector<int64_t> dims;
    for (size_t i = 0; cursor_.ok() && i < numbers.size(); ++i) {
      const Token& token = numbers[numbers.size() - 1 - i];
      const int64_t elements = NumberIn(token.text, kMostBytes);
      const int64_t scale = scales[i];
      if (elements % scale != 0) {
        cursor_.Fail(token, fmt::format("a multiple of {} elements", scale));
      }
      dims.push_back(elements / scale);
    }
    return dims;
  }

  void TakePattern(int64_t scale, Descriptor* d) {
    const Token at = cursor_.Peek();
    cursor_.ExpectAll({"sizes", "="});
    const std::vector<int64_t> sizes = TakeDims({scale, 1, 1, 1});
    cursor_.ExpectAll({"strides", "="});
    const std::vector<int64_t> steps = TakeDims({1, scale, scale, scale});
    if (sizes.size() != steps.size()) cursor_.Fail(at, "as many strides as sizes");
    if (!cursor_.ok()) return;
    for (size_t i = 0; i < sizes.size(); ++i) d->dims.push_back({sizes[i], steps[i]});
    if (cursor_.Accept("pad")) TakePadding(static_cast<int>(scale), d);
  }

  void TakePadding(int scale, Descriptor* d) {
    cursor_.Expect("[");
    for (size_t i = d->dims.size(); cursor_.ok() && i-- > 0;) {
      program::Padding padding;
      cursor_.ExpectAll({"<", "const_pad_before", "="});
      padding.before = cursor_.TakeInt();
      cursor_.ExpectAll({",", "const_pad_after", "="});
      padding.after = cursor_.TakeInt();
      cursor_.Expect(">");
      if (i > 0) cursor_.Expect(",");
      const int unit = i == 0 ? scale : 1;
      if (i < d->padding.size()) d->padding[i] = {padding.before / unit, padding.after / unit};
    }
    cursor_.Expect("]");
  }

  void TakeIteration(int64_t scale, Descriptor* d) {
    cursor_.ExpectAll({"iteration", "=", "#", "aie.bd_iteration", "<", "size", "="});
    d->iteration.size = cursor_.TakeNumber(kMostBytes);
    cursor_.ExpectAll({",", "stride", "="});
    d->iteration.step_words = TakeWords(scale);
    cursor_.ExpectAll({",", "current", "=", "0", ">"});
  }

  Cursor cursor_;
  ArrayProgram program_;
  MlirSymbols symbols_;
  std::vector<bool> of_bytes_;                ///< By index of a buffer.
  std::vector<std::string_view> parameters_;  ///< Of the next buffer, if it holds parameters.
};

/// Ok if two texts have the same tokens.
Status SameTokens(const std::vector<Token>& read, const std::string& printed) {
  const Result<std::vector<Token>> expected = Tokenize(printed);
  if (!expected.ok()) return expected.status();
  Cursor cursor(read);
  for (const Token& token : *expected) {
    const Token& found = cursor.Peek();
    if (token.kind == found.kind && token.text == found.text) {
      cursor.Accept(token.text);
      continue;
    }
    const std::string_view mark = token.kind == Token::Kind::kDirective ? "// tilewave: " : "";
    cursor.Fail(found, token.kind == Token::Kind::kEnd ? std::string("the end")
                                                       : fmt::format("'{}{}'", mark, token.text));
    break;
  }
  return cursor.status();
}

}  // namespace

Result<ArrayProgram> ParseMlir(std::string_view text) {
  Result<std::vector<Token>> tokens = Tokenize(text);
  if (!tokens.ok()) return tokens.status();
  Result<ArrayProgram> program = MlirParser(Cursor(*tokens)).Parse();
  if (!program.ok()) return program;
  const Result<std::string> printed = MlirText(*program);
  if (!printed.ok()) return printed.status();
  if (Status s = SameTokens(*tokens, *printed); !s.ok()) return s;
  return program;
}

}  // namespace tilewave::emit
