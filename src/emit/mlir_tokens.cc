#include "emit/mlir_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

#include "base/printable.h"

namespace tilewave::emit {
namespace {

constexpr size_t kLongestToken = 256;
constexpr size_t kLongestDirective = 8192;
constexpr size_t kLongestText = size_t{4} << 20;
constexpr std::string_view kDirective = "// tilewave: ";

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

Status Fault(int line, int column, std::string_view what) {
  return {StatusCode::kInvalidArgument, fmt::format("line {}, column {}: {}", line, column, what)};
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> Run() {
    while (SkipSpace()) {
      const Token::Kind kind = KindHere();
      const size_t length = LengthHere(kind);
      if (length == 0) {
        return Fault(line_, Column(),
                     fmt::format("'{}' begins nothing that MLIR text has here",
                                 base::Printable(text_.substr(at_, 1))));
      }
      const size_t longest = kind == Token::Kind::kDirective ? kLongestDirective : kLongestToken;
      if (length > longest) {
        return Fault(line_, Column(),
                     fmt::format("a token of {} characters; at most {}", length, longest));
      }
      const size_t skipped = kind == Token::Kind::kDirective ? kDirective.size() : 0;
      tokens_.push_back({kind, text_.substr(at_ + skipped, length - skipped), line_, Column()});
      at_ += length;
    }
    tokens_.push_back({Token::Kind::kEnd, {}, line_, Column()});
    return std::move(tokens_);
  }

 private:
  int Column() const { return static_cast<int>(at_ - line_start_) + 1; }

  /// Past white space and comments that are for people; false at the end.
  bool SkipSpace() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      } else if (text_.substr(at_, 2) == "//" && !text_.substr(at_).starts_with(kDirective)) {
        at_ = std::min(text_.find('\n', at_), text_.size()) - 1;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        return true;
      }
    }
    return false;
  }

  Token::Kind KindHere() const {
    switch (text_[at_]) {
      case '%':
        return Token::Kind::kValue;
      case '^':
        return Token::Kind::kBlock;
      case '@':
        return Token::Kind::kSymbol;
      case '"':
        return Token::Kind::kString;
      case '/':
        return Token::Kind::kDirective;
      default:
        return IsWordCharacter(text_[at_]) ? Token::Kind::kWord : Token::Kind::kSign;
    }
  }

  /// Of the token that begins here; 0 if none does.
  size_t LengthHere(Token::Kind kind) const {
    const std::string_view rest = text_.substr(at_);
    const auto word_length = [&](size_t from) {
      size_t length = from;
      while (length < rest.size() && IsWordCharacter(rest[length])) ++length;
      return length;
    };
    switch (kind) {
      case Token::Kind::kWord:
        return word_length(0);
      case Token::Kind::kValue:
      case Token::Kind::kBlock:
      case Token::Kind::kSymbol: {
        const size_t length = word_length(1);
        if (length == 1) return 0;
        const bool result = kind == Token::Kind::kValue && rest.substr(length, 1) == "#";
        return result ? word_length(length + 1) : length;
      }
      case Token::Kind::kString: {
        const size_t end = rest.find_first_of("\"\\\n", 1);
        return end == rest.npos || rest[end] != '"' ? 0 : end + 1;
      }
      case Token::Kind::kDirective:
        return rest.starts_with(kDirective) ? std::min(rest.find('\n'), rest.size()) : 0;
      case Token::Kind::kSign:
        if (rest.starts_with("->")) return 2;
        return std::string_view("(){}[]<>:,=#").find(rest[0]) == std::string_view::npos ? 0 : 1;
      case Token::Kind::kEnd:
        break;
    }
    return 0;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t line_start_ = 0;
  int line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view text) {
  if (text.size() > kLongestText) {
    return Fault(1, 1, fmt::format("a text of {} bytes; at most {}", text.size(), kLongestText));
  }
  return Tokenizer(text).Run();
}

const Token& Cursor::Peek(size_t ahead) const {
  return status_.ok() && next_ + ahead < tokens_.size() ? tokens_[next_ + ahead] : tokens_.back();
}

bool Cursor::Accept(std::string_view text) {
  if (Peek().kind == Token::Kind::kEnd || !Is(text)) return false;
  ++next_;
  return true;
}

void Cursor::Expect(std::string_view text) {
  if (!Accept(text)) Fail(Peek(), fmt::format("'{}'", text));
}

void Cursor::ExpectAll(std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) Expect(text);
}

std::string_view Cursor::Take(Token::Kind kind, std::string_view what) {
  const Token& token = Peek();
  if (token.kind != kind || kind == Token::Kind::kEnd) {
    Fail(token, what);
    return {};
  }
  ++next_;
  return token.text;
}

int64_t Cursor::TakeNumber(int64_t most) {
  const int64_t number = NumberIn(Peek().text, most);
  if (Peek().kind != Token::Kind::kWord || number < 0) {
    Fail(Peek(), fmt::format("a number from 0 to {}", most));
    return 0;
  }
  ++next_;
  return number;
}

int Cursor::TakeInt() { return static_cast<int>(TakeNumber(std::numeric_limits<int>::max())); }

void Cursor::SkipGroup(std::string_view open, std::string_view close) {
  const Token start = Peek();
  Expect(open);
  for (int depth = 1; ok() && depth > 0; ++next_) {
    if (Peek().kind == Token::Kind::kEnd) return Fail(start, fmt::format("'{}' for this", close));
    if (Is(open)) ++depth;
    if (Is(close)) --depth;
  }
}

void Cursor::Fail(const Token& at, std::string_view what) {
  if (!ok()) return;
  const std::string found =
      at.kind == Token::Kind::kEnd ? std::string("the end") : "'" + base::Printable(at.text) + "'";
  status_ = Fault(at.line, at.column, fmt::format("expected {}, found {}", what, found));
}

int64_t NumberIn(std::string_view text, int64_t most) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number >= 0 && number <= most ? number : -1;
}

std::vector<std::string_view> WordsOf(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t start = 0; start <= line.size();) {
    const size_t end = std::min(line.find(' ', start), line.size());
    words.push_back(line.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

}  // namespace tilewave::emit
