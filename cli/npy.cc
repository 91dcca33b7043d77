#include "cli/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/checked_math.h"
#include "base/printable.h"

namespace tilewave::cli {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they are");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kVersionBytes = 2;
constexpr size_t kDataAlignment = 64;  // As NumPy pads, so that the file can be memory-mapped.
static_assert(kMagic.size() + kVersionBytes + 4 + kMaxNpyHeaderBytes == kMaxNpyPrefixBytes);
constexpr std::string_view kExpectedTypes = "expected int8, uint8, int32 or float32";

struct Dtype {
  ElementType type;
  std::string_view code;   // Without the byte order.
  std::string_view descr;  // As NumPy writes it.
};

constexpr std::array<Dtype, 4> kReadableTypes = {{
    {ElementType::kS8, "i1", "|i1"},
    {ElementType::kU8, "u1", "|u1"},
    {ElementType::kS32, "i4", "<i4"},
    {ElementType::kF32, "f4", "<f4"},
}};

// Empty for a type that is not written.
std::string_view DescrOf(ElementType type) {
  for (const Dtype& dtype : kReadableTypes) {
    if (dtype.type == type) return dtype.descr;
  }
  return type == ElementType::kBF16 ? "<V2" : "";
}

std::string ShapeText(std::span<const int64_t> shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

// Bytes of a packed array. Extents of 0 do not hide an overflow of the others: the answer must not
// depend on the order of the extents.
std::optional<size_t> PackedBytes(ElementType type, std::span<const int64_t> shape) {
  std::optional<int64_t> bytes = static_cast<int64_t>(ElementBytes(type));
  bool empty = false;
  for (const int64_t extent : shape) {
    empty = empty || extent == 0;
    bytes = base::CheckedMul(*bytes, std::max<int64_t>(extent, 1));
    if (!bytes) return std::nullopt;
  }
  return empty ? 0 : static_cast<size_t>(*bytes);
}

// How to get from an unsupported dtype to a supported one; empty if there is no good answer.
std::string_view ConversionHint(std::string_view code) {
  if (code == "b1" || code == "?") return "; convert with a.astype(np.uint8)";
  if (code == "V2") {
    return "; if it holds bfloat16, convert with a.view(ml_dtypes.bfloat16).astype(np.float32)";
  }
  if (code.starts_with('f')) return "; convert with a.astype(np.float32)";
  if (code.starts_with('i') || code.starts_with('u')) return "; convert with a.astype(np.int32)";
  return "";
}

Result<ElementType> TypeOfDescr(std::string_view descr, const std::string& name) {
  char order = '=';
  std::string_view code = descr;
  if (!code.empty() && std::string_view("<>=|").find(code[0]) != std::string_view::npos) {
    order = code[0];
    code.remove_prefix(1);
  }
  for (const Dtype& dtype : kReadableTypes) {
    if (code != dtype.code) continue;
    if (ElementBytes(dtype.type) == 1 || order == '<' || order == '=') return dtype.type;
    if (order != '>') continue;
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{}: dtype '{}' is big-endian; convert it with a.astype('{}')", name,
                              descr, dtype.descr));
  }
  if (code.starts_with('O')) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{}: dtype '{}' holds Python objects; {}", name,
                              base::Printable(descr), kExpectedTypes));
  }
  return Status(StatusCode::kInvalidArgument,
                fmt::format("{}: dtype '{}' is not supported; {}{}", name, base::Printable(descr),
                            kExpectedTypes, ConversionHint(code)));
}

// The dict literal of a header. A hand-written scanner without recursion: of all Python literals
// only these three keys, strings, two names and a tuple of integers can be right.
class DictParser {
 public:
  // `offset` is where `text` starts in the file; messages count bytes of the file.
  DictParser(std::string_view text, size_t offset, const std::string& name)
      : text_(text), offset_(offset), name_(name) {}

  // Fills type, fortran_order, shape and data_bytes.
  Status Parse(NpyHeader* header);

 private:
  Status ParseEntry(NpyHeader* header);
  Status ParseString(std::string_view expected, std::string_view* value);
  Status ParseDescr(ElementType* type);
  Status ParseFortranOrder(bool* fortran_order);
  Status ParseShape(std::vector<int64_t>* shape);
  Status ParseExtent(int64_t* extent);
  Status CheckKeys() const;

  // Marks a key as seen; false if it was before.
  static bool Once(bool* seen) { return !std::exchange(*seen, true); }

  // '\0' at the end of the text. A NUL in the text is no legal character anywhere, so that the
  // two need not be told apart.
  char Peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }
  bool AtDigit() const { return Peek() >= '0' && Peek() <= '9'; }
  bool Accept(std::string_view token);
  void SkipSpace();

  Status Damaged(std::string_view expected) const;
  Status Overflow() const;

  std::string_view text_;
  size_t offset_;
  const std::string& name_;
  size_t position_ = 0;
  std::string_view shape_text_;  // From the opening parenthesis on.
  bool seen_descr_ = false;
  bool seen_fortran_order_ = false;
  bool seen_shape_ = false;
};

bool DictParser::Accept(std::string_view token) {
  if (!text_.substr(position_).starts_with(token)) return false;
  position_ += token.size();
  return true;
}

void DictParser::SkipSpace() {
  while (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r' || Peek() == '\f') {
    ++position_;
  }
}

Status DictParser::Damaged(std::string_view expected) const {
  return Status(StatusCode::kDataLoss,
                fmt::format("{} has a damaged header: expected {} at byte {}", name_, expected,
                            offset_ + position_));
}

Status DictParser::Overflow() const {
  return Status(StatusCode::kOutOfRange,
                fmt::format("{}: the shape {} overflows", name_, base::Printable(shape_text_)));
}

Status DictParser::Parse(NpyHeader* header) {
  SkipSpace();
  if (!Accept("{")) return Damaged("'{'");
  SkipSpace();
  while (!Accept("}")) {
    if (Status status = ParseEntry(header); !status.ok()) return status;
    SkipSpace();
    const bool comma = Accept(",");
    SkipSpace();
    if (!comma && Peek() != '}') return Damaged("',' or '}'");
  }
  SkipSpace();
  if (position_ != text_.size()) return Damaged("nothing but white space after the '}'");
  if (Status status = CheckKeys(); !status.ok()) return status;
  const std::optional<size_t> bytes = PackedBytes(header->type, header->shape);
  if (!bytes) return Overflow();
  header->data_bytes = *bytes;
  return Status();
}

Status DictParser::ParseEntry(NpyHeader* header) {
  std::string_view key;
  if (Status status = ParseString("a key in quotes", &key); !status.ok()) return status;
  const bool is_descr = key == "descr";
  const bool is_order = key == "fortran_order";
  if (!is_descr && !is_order && key != "shape") {
    return Status(StatusCode::kDataLoss,
                  fmt::format("{} has a damaged header: unknown key '{}'; expected 'descr', "
                              "'fortran_order' and 'shape'",
                              name_, base::Printable(key)));
  }
  if (!Once(is_descr ? &seen_descr_ : is_order ? &seen_fortran_order_ : &seen_shape_)) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("{} has a damaged header: the key '{}' is there twice", name_, key));
  }
  SkipSpace();
  if (!Accept(":")) return Damaged("':'");
  SkipSpace();
  if (is_descr) return ParseDescr(&header->type);
  if (is_order) return ParseFortranOrder(&header->fortran_order);
  return ParseShape(&header->shape);
}

Status DictParser::ParseString(std::string_view expected, std::string_view* value) {
  const char quote = Peek();
  if (quote != '\'' && quote != '"') return Damaged(expected);
  const size_t start = position_ + 1;
  // An escape or a line break cannot be part of a right answer; stopping there also keeps
  // triple quotes and adjacent literals out.
  const size_t end = text_.find_first_of(std::string{quote, '\\', '\n', '\r'}, start);
  if (end == std::string_view::npos || text_[end] != quote) {
    position_ = std::min(end, text_.size());
    return Damaged(fmt::format("a closing {}", quote));
  }
  *value = text_.substr(start, end - start);
  position_ = end + 1;
  return Status();
}

Status DictParser::ParseDescr(ElementType* type) {
  if (Peek() == '[' || Peek() == '(') {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{} has a structured dtype; {}; save one field, for example "
                              "np.save(path, a['field'])",
                              name_, kExpectedTypes));
  }
  std::string_view descr;
  if (Status status = ParseString("a dtype in quotes", &descr); !status.ok()) return status;
  Result<ElementType> result = TypeOfDescr(descr, name_);
  if (!result.ok()) return result.status();
  *type = *result;
  return Status();
}

Status DictParser::ParseFortranOrder(bool* fortran_order) {
  *fortran_order = Peek() == 'T';
  return Accept("True") || Accept("False") ? Status() : Damaged("True or False");
}

Status DictParser::ParseShape(std::vector<int64_t>* shape) {
  const size_t start = position_;
  shape_text_ = text_.substr(start, text_.find(')', start) - start + 1);
  if (!Accept("(")) return Damaged("a tuple such as (2, 3)");
  SkipSpace();
  bool comma = true;
  while (!Accept(")")) {
    if (!comma) return Damaged("',' or ')'");
    if (shape->size() == kMaxNpyDims) {
      return Status(StatusCode::kOutOfRange, fmt::format("{} has more than {} dimensions; expected "
                                                         "at most {}",
                                                         name_, kMaxNpyDims, kMaxNpyDims));
    }
    int64_t extent = 0;
    if (Status status = ParseExtent(&extent); !status.ok()) return status;
    shape->push_back(extent);
    SkipSpace();
    comma = Accept(",");
    SkipSpace();
  }
  // (3) is an integer in parentheses, not a tuple.
  if (shape->size() == 1 && !comma) return Damaged("a tuple such as (2, 3) or (4,)");
  return Status();
}

Status DictParser::ParseExtent(int64_t* extent) {
  if (Peek() == '-') {
    return Status(StatusCode::kDataLoss,
                  fmt::format("{} has a damaged header: the shape {} has a negative extent", name_,
                              base::Printable(shape_text_)));
  }
  if (!AtDigit()) return Damaged("an extent or ')'");
  const bool zero = Peek() == '0';
  std::optional<int64_t> value = 0;
  size_t digits = 0;
  for (; AtDigit(); ++position_, ++digits) {
    value = base::CheckedMul(*value, 10);
    if (value) value = base::CheckedAdd(*value, Peek() - '0');
    if (!value) return Overflow();
  }
  // Python 2 reads 010 as 8, Python 3 refuses it.
  if (zero && digits > 1) return Damaged("an extent without leading zeros");
  Accept("L");  // A long of Python 2.
  *extent = *value;
  return Status();
}

Status DictParser::CheckKeys() const {
  const std::string_view missing = !seen_descr_           ? "descr"
                                   : !seen_fortran_order_ ? "fortran_order"
                                   : !seen_shape_         ? "shape"
                                                          : "";
  if (missing.empty()) return Status();
  return Status(StatusCode::kDataLoss,
                fmt::format("{} has a damaged header: the key '{}' is missing", name_, missing));
}

Status EndsInHeader(const std::string& name, size_t bytes) {
  return Status(StatusCode::kDataLoss,
                fmt::format("{} is truncated: the file ends after {} bytes, inside the .npy header",
                            name, bytes));
}

}  // namespace

Result<NpyHeader> ParseNpyHeader(std::span<const std::byte> prefix, const std::string& name) {
  const std::string_view bytes(reinterpret_cast<const char*>(prefix.data()), prefix.size());
  if (!bytes.starts_with(kMagic.substr(0, bytes.size()))) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{} is not a .npy file; expected one written by np.save", name));
  }
  if (bytes.size() < kMagic.size() + kVersionBytes) return EndsInHeader(name, bytes.size());
  const auto byte_at = [prefix](size_t i) { return std::to_integer<uint32_t>(prefix[i]); };
  const uint32_t major = byte_at(kMagic.size());
  const uint32_t minor = byte_at(kMagic.size() + 1);
  if (major < 1 || major > 3 || minor != 0) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{}: .npy version {}.{} is not supported; expected 1.0, 2.0 or 3.0",
                              name, major, minor));
  }
  const size_t length_offset = kMagic.size() + kVersionBytes;
  const size_t text_offset = length_offset + (major == 1 ? 2 : 4);
  if (bytes.size() < text_offset) return EndsInHeader(name, bytes.size());
  uint32_t length = 0;
  for (size_t i = text_offset; i-- > length_offset;) length = length << 8 | byte_at(i);
  if (length > kMaxNpyHeaderBytes) {
    return Status(StatusCode::kOutOfRange,
                  fmt::format("{} claims a header of {} bytes; expected at most {}", name, length,
                              kMaxNpyHeaderBytes));
  }
  if (bytes.size() - text_offset < length) return EndsInHeader(name, bytes.size());
  NpyHeader header;
  header.version = static_cast<int>(major);
  header.data_offset = text_offset + length;
  DictParser parser(bytes.substr(text_offset, length), text_offset, name);
  if (Status status = parser.Parse(&header); !status.ok()) return status;
  return header;
}

Status CheckNpyFileBytes(const NpyHeader& header, uint64_t file_bytes, const std::string& name) {
  if (file_bytes < header.data_offset) {
    return EndsInHeader(name, static_cast<size_t>(file_bytes));
  }
  const uint64_t held = file_bytes - header.data_offset;
  if (held == header.data_bytes) return Status();
  if (held < header.data_bytes) {
    return Status(
        StatusCode::kDataLoss,
        fmt::format("{} is truncated: header promises {} bytes of data, the file holds {}", name,
                    header.data_bytes, held));
  }
  return Status(StatusCode::kDataLoss,
                fmt::format("{} has extra bytes at its end: header promises {} bytes of data, the "
                            "file holds {}",
                            name, header.data_bytes, held));
}

std::string NpyHeaderText(ElementType type, bool fortran_order, std::span<const int64_t> shape) {
  const std::string_view descr = DescrOf(type);
  TW_CHECK(!descr.empty());
  TW_CHECK_LE(shape.size(), kMaxNpyDims);
  std::string dict = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", descr,
                                 fortran_order ? "True" : "False", ShapeText(shape));
  const size_t text_offset = kMagic.size() + kVersionBytes + 2;
  const size_t unpadded = text_offset + dict.size() + 1;  // With the final line break.
  dict.append((kDataAlignment - unpadded % kDataAlignment) % kDataAlignment, ' ');
  dict += '\n';
  std::string text(kMagic);
  text +=
      {'\x01', '\x00', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  return text + dict;
}

Status CheckNpyArguments(const std::string& path, ElementType type, std::span<const int64_t> shape,
                         size_t data_bytes) {
  if (DescrOf(type).empty()) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("cannot write '{}': this element type has no .npy form here; {} or "
                              "bfloat16",
                              path, kExpectedTypes));
  }
  const bool negative = std::any_of(shape.begin(), shape.end(), [](int64_t e) { return e < 0; });
  if (negative || shape.size() > kMaxNpyDims) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("cannot write '{}': the shape {} is not valid; expected at most {} "
                              "extents >= 0",
                              path, ShapeText(shape), kMaxNpyDims));
  }
  const std::optional<size_t> bytes = PackedBytes(type, shape);
  if (bytes != data_bytes) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("cannot write '{}': {} bytes of data do not fit the shape {} with {} "
                              "bytes per element",
                              path, data_bytes, ShapeText(shape), ElementBytes(type)));
  }
  return Status();
}

}  // namespace tilewave::cli
