#include "base/aligned_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <type_traits>
#include <utility>

namespace tilewave::base {
namespace {

static_assert(!std::is_copy_constructible_v<AlignedBuffer>);
static_assert(!std::is_copy_assignable_v<AlignedBuffer>);
static_assert(std::is_nothrow_move_constructible_v<AlignedBuffer>);

uintptr_t AddressOf(const AlignedBuffer& buffer) {
  return reinterpret_cast<uintptr_t>(buffer.data());
}

TEST(AlignedBufferTest, DefaultIsEmpty) {
  const AlignedBuffer buffer;
  EXPECT_EQ(buffer.bytes(), 0u);
  EXPECT_EQ(buffer.data(), nullptr);
}

TEST(AlignedBufferTest, EverySizeIsAlignedAndWritable) {
  for (size_t bytes = 1; bytes <= 200; ++bytes) {
    AlignedBuffer buffer(bytes);
    EXPECT_EQ(buffer.bytes(), bytes);
    EXPECT_EQ(AddressOf(buffer) % kBufferAlignment, 0u);
    std::memset(buffer.data(), 0xA5, bytes);
    EXPECT_EQ(buffer.data<uint8_t>()[bytes - 1], 0xA5);
  }
}

TEST(AlignedBufferTest, TypedAccessSeesTheSameBytes) {
  AlignedBuffer buffer(8);
  buffer.data<int32_t>()[0] = 0x01010101;
  buffer.data<int32_t>()[1] = -1;
  const AlignedBuffer& as_const = buffer;
  EXPECT_EQ(as_const.data<uint8_t>()[3], 1);
  EXPECT_EQ(as_const.data<uint8_t>()[4], 255);
}

TEST(AlignedBufferTest, ReserveGrowsAndNeverShrinks) {
  AlignedBuffer buffer;
  buffer.Reserve(100);
  EXPECT_EQ(buffer.bytes(), 100u);
  buffer.data<uint8_t>()[0] = 7;
  const uintptr_t address = AddressOf(buffer);
  buffer.Reserve(100);
  buffer.Reserve(10);
  buffer.Reserve(0);
  EXPECT_EQ(buffer.bytes(), 100u);
  EXPECT_EQ(AddressOf(buffer), address);
  EXPECT_EQ(buffer.data<uint8_t>()[0], 7);
  buffer.Reserve(101);
  EXPECT_EQ(buffer.bytes(), 101u);
  EXPECT_EQ(AddressOf(buffer) % kBufferAlignment, 0u);
  std::memset(buffer.data(), 1, 101);
}

TEST(AlignedBufferTest, MoveKeepsTheMemory) {
  AlignedBuffer from(64);
  from.data<uint8_t>()[63] = 9;
  const uintptr_t address = AddressOf(from);
  AlignedBuffer to(std::move(from));
  EXPECT_EQ(AddressOf(to), address);
  EXPECT_EQ(to.bytes(), 64u);
  AlignedBuffer assigned(16);
  assigned = std::move(to);
  EXPECT_EQ(AddressOf(assigned), address);
  EXPECT_EQ(assigned.data<uint8_t>()[63], 9);
}

// bytes() must never promise memory that is not there.
TEST(AlignedBufferTest, MovedFromBufferIsEmptyAndCanBeReservedAgain) {
  AlignedBuffer from(64);
  const AlignedBuffer to(std::move(from));
  EXPECT_EQ(from.bytes(), 0u);  // NOLINT(bugprone-use-after-move): the state under test.
  from.Reserve(32);
  EXPECT_NE(from.data(), nullptr);
  AlignedBuffer assigned;
  assigned = std::move(from);
  EXPECT_EQ(assigned.bytes(), 32u);
  EXPECT_EQ(from.bytes(), 0u);  // NOLINT(bugprone-use-after-move): the state under test.
  EXPECT_EQ(from.data(), nullptr);
}

}  // namespace
}  // namespace tilewave::base
