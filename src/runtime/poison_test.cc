#include "runtime/poison.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace tilewave::runtime {
namespace {

TEST(PoisonTest, FindsEveryLineThatWasNotWritten) {
  for (const size_t bytes : {64U, 640U, 656U, 1000U}) {
    std::vector<std::byte> memory(bytes);
    FillPoison(memory.data(), bytes);
    EXPECT_EQ(CheckWritten(memory.data(), bytes).code(), StatusCode::kDataLoss);
    const std::vector<std::byte> poison = memory;
    std::memset(memory.data(), 0, bytes);
    EXPECT_TRUE(CheckWritten(memory.data(), bytes).ok());
    for (size_t line = 0; line < bytes; line += 64) {
      const size_t part = std::min<size_t>(64, bytes - line);
      std::memcpy(memory.data() + line, poison.data() + line, part);
      const Status s = CheckWritten(memory.data(), bytes);
      EXPECT_EQ(s.ok(), part < 16) << line << " of " << bytes;
      // A single byte tells that it was written.
      memory[line] ^= std::byte{1};
      EXPECT_TRUE(CheckWritten(memory.data(), bytes).ok());
      std::memset(memory.data(), 0, bytes);
    }
  }
}

TEST(PoisonTest, NoTwoLinesAreAlike) {
  std::vector<std::byte> memory(64 * 100);
  FillPoison(memory.data(), memory.size());
  for (size_t i = 64; i < memory.size(); i += 64) {
    EXPECT_NE(std::memcmp(memory.data(), memory.data() + i, 64), 0) << i;
  }
}

TEST(PoisonTest, SaysWhere) {
  std::vector<std::byte> memory(256);
  FillPoison(memory.data(), memory.size());
  std::memset(memory.data(), 0, 128);
  EXPECT_NE(CheckWritten(memory.data(), memory.size()).message().find("[128, +64)"),
            std::string::npos);
}

}  // namespace
}  // namespace tilewave::runtime
