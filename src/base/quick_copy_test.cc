#include "base/quick_copy.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace tilewave::base {
namespace {

template <size_t kCount>
struct Numbers {
  uint8_t at[kCount];
};

template <size_t kCount>
void CopiesAll() {
  Numbers<kCount> from;
  for (size_t i = 0; i < kCount; ++i) from.at[i] = static_cast<uint8_t>(i + 1);
  QuickCopy<Numbers<kCount>> copy(from);
  for (size_t i = 0; i < kCount; ++i) ASSERT_EQ((*copy).at[i], static_cast<uint8_t>(i + 1)) << i;
  (*copy).at[0] = 99;
  EXPECT_EQ(from.at[0], 1);
}

TEST(QuickCopyTest, CopiesWholePiecesAndTheRest) {
  CopiesAll<1>();
  CopiesAll<63>();
  CopiesAll<64>();
  CopiesAll<65>();
  CopiesAll<352>();
  CopiesAll<1100>();
}

}  // namespace
}  // namespace tilewave::base
