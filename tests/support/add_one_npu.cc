#include "tests/support/add_one_npu.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "program/stream.h"

namespace tilewave::testing {
namespace {

using device::SyncDirection;

/// In outputs before they are written; no sum that is ever written.
constexpr int kUnwritten = 0xEE;

class AddOne final : public device::xrt::FakeArray {
 public:
  Status Run(std::span<const uint32_t> /*stream*/,
             std::span<const std::span<std::byte>> buffers) override {
    for (size_t i = 0; i < kAddOneBytes; ++i) {
      buffers[1][i] = static_cast<std::byte>(std::to_integer<int>(buffers[0][i]) + 1);
    }
    return {};
  }
  void Reset() override {}
};

}  // namespace

Result<std::unique_ptr<device::xrt::FakeArray>> LoadAddOne(std::span<const std::byte> binary) {
  if (binary.empty()) return Status(StatusCode::kInvalidArgument, "no array binary");
  return std::unique_ptr<device::xrt::FakeArray>(std::make_unique<AddOne>());
}

std::vector<uint32_t> AddOneStream(uint32_t value, arch::NpuArch arch) {
  const program::Sequence sequence = {program::WriteParameter{{0, 2}, 0x400, value}};
  return *program::EncodeStream(sequence, arch::NpuOf(arch));
}

Result<std::unique_ptr<AddOneChain>> AddOneChain::Make(device::Device* device, size_t launches) {
  auto chain = std::make_unique<AddOneChain>();
  Result<std::unique_ptr<device::Buffer>> data = device->Allocate((1 + launches) * kAddOneBytes);
  if (!data.ok()) return data.status();
  chain->data_ = *std::move(data);
  for (size_t i = 0; i <= launches; ++i) {
    Result<std::unique_ptr<device::Buffer>> window =
        chain->data_->Slice(i * kAddOneBytes, kAddOneBytes);
    if (!window.ok()) return window.status();
    chain->windows_.push_back(*std::move(window));
  }
  for (size_t i = 0; i < launches; ++i) {
    chain->arguments_.push_back({{chain->windows_[0].get(), 0, kAddOneBytes},
                                 {chain->windows_[i + 1].get(), 0, kAddOneBytes}});
  }
  chain->launches_.resize(launches);
  return chain;
}

Status AddOneChain::Write(int value) {
  value_ = value % (kUnwritten - 1);
  std::memset(data_->host(), value_, kAddOneBytes);
  std::memset(data_->host() + kAddOneBytes, kUnwritten, data_->bytes() - kAddOneBytes);
  return data_->Sync(SyncDirection::kToDevice, 0, data_->bytes());
}

Status AddOneChain::Read() {
  return data_->Sync(SyncDirection::kFromDevice, kAddOneBytes, data_->bytes() - kAddOneBytes);
}

bool AddOneChain::IsRight(size_t launch) const { return OutputIs(launch, value_ + 1); }

bool AddOneChain::IsUnwritten(size_t launch) const { return OutputIs(launch, kUnwritten); }

std::span<const device::Launch> AddOneChain::Launches(const device::Executable& executable) {
  for (size_t i = 0; i < launches_.size(); ++i) {
    launches_[i].executable = &executable;
    launches_[i].stream = stream_;
    launches_[i].arguments = arguments_[i];
  }
  return launches_;
}

bool AddOneChain::OutputIs(size_t launch, int value) const {
  const std::byte* output = data_->host() + ((launch + 1) * kAddOneBytes);
  return std::all_of(output, output + kAddOneBytes,
                     [&](std::byte each) { return each == static_cast<std::byte>(value); });
}

}  // namespace tilewave::testing
