// Fuzz target of the reader of MLIR text. It aborts when one of these does not hold:
//  * What was read is a legal program, is printed, and reads back as the same program.
//  * A text that was read is refused without its last token.
//  * A refusal is one short printable line with one of the codes that the header promises.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "arch/npu.h"
#include "base/check.h"
#include "emit/mlir_parser.h"
#include "emit/mlir_printer.h"
#include "program/validate.h"

namespace {

using tilewave::Result;
using tilewave::Status;
using tilewave::StatusCode;
using tilewave::emit::MlirText;
using tilewave::emit::ParseMlir;
using tilewave::program::ArrayProgram;

constexpr size_t kMaxMessage = 512;

void CheckRefusal(const Status& status) {
  const std::string& message = status.message();
  TW_CHECK(status.code() == StatusCode::kInvalidArgument ||
           status.code() == StatusCode::kOutOfRange || status.code() == StatusCode::kUnimplemented);
  TW_CHECK(!message.empty());
  TW_CHECK_LE(message.size(), kMaxMessage);
  for (const char c : message) TW_CHECK(c >= 0x20 && c < 0x7f);
}

}  // namespace

// The driver, ours or libFuzzer's, has no header that says so.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<ArrayProgram> program = ParseMlir(text);
  if (!program.ok()) {
    CheckRefusal(program.status());
    return 0;
  }
  const tilewave::arch::Npu& npu = tilewave::arch::NpuOf(program->spec.arch);
  TW_CHECK(tilewave::program::Validate(*program, npu).ok());
  const Result<std::string> printed = MlirText(*program);
  TW_CHECK(printed.ok());
  const Result<ArrayProgram> again = ParseMlir(*printed);
  TW_CHECK(again.ok());
  TW_CHECK(*again == *program);
  TW_CHECK(!ParseMlir(std::string_view(*printed).substr(0, printed->rfind('}'))).ok());
  return 0;
}
