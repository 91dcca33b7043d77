// Many calls from several threads on a device that fails at random: every answer is exact or a
// clear error, none hangs, nothing is left behind. The device is that of XRT over the fake of its
// driver, whose array is the virtual NPU. Usage: see --help.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "device/fault_injector.h"
#include "tests/support/fake_npu.h"
#include "tests/support/random_call.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

using device::xrt::FakeXrt;

struct Options {
  int64_t calls = 2000;
  int threads = 4;
  double rate = 0.01;
  uint64_t seed = 1;
  std::string layer = "driver";
  std::string profile = "phoenix";
  int patience_s = 120;
};

/// What became of the calls. Shared by all threads.
struct Tally {
  std::atomic<int64_t> calls{0};
  std::atomic<int64_t> at_once{0};    ///< By the device, the first time.
  std::atomic<int64_t> run_again{0};  ///< By the device, after it had failed.
  std::atomic<int64_t> by_host{0};
  std::atomic<int64_t> errors{0};
  std::atomic<int64_t> wrong{0};
  std::mutex mutex;
  std::string last_error;  ///< Guarded.
};

void Complain(const std::string& what) { fmt::print(stderr, "soak: {}\n", what); }

/// Of this process, resident.
int64_t MemoryBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t all = 0;
  int64_t resident = 0;
  statm >> all >> resident;
  return resident * 4096;
}

constexpr int64_t kSide = 64;

/// The product of two tensors that all threads use, A of which is the result of a call.
struct Shared {
  void Fill(Engine* engine) {
    const std::vector<int8_t> a = base::RandomBytes(kSide * kSide, 98);
    const std::vector<int8_t> b = base::RandomBytes(kSide * kSide, 99);
    Engine host = *Engine::Create({.device = "host"});
    Matmul call{.a = RowMajor(a.data(), kSide, kSide), .b = RowMajor(b.data(), kSide, kSide)};
    call.epilogue.requantisation = RequantShift{.shift = 7};
    call.c = RowMajor(elements.data(), kSide, kSide);
    bool ok = host.Run(call).ok();
    call.c = DeviceOutput{&tensor, ElementType::kS8};
    ok = ok && engine->Run(call).ok();
    bytes_of_b = b;
    call.a = RowMajor(static_cast<const int8_t*>(elements.data()), kSide, kSide);
    call.c = RowMajor(expected.data(), kSide, kSide);
    ok = ok && host.Run(call).ok();
    if (!ok) Complain("no shared product");
  }

  DeviceTensor tensor;
  std::vector<int8_t> elements = std::vector<int8_t>(kSide * kSide);
  std::vector<int8_t> bytes_of_b;
  std::vector<int8_t> expected = std::vector<int8_t>(kSide * kSide);
};

/// A fake of the driver, and where its faults come from.
struct Machine {
  Machine(const Options& all_options, bool may_lie)
      : options(all_options), lies(may_lie), fake(testing::MakeFakeNpu(options.profile)) {
    device::FaultOptions faults{.seed = options.seed};
    for (int i = 0; i < static_cast<int>(device::Fault::kCount); ++i) {
      const auto fault = static_cast<device::Fault>(i);
      if (lies || fault != device::Fault::kLie) faults.kinds.push_back(fault);
    }
    injector = std::make_shared<device::FaultInjector>(faults);
  }

  Result<Engine> MakeEngine(const char* design) const {
    // So few pending calls that threads wait for each other's.
    EngineOptions engine{.poison_outputs = lies, .pending_calls = 8};
    engine.array.design = design;
    if (engine.array.design == "whole_array") engine.array.columns = 2;
    const bool below = options.layer == "driver";
    return testing::MakeFakeNpuEngine(*fake, options.profile, engine, below ? nullptr : injector);
  }

  void Start() const {
    if (options.layer == "driver") {
      fake->InjectAtRandom(options.seed, options.rate, lies);
    } else {
      injector->SetRateForTest(options.rate);
    }
  }
  void Stop() const {
    fake->InjectAtRandom(options.seed, 0);
    injector->SetRateForTest(0);
    fake->Release();
  }

  Options options;
  bool lies;
  std::shared_ptr<FakeXrt> fake;
  std::shared_ptr<device::FaultInjector> injector;
};

/// One thread's calls.
class Worker {
 public:
  Worker(Engine* engine, const Shared* shared, uint64_t seed, Tally* tally)
      : engine_(engine), shared_(shared), random_(seed), tally_(tally) {}

  /// A few calls, of some kind.
  void Step() {
    switch (random_.Between(0, 7)) {
      case 0:
        return RunOne(/*prepacked=*/false);
      case 1:
        return RunOne(/*prepacked=*/true);
      case 2:
        return SubmitSome(/*together=*/false);
      case 3:
        return SubmitSome(/*together=*/true);
      case 4:
        return DropHandles();
      case 5:
        return UseShared();
      case 6:
        return ReadShared();
      default:
        return RunLayers();
    }
  }

 private:
  static constexpr testing::RandomCall::Limits kLimits{.m = 70, .k = 70, .n = 70, .batch = 2};

  /// Counts a call that has ended, and whether its answer is right.
  void Count(const Status& status, const CallStats& stats, const std::string& difference) {
    ++tally_->calls;
    if (!status.ok()) {
      ++tally_->errors;
      // What the device did, by name; anything else was not the device's doing.
      const StatusCode code = status.code();
      const bool clear = code == StatusCode::kUnavailable ||
                         code == StatusCode::kDeadlineExceeded || code == StatusCode::kDataLoss ||
                         code == StatusCode::kResourceExhausted ||
                         code == StatusCode::kFailedPrecondition;
      if (clear && !status.message().empty()) {
        const std::lock_guard<std::mutex> lock(tally_->mutex);
        tally_->last_error = status.ToString();
        return;
      }
      ++tally_->wrong;
      Complain(status.ToString());
      return;
    }
    if (!difference.empty()) {
      ++tally_->wrong;
      Complain(difference);
      return;
    }
    if (stats.parts[0].device == "host") {
      ++tally_->by_host;
    } else {
      ++(stats.failed_attempts > 0 ? tally_->run_again : tally_->at_once);
    }
  }

  std::unique_ptr<testing::RandomCall> NewCall() {
    // Of so many, or the plans of ever new problems would be what memory grows by.
    base::Random chosen(static_cast<uint64_t>(random_.Between(0, 399)));
    auto call = std::make_unique<testing::RandomCall>(&chosen, kLimits);
    const Status status = call->RunReference();
    if (!status.ok()) Complain(status.ToString());
    return call;
  }

  void RunOne(bool prepacked) {
    const std::unique_ptr<testing::RandomCall> call = NewCall();
    Matmul matmul = call->call();
    if (prepacked) {
      const Result<Matmul> prepared = call->Prepacked(engine_);
      if (prepared.ok()) matmul = *prepared;
    }
    CallStats stats;
    // Some have hardly any time.
    const std::chrono::nanoseconds limit(random_.Between(0, 15) == 0 ? 1000 : 0);
    const Status status = engine_->Run(matmul, {.stats = &stats, .time_limit = limit});
    Count(status, stats, status.ok() ? call->Difference() + Where(*call) : "");
  }

  /// Calls at once, waited for in another order.
  void SubmitSome(bool together) {
    std::vector<std::unique_ptr<testing::RandomCall>> calls;
    std::vector<CallStats> stats(static_cast<size_t>(random_.Between(2, 9)));
    std::vector<SubmittedCall> submitted;
    for (CallStats& each : stats) {
      calls.push_back(NewCall());
      submitted.push_back({calls.back()->call(), {.stats = &each}});
    }
    std::vector<Handle> handles;
    if (together) {
      Result<std::vector<Handle>> all = engine_->SubmitAll(submitted);
      if (!all.ok()) return Count(all.status(), {}, "");
      handles = *std::move(all);
    } else {
      for (const SubmittedCall& each : submitted) {
        Result<Handle> handle = engine_->Submit(each.call, each.options);
        if (!handle.ok()) return Count(handle.status(), {}, "");
        handles.push_back(*std::move(handle));
      }
    }
    for (size_t i = handles.size(); i-- > 0;) {
      const Status status = handles[i].Wait();
      Count(status, stats[i], status.ok() ? calls[i]->Difference() + Where(*calls[i]) : "");
    }
  }

  /// Handles that go without having been waited for: the calls end all the same.
  void DropHandles() {
    std::vector<std::unique_ptr<testing::RandomCall>> calls;
    std::array<CallStats, 3> stats;
    std::vector<Handle> handles;
    for (CallStats& each : stats) {
      calls.push_back(NewCall());
      Result<Handle> handle = engine_->Submit(calls.back()->call(), {.stats = &each});
      if (!handle.ok()) return Count(handle.status(), {}, "");
      handles.push_back(*std::move(handle));
    }
    handles.clear();
    for (size_t i = 0; i < calls.size(); ++i) {
      // Only a call that has ended well fills its stats.
      const bool ended_well = stats[i].part_count > 0;
      Count(ended_well ? Status() : Status(StatusCode::kUnavailable, "dropped, and failed"),
            stats[i], ended_well ? calls[i]->Difference() + Where(*calls[i]) : "");
    }
  }

  /// A tensor that other threads use at the same time, where it lies.
  void UseShared() {
    std::vector<int8_t> c(kSide * kSide);
    Matmul call{.a = shared_->tensor,
                .b = RowMajor(shared_->bytes_of_b.data(), kSide, kSide),
                .c = RowMajor(c.data(), kSide, kSide)};
    call.epilogue.requantisation = RequantShift{.shift = 7};
    CallStats stats;
    const Status status = engine_->Run(call, {.stats = &stats});
    Count(status, stats,
          !status.ok() || c == shared_->expected ? "" : "a product of a shared tensor differs");
  }

  /// Such a tensor to the host, while others read it on the device.
  void ReadShared() {
    std::vector<int8_t> c(kSide * kSide);
    const Status status = engine_->Download(shared_->tensor, RowMajor(c.data(), kSide, kSide));
    CallStats stats;
    stats.parts[0].device = "download";
    Count(status, stats, !status.ok() || c == shared_->elements ? "" : "a shared tensor differs");
  }

  /// Results that stay on the device and are the operands of what follows.
  void RunLayers() {
    const std::vector<int8_t> a = base::RandomBytes(kSide * kSide, random_.Next());
    Matmul call{.b = RowMajor(a.data(), kSide, kSide)};
    call.epilogue.requantisation = RequantShift{.shift = 7};
    std::vector<int8_t> expected = a;
    DeviceTensor tensor;
    std::array<CallStats, 3> stats;
    std::vector<Handle> handles;
    for (CallStats& each : stats) {
      const std::vector<int8_t> in = expected;
      call.a = RowMajor(in.data(), kSide, kSide);
      call.c = RowMajor(expected.data(), kSide, kSide);
      if (const Status s = host_.Run(call); !s.ok()) Complain(s.ToString());
      if (tensor.empty()) {
        call.a = RowMajor(a.data(), kSide, kSide);
      } else {
        call.a = tensor;
      }
      DeviceTensor next;
      call.c = DeviceOutput{&next, ElementType::kS8};
      Result<Handle> handle = engine_->Submit(call, {.stats = &each});
      if (!handle.ok()) return Count(handle.status(), {}, "");
      handles.push_back(*std::move(handle));
      tensor = next;
    }
    std::vector<int8_t> c(expected.size());
    const Status downloaded = engine_->Download(tensor, RowMajor(c.data(), kSide, kSide));
    for (size_t i = 0; i < handles.size(); ++i) {
      const Status status = handles[i].Wait();
      const bool last = i + 1 == handles.size();
      const bool differs = last && downloaded.ok() && c != expected;
      Count(status, stats[i], differs ? "layers on the device differ from the host's" : "");
    }
  }

  static std::string Where(const testing::RandomCall& call) {
    const std::string difference = call.Difference();
    return difference.empty() ? "" : " in " + call.Describe();
  }

  Engine* engine_;
  const Shared* shared_;
  Engine host_ = *Engine::Create({.device = "host", .threads = 1});
  base::Random random_;
  Tally* tally_;
};

/// Ends the process if no call ends for so long.
void Watch(const Tally& tally, const std::atomic<bool>& over, int patience_s) {
  int64_t last = -1;
  auto since = std::chrono::steady_clock::now();
  while (!over) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const auto now = std::chrono::steady_clock::now();
    if (tally.calls != last) {
      last = tally.calls;
      since = now;
    } else if (now - since > std::chrono::seconds(patience_s)) {
      Complain(fmt::format("HUNG: no call has ended for {} s; {} have", patience_s, last));
      std::abort();
    }
  }
}

/// Of the process, at some moments.
struct MemorySeen {
  int64_t warm_bytes = 0;  ///< At a quarter of the calls.
  int64_t end_bytes = 0;
  int64_t most_buffers = 0;  ///< Of the first machine, alive at a time.
};

/// Prints what happened, and says whether all is well: 0, or 1.
int Report(const Options& options, std::span<const Machine> machines, const Tally& tally,
           const MemorySeen& memory) {
  // The address sanitizer keeps what was freed, up to 256 MiB of it.
#ifdef __SANITIZE_ADDRESS__
  constexpr int64_t kMostGrowth = int64_t{320} << 20;
#else
  constexpr int64_t kMostGrowth = int64_t{64} << 20;
#endif
  const bool below = options.layer == "driver";
  int64_t faults = 0;
  int64_t buffers = 0;
  int64_t contexts = 0;
  int64_t instruction_bytes = 0;
  for (const Machine& machine : machines) {
    faults += below ? machine.fake->faults() : machine.injector->count();
    buffers += machine.fake->data_buffers();
    contexts += machine.fake->contexts();
    instruction_bytes += machine.fake->heap_bytes();
  }
  fmt::print("{} calls, {} threads, faults at {} % per call of the {} (seed {}): {} faults\n",
             tally.calls.load(), options.threads, options.rate * 100, below ? "driver" : "device",
             options.seed, faults);
  fmt::print("  exact at once {}, after another try {}, by the host {}; errors {}; wrong {}\n",
             tally.at_once.load(), tally.run_again.load(), tally.by_host.load(),
             tally.errors.load(), tally.wrong.load());
  if (tally.errors > 0) fmt::print("  the last error: {}\n", tally.last_error);
  fmt::print(
      "  most buffers {}; left: buffers {}, contexts {}, instruction bytes {}; memory {} MiB "
      "at a quarter, {} MiB at the end\n",
      memory.most_buffers, buffers, contexts, instruction_bytes, memory.warm_bytes >> 20,
      memory.end_bytes >> 20);
  const bool left = buffers != 0 || contexts != 0 || instruction_bytes != 0;
  const bool grew = memory.end_bytes - memory.warm_bytes > kMostGrowth;
  if (left) Complain("the device still has something that was not given back");
  if (grew) Complain("memory grew");
  if (tally.wrong > 0) Complain("answers were wrong");
  return left || grew || tally.wrong > 0 ? 1 : 0;
}

int Soak(const Options& options) {
  // Without poison a lie would be believed, so that a machine that lies needs it; one that does not
  // has calls follow each other on the device.
  Machine machines[] = {Machine(options, /*lies=*/true), Machine(options, /*lies=*/false)};

  Tally tally;
  std::atomic<bool> over{false};
  std::thread watch([&] { Watch(tally, over, options.patience_s); });
  MemorySeen memory;
  {
    std::vector<Engine> engines;
    for (Machine& machine : machines) {
      for (const char* design : {"whole_array", "k_stream"}) {
        Result<Engine> engine = machine.MakeEngine(design);
        if (!engine.ok()) {
          Complain(engine.status().ToString());
          return 2;
        }
        engines.push_back(*std::move(engine));
      }
    }
    std::vector<Shared> shared(engines.size());
    for (size_t i = 0; i < engines.size(); ++i) shared[i].Fill(&engines[i]);
    for (Machine& machine : machines) machine.Start();
    std::vector<std::thread> threads;
    for (int i = 0; i < options.threads; ++i) {
      threads.emplace_back([&, i] {
        const auto number = static_cast<uint64_t>(i);
        std::vector<std::unique_ptr<Worker>> workers;
        for (size_t e = 0; e < engines.size(); ++e) {
          workers.push_back(std::make_unique<Worker>(
              &engines[e], &shared[e], (options.seed * 1000) + (e * 100) + number, &tally));
        }
        // One step of eight with a design of many launches.
        constexpr size_t kTurns[] = {0, 2, 0, 2, 1, 2, 0, 2, 0, 2, 0, 2, 3, 2, 0, 2};
        for (size_t step = 0; tally.calls < options.calls; ++step) {
          workers[kTurns[step % std::size(kTurns)]]->Step();
        }
      });
    }
    while (tally.calls < options.calls) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (memory.warm_bytes == 0 && tally.calls > options.calls / 4) {
        memory.warm_bytes = MemoryBytes();
      }
      memory.most_buffers = std::max(memory.most_buffers, machines[0].fake->data_buffers());
    }
    for (std::thread& each : threads) each.join();
    memory.end_bytes = MemoryBytes();
    for (Machine& machine : machines) machine.Stop();
  }
  over = true;
  watch.join();

  return Report(options, machines, tally, memory);
}

}  // namespace
}  // namespace tilewave

int main(int argc, char** argv) {
  tilewave::Options options;
  CLI::App app("Calls on a device that fails at random, from several threads.");
  app.add_option("--calls", options.calls, "about so many")->check(CLI::Range(1, 100'000'000));
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 64));
  app.add_option("--rate", options.rate, "of faults per call")->check(CLI::Range(0.0, 1.0));
  app.add_option("--seed", options.seed);
  app.add_option("--layer", options.layer,
                 "where faults happen: at the driver's calls or the device's")
      ->check(CLI::IsMember({"driver", "device"}));
  app.add_option("--profile", options.profile);
  app.add_option("--patience", options.patience_s, "seconds without an end of a call");
  CLI11_PARSE(app, argc, argv);
  return tilewave::Soak(options);
}
