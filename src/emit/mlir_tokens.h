#pragma once

// MLIR text as tokens with their places, and a cursor over them.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tilewave/status.h"

namespace tilewave::emit {

struct Token {
  enum class Kind : uint8_t {
    kWord,       ///< "aie.tile", "memref", "1024xi32", "12".
    kValue,      ///< "%a_0", "%loop1#0".
    kBlock,      ///< "^bd0".
    kSymbol,     ///< "@zero_s32".
    kString,     ///< With its quotes; no escapes.
    kSign,       ///< One of ( ) { } [ ] < > : , = # and "->".
    kDirective,  ///< What follows "// tilewave: " to the end of the line.
    kEnd,
  };
  Kind kind = Kind::kEnd;
  std::string_view text;  ///< Into the text that was read.
  int line = 1;
  int column = 1;
};

/// The tokens of a text, a kEnd last; other comments and white space are left out.
/// kInvalidArgument, naming line and column: a character that begins no token, a token of more
/// than 256 characters (8192 for a directive), a text of more than 4 MiB.
[[nodiscard]] Result<std::vector<Token>> Tokenize(std::string_view text);

/// Goes through tokens. The first thing that is not as expected becomes the status, and everything
/// after it reads as if the text had ended there, so that callers may check once at the end.
class Cursor {
 public:
  /// REQUIRES: a kEnd last, as from Tokenize.
  explicit Cursor(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& Peek(size_t ahead = 0) const;
  /// Whether the next token is this text.
  bool Is(std::string_view text, size_t ahead = 0) const { return Peek(ahead).text == text; }
  bool Accept(std::string_view text);

  void Expect(std::string_view text);
  /// All of these, one after the other.
  void ExpectAll(std::initializer_list<std::string_view> texts);
  /// The token's text; empty after a failure. `what` is for the message: "a lock".
  std::string_view Take(Token::Kind kind, std::string_view what);
  /// A number from 0 to `most`; 0 after a failure.
  int64_t TakeNumber(int64_t most);
  int TakeInt();
  /// From an opening sign to the one that closes it, whatever stands between.
  void SkipGroup(std::string_view open, std::string_view close);

  /// "line 3, column 5: expected <what>, found 'x'"; only the first failure counts.
  void Fail(const Token& at, std::string_view what);
  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }

 private:
  std::vector<Token> tokens_;
  size_t next_ = 0;
  Status status_;
};

/// The number in a text that is one from 0 to `most`; -1 for any other text.
int64_t NumberIn(std::string_view text, int64_t most);

/// Words of a line with one space between each two.
std::vector<std::string_view> WordsOf(std::string_view line);

}  // namespace tilewave::emit
