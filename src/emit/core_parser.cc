#include "emit/core_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "emit/mlir_names.h"

namespace tilewave::emit {
namespace {

using program::Core;
using program::CoreOp;
using program::Tile;

constexpr size_t kDeepestLoops = 64;

/// "64x64x64" as three numbers.
bool ParseExtents(std::string_view text, std::array<int64_t, 3>* extents) {
  for (size_t i = 0; i < extents->size(); ++i) {
    const size_t end = i + 1 < extents->size() ? text.find('x') : text.size();
    if (end == text.npos) return false;
    (*extents)[i] = NumberIn(text.substr(0, end), std::numeric_limits<int32_t>::max());
    if ((*extents)[i] < 0) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

class CoreParser {
 public:
  CoreParser(const Tile& tile, const MlirSymbols& symbols, Cursor* cursor)
      : symbols_(symbols), cursor_(*cursor) {
    core_.tile = tile;
  }

  Core Take() {
    cursor_.Expect("{");
    while (cursor_.ok() && !cursor_.Is("aie.end")) TakeStatement();
    if (!loops_.empty()) cursor_.Fail(cursor_.Peek(), "the end of a loop");
    cursor_.ExpectAll({"aie.end", "}", "{", "stack_size", "="});
    core_.stack_bytes = cursor_.TakeInt();
    cursor_.ExpectAll({":", "i32", "}"});
    return std::move(core_);
  }

 private:
  void Add(CoreOp::Kind kind, int index, program::LockUse use = {}) {
    core_.ops.push_back({kind, index, use, {}, {}});
  }

  void TakeStatement() {
    const Token& token = cursor_.Peek();
    if (token.kind == Token::Kind::kDirective) return TakeDirective();
    if (token.kind == Token::Kind::kValue) return TakeAssignment();
    if (cursor_.Is("scf.for")) return TakeLoop({});
    if (cursor_.Is("aie.use_lock")) {
      bool releases = false;
      const program::LockUse use = TakeLockUse(symbols_, constants_, &releases, &cursor_);
      return Add(releases ? CoreOp::Kind::kRelease : CoreOp::Kind::kAcquire, -1, use);
    }
    if (cursor_.Is("func.call")) return TakeCall();
    if (!loops_.empty() && (cursor_.Is("scf.yield") || cursor_.Is("}"))) return TakeLoopEnd();
    cursor_.Fail(token, "a step of a core's program or 'aie.end'");
  }

  // --- What MLIR has no place for ---

  void TakeDirective() {
    const Token token = cursor_.Peek();
    const std::vector<std::string_view> words = WordsOf(token.text);
    cursor_.Take(Token::Kind::kDirective, "a line for tilewave");
    if (words[0] == "program_bytes" && words.size() == 2) {
      core_.program_bytes = NumberIn(words[1], std::numeric_limits<int32_t>::max());
      if (core_.program_bytes >= 0) return;
    }
    if (words[0] == "kernel" && TakeKernel(words)) return;
    if (words[0] == "ring" && TakeRing(words)) return;
    if (words[0] == "advance" && words.size() == 2) {
      const auto ring = rings_.find(words[1]);
      if (ring != rings_.end()) return Add(CoreOp::Kind::kAdvance, ring->second);
    }
    cursor_.Fail(token,
                 "'program_bytes N', 'kernel NAME tile MxKxN blocks RxDxC', 'ring NAME of "
                 "BUFFER...' or 'advance RING'");
  }

  bool TakeKernel(const std::vector<std::string_view>& words) {
    std::array<int64_t, 3> tile = {};
    std::array<int64_t, 3> block = {};
    const bool transposed = words.size() == 7 && words[6] == "b_transposed";
    if (words.size() != 6 && !transposed) return false;
    if (words[2] != "tile" || words[4] != "blocks" || !ParseExtents(words[3], &tile) ||
        !ParseExtents(words[5], &block)) {
      return false;
    }
    kernels_.try_emplace(words[1], static_cast<int>(core_.kernels.size()));
    core_.kernels.push_back({std::string(words[1]), tile[0], tile[1], tile[2],
                             program::BlockShape{block[0], block[1], block[2]}, transposed});
    return true;
  }

  bool TakeRing(const std::vector<std::string_view>& words) {
    if (words.size() < 4 || words.size() > 3 + kMostRingBuffers || words[2] != "of") return false;
    const auto index = static_cast<int>(core_.rings.size());
    program::Ring ring{std::string(words[1]), {}};
    for (size_t i = 3; i < words.size(); ++i) {
      const auto buffer = symbols_.buffers.find("%" + SymbolName(core_.tile, words[i]));
      if (buffer == symbols_.buffers.end()) return false;
      ring.buffers.push_back(buffer->second);
      if (words.size() == 4) values_[buffer->first] = {index, 0};
    }
    rings_.try_emplace(words[1], index);
    if (ring.buffers.size() > 1) {
      carried_.push_back(index);
      current_[index] = "%c0";
    }
    core_.rings.push_back(std::move(ring));
    return true;
  }

  // --- Values ---

  void TakeAssignment() {
    const std::string_view name = cursor_.Take(Token::Kind::kValue, "a value");
    if (cursor_.Accept(":")) {
      cursor_.TakeInt();
      cursor_.Expect("=");
      return TakeLoop(name);
    }
    cursor_.Expect("=");
    if (cursor_.Is("arith.constant")) return TakeConstant(name, &constants_, &cursor_);
    if (cursor_.Accept("memref.load")) return TakeLoad(name);
    if (cursor_.Accept("arith.index_castui")) {
      counts_[name] = TakeNamed(loads_, "a run-time parameter", &cursor_);
      return cursor_.ExpectAll({":", "i32", "to", "index"});
    }
    if (cursor_.Accept("scf.index_switch")) return TakeSwitch(name);
    if (cursor_.Accept("memref.view")) return TakeView(name);
    if (cursor_.Accept("arith.addi")) {
      sums_[name] = TakePosition();
      cursor_.Expect(",");
      cursor_.Take(Token::Kind::kValue, "'%c1'");
      return cursor_.ExpectAll({":", "index"});
    }
    if (cursor_.Accept("arith.cmpi")) {
      cursor_.ExpectAll({"eq", ","});
      TakeNamed(sums_, "a sum", &cursor_);
      cursor_.Expect(",");
      cursor_.Take(Token::Kind::kValue, "the ring's size");
      return cursor_.ExpectAll({":", "index"});
    }
    if (cursor_.Accept("arith.select")) return TakeAdvance(name);
    cursor_.Fail(cursor_.Peek(), "an operation that a core's program has");
  }

  /// The value that says where a ring stands now.
  int TakePosition() {
    const Token at = cursor_.Peek();
    const int ring = TakeNamed(positions_, "where a ring stands", &cursor_);
    if (cursor_.ok() && at.text != current_[ring]) FailPosition(at, ring);
    return ring;
  }

  void TakePositionOf(int ring) {
    const Token at = cursor_.Peek();
    cursor_.Take(Token::Kind::kValue, "where a ring stands");
    if (at.text != current_[ring]) FailPosition(at, ring);
  }

  void FailPosition(const Token& at, int ring) {
    cursor_.Fail(at, fmt::format("'{}', where ring {} stands", current_[ring],
                                 core_.rings[static_cast<size_t>(ring)].name));
  }

  void TakeLoad(std::string_view name) {
    const int first = TakeNamed(symbols_.parameters, "a core's parameters", &cursor_);
    cursor_.Expect("[");
    const Token at = cursor_.Peek();
    const int64_t place = TakeNamed(constants_, "a constant", &cursor_);
    if (place >= kParameterWords) cursor_.Fail(at, "the place of a parameter");
    cursor_.ExpectAll({"]", ":", "memref"});
    cursor_.SkipGroup("<", ">");
    if (cursor_.ok()) loads_[name] = first + static_cast<int>(place);
  }

  /// The buffer where a ring stands: case by case the ring's buffers, the last by default.
  void TakeSwitch(std::string_view name) {
    const int ring = TakePosition();
    cursor_.ExpectAll({"->", "memref"});
    cursor_.SkipGroup("<", ">");
    if (!cursor_.ok()) return;
    const std::vector<int>& buffers = core_.rings[static_cast<size_t>(ring)].buffers;
    for (size_t i = 0; cursor_.ok() && i < buffers.size(); ++i) {
      if (i + 1 < buffers.size()) {
        cursor_.ExpectAll({"case", std::to_string(i)});
      } else {
        cursor_.Expect("default");
      }
      cursor_.ExpectAll({"{", "scf.yield"});
      const Token at = cursor_.Peek();
      if (TakeNamed(symbols_.buffers, "a buffer", &cursor_) != buffers[i]) {
        cursor_.Fail(at, fmt::format("buffer {} of the ring", i));
      }
      cursor_.ExpectAll({":", "memref"});
      cursor_.SkipGroup("<", ">");
      cursor_.Expect("}");
    }
    values_[name] = {ring, 0};
  }

  void TakeView(std::string_view name) {
    CoreOp::Argument argument = TakeNamed(values_, "a buffer of a ring", &cursor_);
    cursor_.Expect("[");
    argument.offset_bytes = TakeNamed(constants_, "a constant", &cursor_);
    cursor_.ExpectAll({"]", "[", "]", ":", "memref"});
    cursor_.SkipGroup("<", ">");
    cursor_.ExpectAll({"to", "memref"});
    cursor_.SkipGroup("<", ">");
    values_[name] = argument;
  }

  void TakeAdvance(std::string_view name) {
    cursor_.Take(Token::Kind::kValue, "a comparison");
    cursor_.Expect(",");
    cursor_.Take(Token::Kind::kValue, "'%c0'");
    cursor_.Expect(",");
    const int ring = TakeNamed(sums_, "a sum", &cursor_);
    cursor_.ExpectAll({":", "index"});
    SetPosition(ring, name);
    Add(CoreOp::Kind::kAdvance, ring);
  }

  // --- Loops and calls ---

  void TakeLoop(std::string_view result) {
    if (loops_.size() >= kDeepestLoops) {
      return cursor_.Fail(cursor_.Peek(),
                          fmt::format("at most {} loops inside each other", kDeepestLoops));
    }
    cursor_.Expect("scf.for");
    cursor_.Take(Token::Kind::kValue, "a loop's counter");
    cursor_.Expect("=");
    cursor_.Take(Token::Kind::kValue, "'%c0'");
    cursor_.Expect("to");
    const auto endless = constants_.find(cursor_.Peek().text);
    if (endless != constants_.end() && endless->second == kForever) {
      cursor_.Take(Token::Kind::kValue, "a bound");
      Add(CoreOp::Kind::kForever, -1);
    } else {
      Add(CoreOp::Kind::kRepeat,
          TakeNamed(counts_, "a count that was loaded, or '%forever'", &cursor_));
    }
    cursor_.Expect("step");
    cursor_.Take(Token::Kind::kValue, "'%c1'");
    if (cursor_.Accept("iter_args")) TakeCarried();
    cursor_.Expect("{");
    loops_.push_back(result);
  }

  void TakeCarried() {
    cursor_.Expect("(");
    for (size_t i = 0; cursor_.ok() && !cursor_.Is(")"); ++i) {
      if (i > 0) cursor_.Expect(",");
      if (i >= carried_.size()) {
        return cursor_.Fail(cursor_.Peek(), "no more values than rings that turn");
      }
      const std::string_view name = cursor_.Take(Token::Kind::kValue, "where a ring stands");
      cursor_.Expect("=");
      TakePositionOf(carried_[i]);
      if (cursor_.ok()) SetPosition(carried_[i], name);
    }
    cursor_.ExpectAll({")", "->"});
    cursor_.SkipGroup("(", ")");
  }

  void TakeLoopEnd() {
    const std::string_view result = loops_.back();
    loops_.pop_back();
    if (!result.empty()) {
      cursor_.Expect("scf.yield");
      for (size_t i = 0; i < carried_.size(); ++i) {
        if (i > 0) cursor_.Expect(",");
        TakePositionOf(carried_[i]);
      }
      for (size_t i = 0; i < carried_.size(); ++i) {
        cursor_.ExpectAll({i == 0 ? ":" : ",", "index"});
        results_.push_back(fmt::format("{}#{}", result, i));
        SetPosition(carried_[i], results_.back());
      }
    }
    cursor_.Expect("}");
    Add(CoreOp::Kind::kEnd, -1);
  }

  void SetPosition(int ring, std::string_view value) {
    positions_[value] = ring;
    current_[ring] = value;
  }

  void TakeCall() {
    cursor_.Expect("func.call");
    const Token at = cursor_.Peek();
    const std::string_view symbol = cursor_.Take(Token::Kind::kSymbol, "a kernel");
    const auto kernel = kernels_.find(symbol.empty() ? symbol : symbol.substr(1));
    if (kernel == kernels_.end()) return cursor_.Fail(at, "a kernel of this core");
    CoreOp op;
    op.kind = CoreOp::Kind::kCall;
    op.index = kernel->second;
    cursor_.Expect("(");
    while (cursor_.ok() && !cursor_.Is(")")) {
      if (!op.arguments.empty() || !op.scalars.empty()) cursor_.Expect(",");
      const auto scalar = loads_.find(cursor_.Peek().text);
      if (scalar != loads_.end()) {
        cursor_.Take(Token::Kind::kValue, "a parameter");
        op.scalars.push_back(scalar->second);
      } else {
        op.arguments.push_back(
            TakeNamed(values_, "a buffer of a ring or a run-time parameter", &cursor_));
      }
    }
    cursor_.ExpectAll({")", ":"});
    cursor_.SkipGroup("(", ")");
    cursor_.ExpectAll({"->", "(", ")"});
    core_.ops.push_back(std::move(op));
  }

  const MlirSymbols& symbols_;
  Cursor& cursor_;
  Core core_;
  MlirConstants constants_;
  std::map<std::string_view, int> kernels_;    ///< By name.
  std::map<std::string_view, int> rings_;      ///< By name.
  std::vector<int> carried_;                   ///< Rings whose position loops carry.
  std::map<std::string_view, int> loads_;      ///< Values that are run-time parameters.
  std::map<std::string_view, int> counts_;     ///< The same as trip counts.
  std::map<std::string_view, int> positions_;  ///< Values that say where a ring stands.
  std::map<int, std::string_view> current_;    ///< Of those, where each ring stands now.
  std::map<std::string_view, int> sums_;       ///< The same plus one.
  std::map<std::string_view, CoreOp::Argument> values_;
  std::vector<std::string_view> loops_;  ///< "%loop0", or empty, of those that are open.
  std::deque<std::string> results_;      ///< Names that positions_ points into.
};

}  // namespace

Core TakeCore(const Tile& tile, const MlirSymbols& symbols, Cursor* cursor) {
  return CoreParser(tile, symbols, cursor).Take();
}

}  // namespace tilewave::emit
