#pragma once

#include <atomic>
#include <cstdint>

#include "arch/cpu.h"
#include "core/problem.h"
#include "device/device.h"
#include "device/host/workspace.h"
#include "kernels/cpu/kernel.h"
#include "pack/vectors.h"

namespace tilewave::device::host {

/// All of B packed once: batch x columns x K.
class HostWeights final : public WeightsPayload {
 public:
  HostWeights(const pack::VectorLayout& layout, int64_t batch)
      : layout_(layout), data_(layout.bytes() * static_cast<size_t>(batch)) {}

  size_t bytes() const override { return data_.bytes(); }
  const pack::VectorLayout& layout() const { return layout_; }
  /// Columns of matrix `batch`.
  int16_t* matrix(int64_t batch) {
    return data_.data<int16_t>() + (batch * layout_.vectors_padded * layout_.k_padded);
  }
  const int16_t* matrix(int64_t batch) const {
    return data_.data<int16_t>() + (batch * layout_.vectors_padded * layout_.k_padded);
  }

 private:
  pack::VectorLayout layout_;
  base::AlignedBuffer data_;
};

/// One problem resolved for the CPU: kernel and block sizes. Immutable, thread-safe.
class HostGemm final : public Executable {
 public:
  /// REQUIRES: a validated problem; the kernel outlives this.
  HostGemm(const core::Problem& problem, const kernels::cpu::Int8Kernel& kernel,
           const arch::Cpu& cpu);

  std::string_view kernel_name() const override { return kernel_.name; }

  /// Computes C in the calling thread; bit-identical to core::ReferenceGemm.
  /// Error: kInvalidArgument for f32 operands that are not finite; C is then untouched.
  /// REQUIRES: validated operands; `weights` is set exactly if the problem is prepacked.
  [[nodiscard]] Status Execute(const core::Operands& operands, const HostWeights* weights,
                               std::atomic<int64_t>* progress, Workspace* workspace) const;

 private:
  struct Side;
  struct Call;
  struct Block;

  void DescribeSides(Call* call) const;
  [[nodiscard]] static Status Scan(Side* side, base::AlignedBuffer* buffer);
  void RunMatrix(const Call& call, int64_t batch) const;
  const int16_t* PrepackedColumns(const HostWeights& weights, int64_t batch, int64_t first) const;
  /// Packs `count` vectors from `first` on into the side's block.
  const int16_t* Pack(const Call& call, const Side& side, int64_t batch, int64_t first,
                      int64_t count) const;
  void RunBlock(const Call& call, const Block& block) const;
  void CopyRow(const Call& call, const Block& block, int64_t row, int64_t column, int64_t columns,
               const int32_t* acc) const;

  core::Problem problem_;
  const kernels::cpu::Int8Kernel& kernel_;
  int64_t k_padded_;
  int64_t rows_per_block_;
  int64_t columns_per_block_;
};

/// Layout of prepacked B for this kernel.
pack::VectorLayout WeightsLayoutFor(const core::Problem& problem,
                                    const kernels::cpu::Int8Kernel& kernel);

}  // namespace tilewave::device::host
