#pragma once

// A device of a backend, with products that are one launch each. What is checked is the seam: the
// engine, its planner and its packing have no part in it.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/problem.h"
#include "device/device.h"
#include "pack/tiles.h"
#include "program/array_program.h"
#include "tests/conformance/backend.h"
#include "tilewave/status.h"

namespace tilewave::conformance {

/// Longer than anything here takes, in device time.
inline constexpr std::chrono::nanoseconds kLong = std::chrono::minutes(1);

/// Whether the device is opened as it is, or behind the validating wrapper, which checks what
/// backends need not.
enum class Seam : uint8_t { kBare, kValidated };

/// Rows and columns of every product, and of a tile of its operands.
inline constexpr int64_t kTile = 64;
inline constexpr size_t kTileBytes = size_t{kTile} * kTile;
inline constexpr size_t kOutputBytes = kTileBytes * sizeof(int32_t);

/// An opened device, and what it takes to multiply 64 x K by K x 64 on it. Must outlive what is
/// made with it.
class Rig {
 public:
  /// Errors: what says that the device, or a binary for it, is not there.
  [[nodiscard]] static Result<std::unique_ptr<Rig>> Open(const Backend& backend,
                                                         Seam seam = Seam::kBare);

  device::Device& device() { return *device_; }
  device::Queue& queue() { return device_->queue(); }
  bool is_array() const { return program_.has_value(); }
  /// REQUIRES: is_array().
  arch::NpuArch arch() const { return program_->spec.arch; }

  /// Products of `steps` tiles along K. On an array all share a configuration; each call loads
  /// another one.
  [[nodiscard]] Result<std::unique_ptr<device::Executable>> Load(int64_t steps = 1);

  /// The same image for the other generation of the array. REQUIRES: is_array().
  [[nodiscard]] Result<std::unique_ptr<device::Executable>> LoadForTheOtherGeneration();

  /// What an array's controller executes for a product. REQUIRES: is_array().
  std::vector<uint32_t> Stream(int64_t steps) const { return StreamFor(program_->spec, steps); }
  std::vector<uint32_t> StreamForTheOtherGeneration() const;

  /// Submits one chain, waiting for room, and waits for its end.
  [[nodiscard]] Status Run(std::span<const device::Launch> chain);

  /// Submits one chain, waiting for room.
  device::SubmitCode Submit(std::span<const device::Launch> chain, device::Fence* fence);

  /// How tiles of A (64 rows), B (64 columns) and C lie in their buffers, one after another along
  /// K; the host has a single one.
  struct Layouts {
    pack::TileLayout a;
    pack::TileLayout b;
    pack::TileLayout c;
  };
  Layouts LayoutsOf(int64_t steps) const;

 private:
  Rig(const Backend& backend, std::unique_ptr<device::Device> device)
      : images_(backend.images), device_(std::move(device)) {}

  static std::vector<uint32_t> StreamFor(const program::DesignSpec& spec, int64_t steps);
  program::DesignSpec OtherGeneration() const;
  [[nodiscard]] Result<std::unique_ptr<device::Executable>> LoadDesign(
      const program::DesignSpec& spec);

  runtime::ImageProvider images_;
  std::unique_ptr<device::Device> device_;
  std::optional<program::ArrayProgram> program_;
};

/// C = A * B as one launch: its executable, its stream and its buffers, which are windows of one.
class Product {
 public:
  /// With an executable of its own.
  [[nodiscard]] static Result<std::unique_ptr<Product>> Make(Rig* rig, int64_t steps = 1);
  /// Another product of this one's configuration, where a device has such; must not outlive this.
  [[nodiscard]] Result<std::unique_ptr<Product>> Another(int64_t steps = 1) const;

  /// Random bytes into the host memory of A and B, and 0x11 into that of C.
  void Fill(uint64_t seed);
  [[nodiscard]] Status SyncIn();
  [[nodiscard]] Status SyncOut();

  /// Fills, syncs, runs, syncs back, and says what is wrong: "" if nothing is.
  std::string RunAndCheck(uint64_t seed);

  /// "" if C in host memory is the product of A and B in host memory, else where it is not.
  std::string Difference() const;

  /// Another product's C in the place of A. REQUIRES: steps of Make were kStepsOfAnOutput.
  void TakeOutputOf(const Product& other);
  static constexpr int64_t kStepsOfAnOutput = kOutputBytes / kTileBytes;
  /// Another product's C in the place of this one's.
  void WriteToOutputOf(const Product& other);

  /// Borrowed from this.
  const device::Launch& launch();

  device::Buffer* a() const { return arguments_[0].buffer; }
  device::Buffer* b() const { return arguments_[1].buffer; }
  device::Buffer* c() const { return arguments_[2].buffer; }
  /// All three, with room between them.
  device::Buffer* memory() const { return memory_.get(); }

  /// For changes on purpose.
  std::array<device::BufferRange, 3>& arguments() { return arguments_; }
  std::vector<uint32_t>& stream() { return stream_; }

 private:
  Product(Rig* rig, int64_t steps) : rig_(rig), steps_(steps) {}
  [[nodiscard]] Status Allocate();

  Rig* rig_;
  int64_t steps_;
  std::unique_ptr<device::Executable> executable_;
  const device::Executable* used_ = nullptr;
  std::vector<uint32_t> stream_;
  std::unique_ptr<device::Buffer> memory_;
  std::array<std::unique_ptr<device::Buffer>, 3> windows_;
  std::array<device::BufferRange, 3> arguments_;
  core::Operands operands_;
  device::Launch launch_;
};

}  // namespace tilewave::conformance
