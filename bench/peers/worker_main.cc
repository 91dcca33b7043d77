// One library as a process that the driver asks to prepare, to run and to hand over its result.
//
//   hello                      version
//   case kind=.. m=.. dir=..   reads the operands, prepares `copies` products of the same case
//   verify file=..             poisons C, runs once, writes C
//   run calls=..               one call to warm up, then nanoseconds for `calls` of them
//   drop                       frees the case

#include <unistd.h>

#include <chrono>
#include <cstring>
#include <vector>

#include "bench/peers/buffer.h"
#include "bench/peers/peer.h"
#include "bench/peers/protocol.h"

namespace peers {
namespace {

class Worker {
 public:
  explicit Worker(int threads) : threads_(threads) { Begin(threads); }

  std::string Answer(const Command& command) {
    if (command.verb == "hello") return "ok " + Version();
    if (command.verb == "case") return Prepare(command);
    if (command.verb == "verify") return Verify(command.Text("file"));
    if (command.verb == "run") return Run(command.Number("calls"));
    if (command.verb == "drop") return Drop();
    throw std::runtime_error("no such command: " + command.verb);
  }

 private:
  std::string Drop() {
    products_.clear();
    a_ = {};
    b_.clear();
    c_ = {};
    return "ok";
  }

  std::string Prepare(const Command& command) {
    Drop();
    Case wanted = ParseCase(command);
    wanted.threads = threads_;
    const std::string dir = command.Text("dir") + "/";
    const bool floats = wanted.kind != Kind::kGemm;
    a_ = Buffer<char>(wanted.a_count() * (floats ? 4 : 1));
    c_ = Buffer<char>(wanted.c_count() * 4);
    ReadFile(dir + "a", a_.data(), a_.size());
    // Also so that no first touch falls into a timed call.
    std::memset(c_.data(), kPoison, static_cast<size_t>(c_.size()));
    Operands operands{.a = a_.data(), .c = c_.data()};
    if (wanted.kind == Kind::kLayer) {
      scale_b_ = Buffer<float>(wanted.n);
      bias_ = Buffer<float>(wanted.n);
      ReadFile(dir + "scale_b", scale_b_.data(), wanted.n);
      ReadFile(dir + "bias", bias_.data(), wanted.n);
      operands.scale_b = scale_b_.data();
      operands.bias = bias_.data();
    }
    Made made;
    for (int64_t copy = 0; copy < command.Number("copies"); ++copy) {
      // One for each, for those that do not copy it.
      b_.emplace_back(wanted.b_count() * (wanted.kind == Kind::kHeads ? 4 : 1));
      ReadFile(dir + "b", b_.back().data(), b_.back().size());
      operands.b = b_.back().data();
      made = Make(wanted, operands);
      if (made.product == nullptr) return "unsupported " + made.note;
      products_.push_back(std::move(made.product));
    }
    return "ok numerics=" + made.numerics + " " + made.note;
  }

  std::string Verify(const std::string& file) {
    std::memset(c_.data(), kPoison, static_cast<size_t>(c_.size()));
    products_.at(0)->Run();
    products_.at(0)->Finish();
    WriteFile(file, c_.data(), c_.size());
    return "ok";
  }

  /// Takes the prepared copies in turn, so that with enough of them none is in a cache.
  std::string Run(int64_t calls) {
    Next()->Run();
    const auto start = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < calls; ++i) Next()->Run();
    const auto time = std::chrono::steady_clock::now() - start;
    return "ok " + std::to_string(std::chrono::nanoseconds(time).count());
  }

  Product* Next() {
    next_ = next_ + 1 < products_.size() ? next_ + 1 : 0;
    return products_.at(next_).get();
  }

  static constexpr int kPoison = 0xA5;
  int threads_;
  Buffer<char> a_, c_;
  std::vector<Buffer<char>> b_;
  Buffer<float> scale_b_, bias_;
  std::vector<std::unique_ptr<Product>> products_;
  size_t next_ = 0;
};

}  // namespace
}  // namespace peers

int main(int argc, char** argv) {
  int result = 1;
  try {
    peers::Worker worker(argc > 1 ? std::atoi(argv[1]) : 1);
    result = peers::Serve([&](const peers::Command& command) { return worker.Answer(command); });
  } catch (const std::exception& error) {
    std::cout << "error " << error.what() << std::endl;
  }
  // Not through the destructors of every runtime that a library has brought in: some of them hang
  // when they are unloaded.
  std::cout.flush();
  _exit(result);
}
