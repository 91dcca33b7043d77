// What syncs move: all of the range, and nothing that lies elsewhere.

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "tests/conformance/conformance_case.h"
#include "tests/conformance/rig.h"

namespace tilewave::conformance {
namespace {

using device::Buffer;
using device::SyncDirection;

constexpr size_t kLine = device::kWindowAlignment;

std::vector<std::byte> CopyOf(Buffer* buffer) {
  return {buffer->host(), buffer->host() + buffer->bytes()};
}

CONFORMANCE_CASE(sync, ALaunchReadsWhatWasSyncedBeforeIt) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get(), 2));
  for (uint64_t seed = 1; seed <= 4; ++seed) EXPECT_EQ(product->RunAndCheck(seed), "") << seed;
}

CONFORMANCE_CASE(sync, PiecesAddUp) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  product->Fill(5);
  for (Buffer* buffer : {product->a(), product->b()}) {
    // Neither whole lines nor in order.
    for (const auto& [begin, end] :
         {std::pair<size_t, size_t>{1000, kTileBytes}, {0, 1}, {1, 100}, {100, 1000}}) {
      CONFORMANCE_OK(buffer->Sync(SyncDirection::kToDevice, begin, end - begin));
    }
  }
  CONFORMANCE_OK(rig->Run({&product->launch(), 1}));
  for (size_t begin = 0; begin < kOutputBytes; begin += 500) {
    const size_t bytes = std::min<size_t>(500, kOutputBytes - begin);
    CONFORMANCE_OK(product->c()->Sync(SyncDirection::kFromDevice, begin, bytes));
  }
  EXPECT_EQ(product->Difference(), "");
}

CONFORMANCE_CASE(sync, WhatTheHostHasWrittenBesideARangeStays) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  product->Fill(6);
  CONFORMANCE_OK(product->SyncIn());
  CONFORMANCE_OK(rig->Run({&product->launch(), 1}));
  // All of the memory but C is the host's now.
  const auto c_begin = static_cast<size_t>(product->c()->host() - product->memory()->host());
  const auto is_c = [&](size_t i) { return i >= c_begin && i < c_begin + kOutputBytes; };
  Buffer* memory = product->memory();
  const std::vector<std::byte> inputs = CopyOf(memory);
  for (size_t i = 0; i < memory->bytes(); ++i) {
    if (!is_c(i)) memory->host()[i] = static_cast<std::byte>(i);
  }
  CONFORMANCE_OK(memory->Sync(SyncDirection::kFromDevice, c_begin, kOutputBytes));
  for (size_t i = 0; i < memory->bytes(); ++i) {
    if (is_c(i)) continue;
    ASSERT_EQ(memory->host()[i], static_cast<std::byte>(i)) << i;
  }
  std::memcpy(memory->host(), inputs.data(), c_begin);
  EXPECT_EQ(product->Difference(), "");
}

CONFORMANCE_CASE(sync, WhatTheDeviceHasWrittenBesideARangeStays) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  product->Fill(7);
  CONFORMANCE_OK(product->SyncIn());
  CONFORMANCE_OK(rig->Run({&product->launch(), 1}));
  // All but C once more, up to the line before it and from the one behind it.
  Buffer* memory = product->memory();
  const auto c_begin = static_cast<size_t>(product->c()->host() - memory->host());
  const size_t c_end = c_begin + kOutputBytes;
  CONFORMANCE_OK(memory->Sync(SyncDirection::kToDevice, 0, c_begin));
  CONFORMANCE_OK(memory->Sync(SyncDirection::kToDevice, c_end, memory->bytes() - c_end));
  CONFORMANCE_OK(product->SyncOut());
  EXPECT_EQ(product->Difference(), "");
}

CONFORMANCE_CASE(sync, WhatIsNotSyncedStaysBehind) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(buffer, rig->device().Allocate(4096));
  // Both sides have 1; then the host has 2, and of that the device gets a range.
  std::memset(buffer->host(), 1, 4096);
  CONFORMANCE_OK(buffer->Sync(SyncDirection::kToDevice, 0, 4096));
  std::memset(buffer->host(), 2, 4096);
  CONFORMANCE_OK(buffer->Sync(SyncDirection::kToDevice, 1030, 70));
  // What the host has now is not the device's; a range comes back, then the rest.
  std::memset(buffer->host(), 3, 4096);
  CONFORMANCE_OK(buffer->Sync(SyncDirection::kFromDevice, 0, 2048));
  for (size_t i = 0; i < 4096; ++i) {
    const bool synced = i >= 1030 && i < 1100;
    const bool line = i >= 1030 / kLine * kLine && i < (1100 + kLine - 1) / kLine * kLine;
    const auto got = std::to_integer<int>(buffer->host()[i]);
    if (synced) {
      ASSERT_EQ(got, 2) << i;
    } else if (i >= 2048) {
      ASSERT_EQ(got, 3) << i;
    } else if (!line) {
      ASSERT_EQ(got, 1) << i;
    }
  }
}

CONFORMANCE_CASE(sync, ASliceSyncsItsOwnBytes) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  CONFORMANCE_TAKE(half, product->a()->Slice(kTileBytes / 2, kTileBytes / 2));
  product->Fill(8);
  CONFORMANCE_OK(product->SyncIn());
  // The second half anew, through a window of its own.
  for (size_t i = 0; i < half->bytes(); ++i) half->host()[i] = static_cast<std::byte>(i * 5);
  CONFORMANCE_OK(half->Sync(SyncDirection::kToDevice, 0, half->bytes()));
  CONFORMANCE_OK(rig->Run({&product->launch(), 1}));
  CONFORMANCE_OK(product->SyncOut());
  EXPECT_EQ(product->Difference(), "");
}

CONFORMANCE_CASE(sync, NoBytesAreNothing) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(buffer, rig->device().Allocate(1000));
  std::memset(buffer->host(), 4, 1000);
  CONFORMANCE_OK(buffer->Sync(SyncDirection::kToDevice, 0, 1000));
  std::memset(buffer->host(), 5, 1000);
  const std::vector<std::byte> before = CopyOf(buffer.get());
  for (const SyncDirection direction : {SyncDirection::kFromDevice, SyncDirection::kToDevice}) {
    for (const size_t offset : {size_t{0}, size_t{1}, size_t{500}, size_t{1000}}) {
      EXPECT_TRUE(buffer->Sync(direction, offset, 0).ok()) << offset;
    }
  }
  EXPECT_EQ(CopyOf(buffer.get()), before);
}

CONFORMANCE_CASE(sync, RangesOutsideAreRefused) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend, Seam::kValidated));
  CONFORMANCE_TAKE(buffer, rig->device().Allocate(1000));
  CONFORMANCE_TAKE(slice, buffer->Slice(128, 100));
  for (const SyncDirection direction : {SyncDirection::kToDevice, SyncDirection::kFromDevice}) {
    for (const auto& [offset, bytes] :
         {std::pair<size_t, size_t>{0, 1001}, {990, 11}, {1001, 0}, {SIZE_MAX, 2}, {1, SIZE_MAX}}) {
      EXPECT_EQ(buffer->Sync(direction, offset, bytes).code(), StatusCode::kInternal)
          << offset << " + " << bytes;
    }
    EXPECT_EQ(slice->Sync(direction, 0, 101).code(), StatusCode::kInternal);
    EXPECT_TRUE(buffer->Sync(direction, 0, 1000).ok());
  }
}

}  // namespace
}  // namespace tilewave::conformance
