#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "device/device.h"
#include "device/xrt/context_pool.h"
#include "device/xrt/driver_seam.h"
#include "device/xrt/submission.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// A configuration as the runtime holds it.
class XrtExecutable final : public Executable {
 public:
  XrtExecutable(const void* device, std::string name, uint64_t hash,
                std::shared_ptr<Configuration> configuration)
      : device_(device),
        name_(std::move(name)),
        hash_(hash),
        configuration_(std::move(configuration)) {}
  std::string_view kernel_name() const override { return name_; }
  uint64_t configuration_hash() const override { return hash_; }
  bool BelongsTo(const void* device) const { return device_ == device; }
  const std::shared_ptr<Configuration>& configuration() const { return configuration_; }

 private:
  const void* device_;
  std::string name_;
  uint64_t hash_;
  std::shared_ptr<Configuration> configuration_;
};

/// Submissions to the driver, at most arch::kMaxInFlight at a time. Those of one configuration end
/// in order; those of different ones run in contexts of their own, in any order. Thread-safe.
///
/// A submission that ends badly, or that somebody has waited for in vain, costs its configuration
/// the context: run, list, kernel and context are made anew before the next use. One that was
/// waited for in vain, or that the driver fails to tell of, may still write; its fence is not done
/// before the driver says that it has ended, or its context is gone.
class XrtQueue final : public Queue {
 public:
  /// `device` is what executables and buffers name.
  XrtQueue(const void* device, DriverDevice* driver, size_t max_contexts)
      : device_(device), pool_(driver, max_contexts) {
    // What has been started must not fail to be kept.
    in_flight_.reserve(arch::kMaxInFlight);
  }
  XrtQueue(const XrtQueue&) = delete;
  XrtQueue& operator=(const XrtQueue&) = delete;
  /// Gives what is in flight a last while, then drops its context.
  ~XrtQueue() override;

  SubmitCode TrySubmit(std::span<const Launch> launches, Fence* fence) override;
  bool Poll(Fence* fence) override;
  WaitCode Wait(Fence* fence, std::chrono::nanoseconds limit) override;
  WaitCode WaitForRoom(std::chrono::nanoseconds limit) override;

  /// Loads the configuration now, so that a binary that cannot be loaded is refused before
  /// anything is submitted. Ok, too, if all contexts are busy: then it is loaded when first used.
  [[nodiscard]] Status Preload(const std::shared_ptr<Configuration>& configuration);

 private:
  using Lock = std::unique_lock<std::mutex>;

  struct InFlight {
    uint64_t ticket = 0;
    std::shared_ptr<Configuration> configuration;
    std::shared_ptr<LoadedContext> context;
    std::unique_ptr<Submission> submission;  ///< Goes before its context.
    Status error;          ///< Of its start, though a list may run in part, or of a look at it.
    bool unknown = false;  ///< The driver failed to say whether it has ended.
    bool waited = false;   ///< A thread is in Submission::Wait.
  };

  struct Failure {
    Status status;
    size_t good_launches = 0;
  };

  /// What Gather and Prepare find beside errors.
  enum class Room : uint8_t { kYes, kNo };

  [[nodiscard]] Result<const XrtExecutable*> Check(std::span<const Launch> launches) const;
  [[nodiscard]] Result<Room> Prepare(std::span<const Launch> launches, InFlight* entry);
  [[nodiscard]] Result<Room> GatherArguments(std::span<const Launch> launches,
                                             const InFlight& entry,
                                             std::span<RunArguments> arguments);
  [[nodiscard]] Result<std::shared_ptr<Instructions>> FindInstructions(
      std::span<const uint32_t> stream, const InFlight& entry);
  InFlight* Find(uint64_t ticket);
  /// Whether a submission has ended; takes it out if so.
  bool PollEntry(InFlight* entry);
  /// Waits for a submission without the lock; whether there was news of it. The entry is another
  /// one, or none, afterwards.
  bool WaitEntry(InFlight* entry, std::chrono::nanoseconds limit, Lock* lock);
  /// The oldest that can be waited for; one on a retired context, where something hangs, only if
  /// there is no other. Null: none.
  InFlight* LikelyNextToEnd();
  /// What has to end before an entry can: itself, or, if the driver does not tell, what else keeps
  /// its context.
  InFlight* Awaited(InFlight* entry);
  /// Takes in what a look at a submission found; whether that was news. The entry may be gone
  /// afterwards.
  bool Learn(InFlight* entry, const Result<Outcome>& outcome);
  /// Takes a submission that has ended out of flight.
  void End(InFlight* entry, const Outcome& outcome);
  /// Drops a context, and so ends what is on it, if the driver tells of nothing there any more.
  void DropIfUnknown(const LoadedContext* context);
  void Complete(Fence* fence);
  bool HasRoom() const { return in_flight_.size() < arch::kMaxInFlight && !wants_context_; }

  const void* device_;
  std::mutex mutex_;  // Guards all below.
  std::condition_variable ended_;
  ContextPool pool_;
  std::vector<InFlight> in_flight_;               ///< In order of submission. Goes before the pool.
  std::unordered_map<uint64_t, Failure> failed_;  ///< Not yet told to their fences.
  uint64_t last_ticket_ = 0;
  bool wants_context_ = false;  ///< A submission found all contexts busy.
};

}  // namespace tilewave::device::xrt
