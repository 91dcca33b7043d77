// Fuzz target of the .npy header parser. It aborts when one of these does not hold:
//  * What was parsed, written again by our own writer, parses to an equal header.
//  * The header ends inside the input; without its last byte it is refused as truncated.
//  * A file size that the parser accepts is exactly header plus data.
//  * A refusal is one short printable line that names the file.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/check.h"
#include "cli/npy.h"

namespace {

using tilewave::Result;
using tilewave::Status;
using tilewave::StatusCode;
using tilewave::cli::NpyHeader;

const std::string kName = "fuzz.npy";
constexpr size_t kMaxMessage = 512;

void CheckRefusal(const Status& status) {
  const std::string& message = status.message();
  TW_CHECK(!status.ok());
  TW_CHECK(status.code() != StatusCode::kInternal);
  TW_CHECK(message.starts_with(kName));
  TW_CHECK_LE(message.size(), kMaxMessage);
  for (const char c : message) TW_CHECK(c >= 0x20 && c < 0x7f);
}

void CheckRewrite(const NpyHeader& header) {
  const std::string text =
      tilewave::cli::NpyHeaderText(header.type, header.fortran_order, header.shape);
  TW_CHECK_EQ(text.size() % 64, 0u);
  const Result<NpyHeader> again =
      tilewave::cli::ParseNpyHeader(std::as_bytes(std::span(text)), kName);
  TW_CHECK(again.ok());
  NpyHeader expected = header;
  expected.version = 1;  // Version and padding are the writer's own.
  expected.data_offset = text.size();
  TW_CHECK(*again == expected);
}

void CheckSpan(const NpyHeader& header, std::span<const std::byte> input) {
  TW_CHECK_LE(header.data_offset, input.size());
  const Result<NpyHeader> exact =
      tilewave::cli::ParseNpyHeader(input.first(header.data_offset), kName);
  TW_CHECK(exact.ok() && *exact == header);
  const Result<NpyHeader> cut =
      tilewave::cli::ParseNpyHeader(input.first(header.data_offset - 1), kName);
  TW_CHECK(!cut.ok() && cut.status().code() == StatusCode::kDataLoss);
  const Status whole = tilewave::cli::CheckNpyFileBytes(header, input.size(), kName);
  const size_t held = input.size() - header.data_offset;
  TW_CHECK_EQ(whole.ok(), held == header.data_bytes);
  if (!whole.ok()) CheckRefusal(whole);
}

}  // namespace

// The driver, ours or libFuzzer's, has no header that says so.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
  const Result<NpyHeader> header = tilewave::cli::ParseNpyHeader(input, kName);
  if (!header.ok()) {
    CheckRefusal(header.status());
    return 0;
  }
  CheckSpan(*header, input);
  CheckRewrite(*header);
  return 0;
}
