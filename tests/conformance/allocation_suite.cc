// Memory that a device gives: of any size, of one's own, and in windows.

#include <algorithm>
#include <memory>
#include <vector>

#include "tests/conformance/conformance_case.h"
#include "tests/conformance/rig.h"

namespace tilewave::conformance {
namespace {

using device::Buffer;
using device::SyncDirection;

void FillWith(Buffer* buffer, size_t mark) {
  std::fill_n(buffer->host(), buffer->bytes(), static_cast<std::byte>(mark));
}

bool IsAll(Buffer* buffer, size_t mark) {
  return std::all_of(buffer->host(), buffer->host() + buffer->bytes(),
                     [mark](std::byte b) { return b == static_cast<std::byte>(mark); });
}

/// Gives each buffer a mark of its own, on both sides.
Status MarkAll(const std::vector<std::unique_ptr<Buffer>>& buffers) {
  for (size_t i = 0; i < buffers.size(); ++i) FillWith(buffers[i].get(), i);
  for (const auto& each : buffers) {
    if (Status s = each->Sync(SyncDirection::kToDevice, 0, each->bytes()); !s.ok()) return s;
  }
  for (const auto& each : buffers) {
    if (Status s = each->Sync(SyncDirection::kFromDevice, 0, each->bytes()); !s.ok()) return s;
  }
  return {};
}

CONFORMANCE_CASE(allocation, BuffersHaveTheSizeAskedFor) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  constexpr size_t kMiB = size_t{1} << 20;
  for (const size_t bytes : {size_t{1}, size_t{3}, size_t{63}, size_t{64}, size_t{65}, size_t{4095},
                             size_t{4096}, size_t{4097}, kMiB + 1, (32 * kMiB) + 5}) {
    CONFORMANCE_TAKE(buffer, rig->device().Allocate(bytes));
    EXPECT_EQ(buffer->bytes(), bytes);
    ASSERT_NE(buffer->host(), nullptr);
    FillWith(buffer.get(), 0x5A);
    EXPECT_TRUE(buffer->Sync(SyncDirection::kToDevice, 0, bytes).ok());
    EXPECT_TRUE(buffer->Sync(SyncDirection::kFromDevice, 0, bytes).ok());
    EXPECT_TRUE(IsAll(buffer.get(), 0x5A)) << bytes << " bytes";
  }
}

CONFORMANCE_CASE(allocation, ContentsAreIndependent) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  std::vector<std::unique_ptr<Buffer>> buffers;
  for (size_t bytes = 1; bytes < 3000; bytes += 97) {
    CONFORMANCE_TAKE(buffer, rig->device().Allocate(bytes));
    buffers.push_back(std::move(buffer));
  }
  CONFORMANCE_OK(MarkAll(buffers));
  for (size_t i = 0; i < buffers.size(); ++i) EXPECT_TRUE(IsAll(buffers[i].get(), i)) << i;
}

CONFORMANCE_CASE(allocation, ManyAreAliveAtATime) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  std::vector<std::unique_ptr<Buffer>> buffers;
  for (int i = 0; i < 1000; ++i) {
    CONFORMANCE_TAKE(buffer, rig->device().Allocate(200));
    buffers.push_back(std::move(buffer));
  }
  CONFORMANCE_OK(MarkAll(buffers));
  // Every other one goes, and new ones come; the rest is as it was.
  for (size_t i = 0; i < buffers.size(); i += 2) buffers[i] = nullptr;
  for (size_t i = 0; i < buffers.size(); i += 2) {
    CONFORMANCE_TAKE(buffer, rig->device().Allocate(100));
    FillWith(buffer.get(), 0xEE);
    buffers[i] = std::move(buffer);
  }
  for (size_t i = 1; i < buffers.size(); i += 2) EXPECT_TRUE(IsAll(buffers[i].get(), i)) << i;
}

CONFORMANCE_CASE(allocation, SlicesShareTheMemoryOfTheirParent) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(parent, rig->device().Allocate(4096));
  FillWith(parent.get(), 1);
  CONFORMANCE_OK(parent->Sync(SyncDirection::kToDevice, 0, 4096));
  CONFORMANCE_TAKE(slice, parent->Slice(1024, 1000));
  CONFORMANCE_TAKE(inner, slice->Slice(128, 100));
  EXPECT_EQ(slice->bytes(), 1000U);
  EXPECT_EQ(inner->bytes(), 100U);
  EXPECT_EQ(slice->host(), parent->host() + 1024);
  EXPECT_EQ(inner->host(), parent->host() + 1024 + 128);
  // Written through the innermost, read through the outermost.
  FillWith(inner.get(), 7);
  CONFORMANCE_OK(inner->Sync(SyncDirection::kToDevice, 0, 100));
  CONFORMANCE_OK(parent->Sync(SyncDirection::kFromDevice, 0, 4096));
  for (size_t i = 0; i < 4096; ++i) {
    const bool inside = i >= 1024 + 128 && i < 1024 + 128 + 100;
    ASSERT_EQ(parent->host()[i], std::byte{inside ? uint8_t{7} : uint8_t{1}}) << i;
  }
}

CONFORMANCE_CASE(allocation, SlicesComeAndGoWithoutATrace) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(parent, rig->device().Allocate(4096));
  std::vector<std::unique_ptr<Buffer>> slices;
  for (size_t i = 0; i < 64; ++i) {
    CONFORMANCE_TAKE(slice, parent->Slice(i * 64, 64));
    slices.push_back(std::move(slice));
  }
  CONFORMANCE_OK(MarkAll(slices));
  for (size_t i = 0; i < 64; i += 3) slices[i] = nullptr;
  for (size_t i = 0; i < 4096; ++i) ASSERT_EQ(parent->host()[i], std::byte(i / 64)) << i;
  CONFORMANCE_OK(parent->Sync(SyncDirection::kFromDevice, 0, 4096));
  for (size_t i = 0; i < 4096; ++i) ASSERT_EQ(parent->host()[i], std::byte(i / 64)) << i;
}

CONFORMANCE_CASE(allocation, SlicesStartAtWindows) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend, Seam::kValidated));
  CONFORMANCE_TAKE(parent, rig->device().Allocate(4096));
  CONFORMANCE_TAKE(slice, parent->Slice(device::kWindowAlignment, 1000));
  for (const size_t offset : {size_t{1}, size_t{32}, size_t{63}, size_t{65}, size_t{100}}) {
    EXPECT_EQ(parent->Slice(offset, 1).status().code(), StatusCode::kInternal) << offset;
    EXPECT_EQ(slice->Slice(offset, 1).status().code(), StatusCode::kInternal) << offset;
  }
  EXPECT_TRUE(slice->Slice(device::kWindowAlignment, 1).ok());
}

CONFORMANCE_CASE(allocation, SlicesStayInside) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend, Seam::kValidated));
  CONFORMANCE_TAKE(parent, rig->device().Allocate(4096));
  CONFORMANCE_TAKE(slice, parent->Slice(1024, 1024));
  EXPECT_EQ(parent->Slice(0, 4097).status().code(), StatusCode::kInternal);
  EXPECT_EQ(parent->Slice(4096 + 64, 0).status().code(), StatusCode::kInternal);
  EXPECT_EQ(parent->Slice(64, SIZE_MAX).status().code(), StatusCode::kInternal);
  EXPECT_EQ(slice->Slice(64, 1024).status().code(), StatusCode::kInternal)
      << "inside its parent, but not inside the slice";
}

}  // namespace
}  // namespace tilewave::conformance
