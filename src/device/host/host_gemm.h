#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "arch/cpu.h"
#include "base/parallel_for.h"
#include "base/slot_pool.h"
#include "core/problem.h"
#include "device/device.h"
#include "device/host/host_product.h"
#include "device/host/right_operand.h"
#include "device/host/workspace.h"
#include "kernels/cpu/kernel.h"

namespace tilewave::device::host {

/// All of B packed once.
class HostWeights final : public WeightsPayload {
 public:
  size_t bytes() const override { return packed_.bytes(); }
  const PackedRight& packed() const { return packed_; }
  PackedRight* mutable_packed() { return &packed_; }

 private:
  PackedRight packed_;
};

/// What products need beside their operands: shared by all calls of a device.
struct HostResources {
  const kernels::cpu::Int8Kernel& kernel;
  arch::Cpu cpu;
  base::Workers* workers;  ///< Null: every call computes in its own thread alone.
  base::SlotPool<Workspace> workspaces;
};

/// One problem resolved for the CPU: kernel and block sizes. Immutable, thread-safe.
class HostGemm final : public Executable {
 public:
  /// REQUIRES: a validated problem; the resources outlive this.
  HostGemm(const core::Problem& problem, HostResources* resources);

  std::string_view kernel_name() const override { return resources_->kernel.name; }

  /// Computes C in the calling thread and those of the pool; bit-identical to core::ReferenceGemm.
  /// `pack_ns`, if not null, receives what quantising and packing took.
  /// Error: kInvalidArgument for f32 operands that are not finite; C is then untouched.
  /// REQUIRES: validated operands; `weights` is set exactly if the problem is prepacked.
  [[nodiscard]] Status Execute(const core::Operands& operands, const HostWeights* weights,
                               std::atomic<int64_t>* progress, int64_t* pack_ns) const;

 private:
  /// How C is cut into rectangles.
  struct Cut {
    int64_t rows = 1;
    int64_t columns = 1;
    int64_t row_tasks = 1;
    int64_t column_tasks = 1;

    int64_t tasks() const { return row_tasks * column_tasks; }
  };

  /// `macs`: the work, in what Int8Kernel::speed makes of multiply-adds.
  Cut CutFor(int threads, int64_t macs) const;
  void ShareColumns(int64_t tasks, int threads, Cut* cut) const;
  void ShareRows(int64_t tasks, int threads, Cut* cut) const;
  [[nodiscard]] Status ExecuteIn(const core::Operands& operands, core::Operands* scaled,
                                 const HostWeights* weights, std::atomic<int64_t>* progress,
                                 Workspace* workspace, int64_t* pack_ns) const;
  [[nodiscard]] Status QuantiseLeft(core::Operands* operands, Workspace* workspace,
                                    std::optional<FloatRows>* rows, HostProduct* product) const;
  [[nodiscard]] Status QuantiseRight(core::Operands* operands, Workspace* workspace,
                                     RightSource* right) const;
  base::Crew Before() const;
  void PackRight(const RightSource& source, int64_t matrices, Workspace* workspace) const;
  bool PacksRowsOnce(const HostProduct& product) const;
  void PackRowsOnce(Workspace* workspace, HostProduct* product) const;
  void FillParameters(const core::Operands& operands, Workspace* workspace,
                      HostProduct* product) const;
  static bool BeginsWithSums(const core::Operands& operands, const RightSource& right,
                             const HostProduct& product);
  bool WalkPacks(const HostProduct& product) const;
  bool EachPacks() const;
  void FillZeroA(const core::Operands& operands, Workspace* workspace, HostProduct* product) const;
  void FillInit(const core::Operands& operands, Workspace* workspace, HostProduct* product) const;
  void SetWalkPacks();
  bool QuantisesRowByRow() const;
  void SetFloatsTogether();
  void Compute(const HostProduct& product, std::span<TaskMemory> members) const;
  void CopyToC(const std::byte* from, void* c, std::atomic<int64_t>* progress) const;
  Rectangle RectangleOf(int64_t task) const;

  core::Problem problem_;
  HostResources* resources_;
  uint8_t flip_a_;
  base::Crew crew_;
  Cut cut_;
  int64_t walk_packs_groups_;  ///< Of K, at a time, where the walk packs.
  HostProduct product_;        ///< What all calls have in common.

  /// Rows of A are quantised when tiles come to them, and C goes to memory of ours until all of
  /// them have been: this is the problem with such a C.
  bool quantises_row_by_row_;
  core::Problem with_dense_c_;

  /// The same for a batch as one product; null if it cannot be one.
  std::unique_ptr<const HostGemm> folded_;
};

}  // namespace tilewave::device::host
