#include "tests/conformance/rig.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/random.h"
#include "device/validating_device.h"
#include "program/lower.h"
#include "program/sequence.h"
#include "program/stream.h"

namespace tilewave::conformance {

using device::Buffer;
using device::Executable;
using device::Fence;
using device::Launch;
using device::SubmitCode;
using device::SyncDirection;
using device::WaitCode;

namespace {

/// Room between the windows of a product: what lies there nobody may touch.
constexpr size_t kGap = 256;
constexpr int kUntouched = 0x11;

core::Problem WholeProblem(int64_t steps) {
  core::Problem problem;
  problem.m = problem.n = kTile;
  problem.k = steps * kTile;
  problem.a = {problem.k, 1, 0};
  problem.b = problem.c = {kTile, 1, 0};
  return problem;
}

/// Rows x cols of tiles along K as a plain row-major matrix.
std::vector<int8_t> Unpacked(const std::byte* data, const pack::TileLayout& tile, bool along_rows,
                             int64_t depth) {
  const int64_t tiles = depth / (along_rows ? tile.rows : tile.cols);
  const int64_t cols = along_rows ? tile.cols : depth;
  std::vector<int8_t> plain(static_cast<size_t>(tiles * tile.elements()));
  const auto* bytes = reinterpret_cast<const int8_t*>(data);
  for (int64_t t = 0; t < tiles; ++t) {
    for (int64_t r = 0; r < tile.rows; ++r) {
      for (int64_t c = 0; c < tile.cols; ++c) {
        const int64_t row = along_rows ? (t * tile.rows) + r : r;
        const int64_t col = along_rows ? c : (t * tile.cols) + c;
        plain[static_cast<size_t>((row * cols) + col)] =
            bytes[(t * tile.elements()) + pack::TileIndex(tile, r, c)];
      }
    }
  }
  return plain;
}

}  // namespace

Result<std::unique_ptr<Rig>> Rig::Open(const Backend& backend, Seam seam) {
  Result<std::unique_ptr<device::Device>> device = backend.open();
  if (!device.ok()) return device.status();
  std::unique_ptr<Rig> rig(new Rig(backend, *std::move(device)));
  if (backend.images != nullptr) {
    program::DesignSpec spec;
    spec.family = program::DesignFamily::kKStream;
    spec.arch = ProfileOf(backend, rig->device()).arch;
    spec.tile_m = spec.tile_k = spec.tile_n = kTile;
    Result<program::ArrayProgram> program = program::Lower(spec);
    if (!program.ok()) return program.status();
    rig->program_ = *std::move(program);
  }
  if (seam == Seam::kValidated) {
    rig->device_ = device::MakeValidatingDevice(std::move(rig->device_));
  }
  return rig;
}

Result<std::unique_ptr<Executable>> Rig::LoadDesign(const program::DesignSpec& spec) {
  const Result<std::unique_ptr<device::ArrayImage>> image = images_(spec);
  if (!image.ok()) return image.status();
  return device_->LoadImage(**image);
}

Result<std::unique_ptr<Executable>> Rig::Load(int64_t steps) {
  return is_array() ? LoadDesign(program_->spec) : device_->Load(WholeProblem(steps));
}

program::DesignSpec Rig::OtherGeneration() const {
  program::DesignSpec other = program_->spec;
  other.arch = other.arch == arch::NpuArch::kNpu1 ? arch::NpuArch::kNpu2 : arch::NpuArch::kNpu1;
  return other;
}

Result<std::unique_ptr<Executable>> Rig::LoadForTheOtherGeneration() {
  return LoadDesign(OtherGeneration());
}

std::vector<uint32_t> Rig::StreamFor(const program::DesignSpec& spec, int64_t steps) {
  return *program::EncodeStream(*program::LaunchSequence(*program::Lower(spec), steps),
                                arch::NpuOf(spec.arch));
}

std::vector<uint32_t> Rig::StreamForTheOtherGeneration() const {
  return StreamFor(OtherGeneration(), 1);
}

SubmitCode Rig::Submit(std::span<const Launch> chain, Fence* fence) {
  for (;;) {
    const SubmitCode code = queue().TrySubmit(chain, fence);
    if (code != SubmitCode::kQueueFull) return code;
    if (queue().WaitForRoom(kLong) == WaitCode::kTimeout) return code;
  }
}

Status Rig::Run(std::span<const Launch> chain) {
  Fence fence;
  const SubmitCode code = Submit(chain, &fence);
  if (code == SubmitCode::kRejected) return fence.status;
  if (code == SubmitCode::kQueueFull || queue().Wait(&fence, kLong) == WaitCode::kTimeout) {
    return {StatusCode::kDeadlineExceeded, "waited for a device in vain"};
  }
  return fence.status;
}

Rig::Layouts Rig::LayoutsOf(int64_t steps) const {
  if (!is_array()) {
    return {{kTile, steps * kTile, 1, 1}, {steps * kTile, kTile, 1, 1}, {kTile, kTile, 1, 1}};
  }
  const program::BlockShape block = program::BlockShapeOf(program_->spec);
  return {{kTile, kTile, block.rows, block.depth},
          {kTile, kTile, block.depth, block.columns},
          {kTile, kTile, block.rows, block.columns}};
}

Result<std::unique_ptr<Product>> Product::Make(Rig* rig, int64_t steps) {
  Result<std::unique_ptr<Executable>> executable = rig->Load(steps);
  if (!executable.ok()) return executable.status();
  std::unique_ptr<Product> product(new Product(rig, steps));
  product->executable_ = *std::move(executable);
  product->used_ = product->executable_.get();
  if (Status s = product->Allocate(); !s.ok()) return s;
  return product;
}

Result<std::unique_ptr<Product>> Product::Another(int64_t steps) const {
  if (!rig_->is_array()) return Make(rig_, steps);
  std::unique_ptr<Product> product(new Product(rig_, steps));
  product->used_ = used_;
  if (Status s = product->Allocate(); !s.ok()) return s;
  return product;
}

Status Product::Allocate() {
  if (rig_->is_array()) stream_ = rig_->Stream(steps_);
  const size_t panel = static_cast<size_t>(steps_) * kTileBytes;
  const std::array<size_t, 3> sizes = {panel, panel, kOutputBytes};
  Result<std::unique_ptr<Buffer>> memory =
      rig_->device().Allocate((2 * panel) + kOutputBytes + (4 * kGap));
  if (!memory.ok()) return memory.status();
  memory_ = *std::move(memory);
  size_t offset = kGap;
  for (size_t i = 0; i < sizes.size(); ++i) {
    Result<std::unique_ptr<Buffer>> window = memory_->Slice(offset, sizes[i]);
    if (!window.ok()) return window.status();
    windows_[i] = *std::move(window);
    arguments_[i] = {windows_[i].get(), 0, sizes[i]};
    offset += sizes[i] + kGap;
  }
  return {};
}

void Product::Fill(uint64_t seed) {
  base::Random random(seed);
  for (Buffer* buffer : {a(), b()}) {
    std::generate_n(buffer->host(), buffer->bytes(),
                    [&] { return static_cast<std::byte>(random.Next() >> 56); });
  }
  std::memset(c()->host(), kUntouched, c()->bytes());
}

Status Product::SyncIn() {
  for (Buffer* buffer : {a(), b()}) {
    if (Status s = buffer->Sync(SyncDirection::kToDevice, 0, buffer->bytes()); !s.ok()) return s;
  }
  return {};
}

Status Product::SyncOut() { return c()->Sync(SyncDirection::kFromDevice, 0, c()->bytes()); }

std::string Product::RunAndCheck(uint64_t seed) {
  Fill(seed);
  if (Status s = SyncIn(); !s.ok()) return s.ToString();
  if (Status s = rig_->Run({&launch(), 1}); !s.ok()) return s.ToString();
  if (Status s = SyncOut(); !s.ok()) return s.ToString();
  return Difference();
}

std::string Product::Difference() const {
  const Rig::Layouts layouts = rig_->LayoutsOf(steps_);
  const int64_t depth = steps_ * kTile;
  const std::vector<int8_t> a_plain = Unpacked(a()->host(), layouts.a, /*along_rows=*/false, depth);
  const std::vector<int8_t> b_plain = Unpacked(b()->host(), layouts.b, /*along_rows=*/true, depth);
  for (int64_t i = 0; i < kTile; ++i) {
    for (int64_t j = 0; j < kTile; ++j) {
      int32_t expected = 0;
      for (int64_t k = 0; k < depth; ++k) {
        expected += a_plain[static_cast<size_t>((i * depth) + k)] *
                    b_plain[static_cast<size_t>((k * kTile) + j)];
      }
      int32_t got = 0;
      const auto index = static_cast<size_t>(pack::TileIndex(layouts.c, i, j));
      std::memcpy(&got, c()->host() + (index * sizeof(got)), sizeof(got));
      if (got != expected) {
        return fmt::format("element ({}, {}) of C is {}; expected {}", i, j, got, expected);
      }
    }
  }
  return "";
}

void Product::TakeOutputOf(const Product& other) { arguments_[0] = other.arguments_[2]; }

void Product::WriteToOutputOf(const Product& other) { arguments_[2] = other.arguments_[2]; }

const Launch& Product::launch() {
  launch_ = {};
  launch_.executable = used_;
  if (rig_->is_array()) {
    launch_.stream = stream_;
    launch_.arguments = arguments_;
  } else {
    operands_ = {};
    operands_.a = a()->host();
    operands_.b = b()->host();
    operands_.c = c()->host();
    launch_.operands = &operands_;
  }
  return launch_;
}

}  // namespace tilewave::conformance
