// The host's view of device memory: it is there, and it stays where it is.

#include <cstring>
#include <memory>
#include <vector>

#include "tests/conformance/conformance_case.h"
#include "tests/conformance/rig.h"

namespace tilewave::conformance {
namespace {

using device::SyncDirection;

CONFORMANCE_CASE(mapping, EveryByteCanBeWrittenAndRead) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  for (const size_t bytes : {size_t{1}, size_t{100}, size_t{5000}}) {
    CONFORMANCE_TAKE(buffer, rig->device().Allocate(bytes));
    ASSERT_NE(buffer->host(), nullptr);
    for (size_t i = 0; i < bytes; ++i) buffer->host()[i] = static_cast<std::byte>(i * 7);
    for (size_t i = 0; i < bytes; ++i) {
      ASSERT_EQ(buffer->host()[i], static_cast<std::byte>(i * 7)) << i;
    }
  }
}

CONFORMANCE_CASE(mapping, ItStaysWhereItIsOverSyncs) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(buffer, rig->device().Allocate(1000));
  CONFORMANCE_TAKE(slice, buffer->Slice(128, 100));
  const std::byte* host = buffer->host();
  ASSERT_NE(host, nullptr);
  for (const SyncDirection direction : {SyncDirection::kToDevice, SyncDirection::kFromDevice}) {
    CONFORMANCE_OK(buffer->Sync(direction, 0, 1000));
    CONFORMANCE_OK(slice->Sync(direction, 0, 100));
    EXPECT_EQ(buffer->host(), host);
    EXPECT_EQ(slice->host(), host + 128);
  }
}

CONFORMANCE_CASE(mapping, ItStaysWhereItIsOverOtherAllocations) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(buffer, rig->device().Allocate(1000));
  const std::byte* host = buffer->host();
  std::memset(buffer->host(), 0x3C, 1000);
  for (size_t bytes = 1; bytes < (size_t{1} << 22); bytes *= 2) {
    CONFORMANCE_TAKE(other, rig->device().Allocate(bytes));
    std::memset(other->host(), 0xFF, bytes);
    EXPECT_EQ(buffer->host(), host);
  }
  for (size_t i = 0; i < 1000; ++i) ASSERT_EQ(buffer->host()[i], std::byte{0x3C}) << i;
}

CONFORMANCE_CASE(mapping, ItStaysWhereItIsOverLaunches) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  const std::byte* a = product->a()->host();
  const std::byte* c = product->c()->host();
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    EXPECT_EQ(product->RunAndCheck(seed), "");
    EXPECT_EQ(product->a()->host(), a);
    EXPECT_EQ(product->c()->host(), c);
  }
}

}  // namespace
}  // namespace tilewave::conformance
