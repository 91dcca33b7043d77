#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "base/aligned_buffer.h"

namespace tilewave::device::host {

/// Scratch memory of one product in flight. Grows to the largest need and stays.
struct Workspace {
  base::AlignedBuffer a_block;
  base::AlignedBuffer b_block;
  base::AlignedBuffer zeros;
  base::AlignedBuffer dynamic_a;
  base::AlignedBuffer dynamic_b;
};

/// Idle workspaces, shared by all calling threads without a lock: taking one exchanges a slot
/// with null, giving back fills an empty slot. With more concurrent calls than slots the surplus
/// is allocated and freed per call. Thread-safe.
class WorkspacePool {
 public:
  WorkspacePool() = default;
  WorkspacePool(const WorkspacePool&) = delete;
  WorkspacePool& operator=(const WorkspacePool&) = delete;
  ~WorkspacePool() {
    for (std::atomic<Workspace*>& slot : slots_) std::unique_ptr<Workspace>(slot.load());
  }

  std::unique_ptr<Workspace> Take() {
    for (std::atomic<Workspace*>& slot : slots_) {
      Workspace* idle = slot.exchange(nullptr, std::memory_order_acquire);
      if (idle != nullptr) return std::unique_ptr<Workspace>(idle);
    }
    return std::make_unique<Workspace>();
  }

  void GiveBack(std::unique_ptr<Workspace> workspace) {
    for (std::atomic<Workspace*>& slot : slots_) {
      Workspace* empty = nullptr;
      if (slot.compare_exchange_strong(empty, workspace.get(), std::memory_order_release)) {
        static_cast<void>(workspace.release());  // The slot owns it now.
        return;
      }
    }
  }

 private:
  static constexpr size_t kSlots = 16;
  std::array<std::atomic<Workspace*>, kSlots> slots_ = {};
};

}  // namespace tilewave::device::host
