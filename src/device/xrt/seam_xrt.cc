// The seam over XRT: the only file that includes its headers, and where its exceptions end.

#include "device/xrt/seam_xrt.h"

#include <fmt/format.h>
#include <xrt/experimental/xrt_kernel.h>
#include <xrt/experimental/xrt_xclbin.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

namespace tilewave::device::xrt {
namespace {

// Arguments of the kernel in every array binary of mlir-aie.
constexpr int kOpcode = 0;
constexpr int kInstructions = 1;
constexpr int kInstructionWords = 2;
constexpr int kFirstBuffer = 3;
constexpr uint64_t kTransaction = 3;  // Opcode: run a transaction stream.
constexpr std::string_view kKernelPrefix = "MLIR_AIE";

constexpr int kBankMask = 0xffff;  // Of a group id; above it stands the context's slot.

Status StatusOf(const char* what, const std::exception& error) {
  StatusCode code = StatusCode::kUnavailable;
  if (const auto* system = dynamic_cast<const std::system_error*>(&error)) {
    const std::error_condition condition = system->code().default_error_condition();
    if (condition == std::errc::permission_denied ||
        condition == std::errc::operation_not_permitted) {
      code = StatusCode::kPermissionDenied;
    } else if (condition == std::errc::not_enough_memory ||
               condition == std::errc::no_space_on_device ||
               condition == std::errc::resource_unavailable_try_again ||
               condition == std::errc::device_or_resource_busy) {
      code = StatusCode::kResourceExhausted;
    }
  } else if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    code = StatusCode::kResourceExhausted;
  }
  return {code, fmt::format("XRT: {}: {}", what, error.what())};
}

/// What `call` returns, or the Status of what it throws.
template <typename T, typename Call>
T Guarded(const char* what, const Call& call) {
  try {
    return call();
  } catch (const std::exception& error) {
    return StatusOf(what, error);
  }
}

RunState StateOf(ert_cmd_state state) { return static_cast<RunState>(state); }

class XrtDriverBuffer final : public DriverBuffer {
 public:
  XrtDriverBuffer(::xrt::bo buffer, std::byte* host, size_t bytes)
      : buffer_(std::move(buffer)), host_(host), bytes_(bytes) {}

  size_t bytes() const override { return bytes_; }
  std::byte* host() override { return host_; }
  const ::xrt::bo& bo() const { return buffer_; }

  Status Sync(SyncDirection direction, size_t offset, size_t bytes) override {
    return Guarded<Status>("sync", [&]() -> Status {
      buffer_.sync(direction == SyncDirection::kToDevice ? XCL_BO_SYNC_BO_TO_DEVICE
                                                         : XCL_BO_SYNC_BO_FROM_DEVICE,
                   bytes, offset);
      return {};
    });
  }

  Result<std::unique_ptr<DriverBuffer>> Slice(size_t offset, size_t bytes) override {
    return Guarded<Result<std::unique_ptr<DriverBuffer>>>(
        "sub-buffer", [&]() -> Result<std::unique_ptr<DriverBuffer>> {
          return std::unique_ptr<DriverBuffer>(std::make_unique<XrtDriverBuffer>(
              ::xrt::bo(buffer_, bytes, offset), host_ + offset, bytes));
        });
  }

 private:
  ::xrt::bo buffer_;
  std::byte* host_;
  size_t bytes_;
};

const ::xrt::bo& BoOf(DriverBuffer* buffer) {
  return static_cast<const XrtDriverBuffer*>(buffer)->bo();
}

class XrtRun final : public DriverRun {
 public:
  explicit XrtRun(::xrt::run run) : run_(std::move(run)) {}

  const ::xrt::run& run() const { return run_; }

  Status SetInstructions(DriverBuffer* instructions, uint32_t words) override {
    return Guarded<Status>("arguments", [&]() -> Status {
      run_.set_arg(kInstructions, BoOf(instructions));
      run_.set_arg(kInstructionWords, words);
      return {};
    });
  }

  Status SetBuffer(int index, DriverBuffer* buffer) override {
    return Guarded<Status>("arguments", [&]() -> Status {
      run_.set_arg(kFirstBuffer + index, BoOf(buffer));
      return {};
    });
  }

  Status Start() override {
    return Guarded<Status>("start", [&]() -> Status {
      run_.start();
      return {};
    });
  }

  Result<Outcome> Poll() override {
    return Guarded<Result<Outcome>>("state", [&]() -> Result<Outcome> {
      const RunState state = StateOf(run_.state());
      return Outcome{HasEnded(state), state, 0, {}};
    });
  }

  Result<Outcome> Wait(std::chrono::milliseconds limit) override {
    try {
      const bool late = run_.wait2(limit) == std::cv_status::timeout;
      return Outcome{!late, late ? RunState::kRunning : RunState::kCompleted, 0, {}};
    } catch (const ::xrt::run::command_error& error) {
      return Outcome{true, StateOf(error.get_command_state()), 0, error.what()};
    } catch (const std::exception& error) {
      return StatusOf("wait", error);
    }
  }

 private:
  ::xrt::run run_;
};

class XrtRunList final : public DriverRunList {
 public:
  explicit XrtRunList(::xrt::runlist list) : list_(std::move(list)) {}

  Status Add(DriverRun* run) override {
    return Guarded<Status>("run list", [&]() -> Status {
      runs_.push_back(static_cast<const XrtRun*>(run));
      list_.add(runs_.back()->run());
      return {};
    });
  }

  Status Execute() override {
    return Guarded<Status>("execution of a run list", [&]() -> Status {
      list_.execute();
      return {};
    });
  }

  Result<Outcome> Poll() override {
    return Ending([&] { return list_.poll() != 0; });
  }

  Result<Outcome> Wait(std::chrono::milliseconds limit) override {
    return Ending([&] { return list_.wait(limit) == std::cv_status::no_timeout; });
  }

  Status Reset() override {
    return Guarded<Status>("reset of a run list", [&]() -> Status {
      list_.reset();
      runs_.clear();
      return {};
    });
  }

 private:
  /// Of `ended`, or of the first bad run: the list has set its state, and that of the later ones.
  template <typename Call>
  Result<Outcome> Ending(const Call& ended) {
    try {
      const bool done = ended();
      return Outcome{done, done ? RunState::kCompleted : RunState::kRunning, 0, {}};
    } catch (const ::xrt::runlist::command_error& error) {
      size_t bad = 0;
      while (bad + 1 < runs_.size() &&
             runs_[bad]->run().get_handle() != error.get_run().get_handle()) {
        ++bad;
      }
      return Outcome{true, StateOf(error.get_command_state()), bad, error.what()};
    } catch (const std::exception& error) {
      return StatusOf("wait for a run list", error);
    }
  }

  std::vector<const XrtRun*> runs_;
  ::xrt::runlist list_;
};

class XrtKernel final : public DriverKernel {
 public:
  XrtKernel(::xrt::device device, ::xrt::kernel kernel, std::string name)
      : device_(std::move(device)), kernel_(std::move(kernel)), name_(std::move(name)) {}

  std::string_view name() const override { return name_; }

  Result<std::unique_ptr<DriverBuffer>> NewInstructions(size_t bytes) override {
    return Guarded<Result<std::unique_ptr<DriverBuffer>>>(
        "memory for instructions", [&]() -> Result<std::unique_ptr<DriverBuffer>> {
          ::xrt::bo buffer(device_, bytes, ::xrt::bo::flags::cacheable,
                           static_cast<::xrt::memory_group>(kernel_.group_id(kInstructions)));
          auto* host = buffer.map<std::byte*>();
          return std::unique_ptr<DriverBuffer>(
              std::make_unique<XrtDriverBuffer>(std::move(buffer), host, bytes));
        });
  }

  Result<std::unique_ptr<DriverRun>> NewRun() override {
    return Guarded<Result<std::unique_ptr<DriverRun>>>(
        "run object", [&]() -> Result<std::unique_ptr<DriverRun>> {
          ::xrt::run run(kernel_);
          run.set_arg(kOpcode, kTransaction);
          return std::unique_ptr<DriverRun>(std::make_unique<XrtRun>(std::move(run)));
        });
  }

 private:
  ::xrt::device device_;
  ::xrt::kernel kernel_;
  std::string name_;
};

/// The bank of data buffers: that of the first kernel. All binaries of tilewave emit have the same
/// memories, and buffers outlive the contexts that use them.
using Bank = std::shared_ptr<std::atomic<uint32_t>>;

class XrtContext final : public DriverContext {
 public:
  XrtContext(::xrt::device device, ::xrt::hw_context context, std::string kernel, Bank bank)
      : device_(std::move(device)),
        context_(std::move(context)),
        kernel_(std::move(kernel)),
        bank_(std::move(bank)) {}

  Result<std::unique_ptr<DriverKernel>> OpenKernel() override {
    return Guarded<Result<std::unique_ptr<DriverKernel>>>(
        "kernel", [&]() -> Result<std::unique_ptr<DriverKernel>> {
          ::xrt::kernel kernel(context_, kernel_);
          *bank_ = static_cast<uint32_t>(kernel.group_id(kFirstBuffer) & kBankMask);
          return std::unique_ptr<DriverKernel>(
              std::make_unique<XrtKernel>(device_, std::move(kernel), kernel_));
        });
  }

  Result<std::unique_ptr<DriverRunList>> NewRunList() override {
    return Guarded<Result<std::unique_ptr<DriverRunList>>>(
        "run list", [&]() -> Result<std::unique_ptr<DriverRunList>> {
          return std::unique_ptr<DriverRunList>(
              std::make_unique<XrtRunList>(::xrt::runlist(context_)));
        });
  }

 private:
  ::xrt::device device_;
  ::xrt::hw_context context_;
  std::string kernel_;
  Bank bank_;
};

class XrtDriverDevice final : public DriverDevice {
 public:
  XrtDriverDevice(::xrt::device device, std::string name, arch::NpuArch arch)
      : device_(std::move(device)), name_(std::move(name)), arch_(arch) {}

  std::string_view name() const override { return name_; }
  arch::NpuArch arch() const override { return arch_; }

  Result<BinaryId> RegisterBinary(std::span<const std::byte> binary) override {
    return Guarded<Result<BinaryId>>("array binary", [&]() -> Result<BinaryId> {
      const auto* data = reinterpret_cast<const char*>(binary.data());
      const ::xrt::xclbin xclbin(std::vector<char>(data, data + binary.size()));
      std::string kernel;
      for (const ::xrt::xclbin::kernel& each : xclbin.get_kernels()) {
        if (each.get_name().starts_with(kKernelPrefix)) kernel = each.get_name();
      }
      if (kernel.empty()) {
        return Status(StatusCode::kInvalidArgument,
                      fmt::format("an array binary without a kernel named {}*", kKernelPrefix));
      }
      const ::xrt::uuid id = device_.register_xclbin(xclbin);
      const std::lock_guard<std::mutex> lock(mutex_);
      binaries_.emplace_back(id, kernel);
      return static_cast<BinaryId>(binaries_.size() - 1);
    });
  }

  Result<std::unique_ptr<DriverContext>> NewContext(BinaryId binary) override {
    return Guarded<Result<std::unique_ptr<DriverContext>>>(
        "hardware context", [&]() -> Result<std::unique_ptr<DriverContext>> {
          std::unique_lock<std::mutex> lock(mutex_);
          const auto [id, kernel] = binaries_[static_cast<size_t>(binary)];
          lock.unlock();
          return std::unique_ptr<DriverContext>(
              std::make_unique<XrtContext>(device_, ::xrt::hw_context(device_, id), kernel, bank_));
        });
  }

  Result<std::unique_ptr<DriverBuffer>> NewData(size_t bytes) override {
    return Guarded<Result<std::unique_ptr<DriverBuffer>>>(
        "data buffer", [&]() -> Result<std::unique_ptr<DriverBuffer>> {
          ::xrt::bo buffer(device_, bytes, ::xrt::bo::flags::host_only,
                           static_cast<::xrt::memory_group>(bank_->load()));
          auto* host = buffer.map<std::byte*>();
          return std::unique_ptr<DriverBuffer>(
              std::make_unique<XrtDriverBuffer>(std::move(buffer), host, bytes));
        });
  }

 private:
  ::xrt::device device_;
  std::string name_;
  arch::NpuArch arch_;
  Bank bank_ = std::make_shared<std::atomic<uint32_t>>(0);
  std::mutex mutex_;
  std::vector<std::pair<::xrt::uuid, std::string>> binaries_;  ///< Guarded.
};

/// By the name that the driver gives. "NPU Phoenix", "RyzenAI-npu1", "NPU Strix Halo", ...
Result<arch::NpuArch> ArchOf(const std::string& name) {
  for (const char* npu1 : {"npu1", "Phoenix", "Hawk"}) {
    if (name.find(npu1) != std::string::npos) return arch::NpuArch::kNpu1;
  }
  for (const char* npu2 : {"npu4", "npu5", "npu6", "Strix", "Krackan"}) {
    if (name.find(npu2) != std::string::npos) return arch::NpuArch::kNpu2;
  }
  return Status(StatusCode::kUnavailable,
                fmt::format("XRT: device '{}' is no NPU that tilewave knows", name));
}

class XrtDriver final : public Driver {
 public:
  std::string_view version() const override { return "XRT"; }

  Result<std::unique_ptr<DriverDevice>> Open(int index) override {
    return Guarded<Result<std::unique_ptr<DriverDevice>>>(
        "device", [&]() -> Result<std::unique_ptr<DriverDevice>> {
          ::xrt::device device(static_cast<unsigned int>(index));
          std::string name = device.get_info<::xrt::info::device::name>();
          const Result<arch::NpuArch> arch = ArchOf(name);
          if (!arch.ok()) return arch.status();
          return std::unique_ptr<DriverDevice>(
              std::make_unique<XrtDriverDevice>(std::move(device), std::move(name), *arch));
        });
  }
};

}  // namespace

Result<std::unique_ptr<Driver>> OpenXrtDriver() {
  return std::unique_ptr<Driver>(std::make_unique<XrtDriver>());
}

}  // namespace tilewave::device::xrt
