#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

namespace tilewave::base {

/// Idle objects shared by all threads without a lock: taking one exchanges a slot with null, giving
/// back fills an empty slot. With more objects in use than slots the surplus is made and freed per
/// use. Thread-safe; objects in use at destruction belong to their takers.
template <typename T>
class SlotPool {
 public:
  SlotPool() = default;
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;
  ~SlotPool() {
    for (std::atomic<T*>& slot : slots_) std::unique_ptr<T>(slot.load());
  }

  /// An idle object as it was given back, or a new one.
  std::unique_ptr<T> Take() {
    for (std::atomic<T*>& slot : slots_) {
      T* idle = slot.exchange(nullptr, std::memory_order_acquire);
      if (idle != nullptr) return std::unique_ptr<T>(idle);
    }
    return std::make_unique<T>();
  }

  void GiveBack(std::unique_ptr<T> object) {
    for (std::atomic<T*>& slot : slots_) {
      T* empty = nullptr;
      if (slot.compare_exchange_strong(empty, object.get(), std::memory_order_release,
                                       std::memory_order_relaxed)) {
        static_cast<void>(object.release());  // The slot owns it now.
        return;
      }
    }
  }

 private:
  static constexpr size_t kSlots = 16;
  std::array<std::atomic<T*>, kSlots> slots_ = {};
};

}  // namespace tilewave::base
