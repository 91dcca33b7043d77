#include "cli/stream_file.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <string_view>

#include "base/aligned_buffer.h"
#include "base/printable.h"
#include "cli/input_file.h"
#include "cli/memory.h"

namespace tilewave::cli {
namespace {

constexpr size_t kWordBytes = sizeof(uint32_t);
constexpr size_t kWordDigits = 2 * kWordBytes;
constexpr std::byte kFirstCharacter{0x20};
// A text line has eight digits and up to two characters that end it, for the four bytes of a word
// in a stream whose size is a 32-bit number.
constexpr uint64_t kMaxStreamFileBytes =
    std::numeric_limits<uint32_t>::max() / kWordBytes * (kWordDigits + 2);

Result<std::vector<uint32_t>> ParseText(std::string_view text, const std::string& name) {
  std::vector<uint32_t> words;
  words.reserve(text.size() / (kWordDigits + 1) + 1);
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    std::string_view digits = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (digits.ends_with('\r')) digits.remove_suffix(1);
    if (digits.empty()) continue;
    uint32_t word = 0;
    const auto [last, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), word, 16);
    if (digits.size() != kWordDigits || error != std::errc() ||
        last != digits.data() + digits.size()) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("{}: line {} is '{}'; expected a word of eight hexadecimal digits",
                                name, line, base::Printable(digits)));
    }
    words.push_back(word);
  }
  return words;
}

}  // namespace

Result<std::vector<uint32_t>> ParseStreamFile(std::span<const std::byte> bytes,
                                              const std::string& name) {
  if (!bytes.empty() && bytes[0] >= kFirstCharacter) {
    return ParseText({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, name);
  }
  if (bytes.size() % kWordBytes != 0) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("{} has {} bytes; expected whole words of {} bytes", name,
                              bytes.size(), kWordBytes));
  }
  std::vector<uint32_t> words;
  words.reserve(bytes.size() / kWordBytes);
  for (size_t i = 0; i < bytes.size(); i += kWordBytes) {
    uint32_t word = 0;
    for (size_t byte = kWordBytes; byte > 0; --byte) {
      word = word << 8 | std::to_integer<uint32_t>(bytes[i + byte - 1]);
    }
    words.push_back(word);
  }
  return words;
}

Result<std::vector<uint32_t>> ReadStreamFile(const std::string& path) {
  const Result<InputFile> file = InputFile::Open(path, "an instruction stream");
  if (!file.ok()) return file.status();
  if (file->bytes() > kMaxStreamFileBytes) {
    return Status(StatusCode::kOutOfRange,
                  fmt::format("{} has {} bytes; an instruction stream has at most {}", path,
                              file->bytes(), kMaxStreamFileBytes));
  }
  Result<base::AlignedBuffer> data = Allocate(path, file->bytes());
  if (!data.ok()) return data.status();
  const std::span<std::byte> bytes(data->data(), file->bytes());
  if (Status status = file->ReadAt(0, bytes); !status.ok()) return status;
  return ParseStreamFile(bytes, path);
}

}  // namespace tilewave::cli
