// Measures the machine, makes the operands, and judges results.
//
//   instruction                          of the probe
//   cache                                bytes of L3
//   peak threads=.. milliseconds=..      best probe of that time, GOP/s
//   probe threads=.. microseconds=..     one probe, GOP/s
//   bandwidth threads=..                 GB/s: DRAM in all, L3 and L2 per thread
//   inputs kind=.. m=.. dir=..           writes operands and reference
//   check kind=.. m=.. dir=.. file=.. numerics=..
//
// The arguments are the numbers of the CPUs to use.

#include <chrono>
#include <map>
#include <vector>

#include "bench/peers/bandwidth.h"
#include "bench/peers/probe.h"
#include "bench/peers/protocol.h"
#include "bench/peers/reference.h"

namespace peers {
namespace {

class Referee {
 public:
  explicit Referee(std::vector<int> cpus) : cpus_(std::move(cpus)) {}

  std::string Answer(const Command& command) {
    if (command.verb == "instruction") return "ok " + ProbeInstruction();
    if (command.verb == "cache") {
      return "ok " + std::to_string(CacheBytes(3, int64_t{32} << 20));
    }
    if (command.verb == "probe") {
      const double microseconds = static_cast<double>(command.Number("microseconds"));
      return "ok " + std::to_string(Probe(TeamOf(command), microseconds));
    }
    if (command.verb == "peak") return Peak(command, Probe);
    if (command.verb == "tiles") return Peak(command, ProbeTiles);
    if (command.verb == "bandwidth") {
      const Bandwidths found = MeasureBandwidths(TeamOf(command));
      return "ok " + std::to_string(found.dram) + " " + std::to_string(found.l3) + " " +
             std::to_string(found.l2);
    }
    if (command.verb == "inputs") {
      WriteInputs(ParseCase(command), command.Text("dir"));
      return "ok";
    }
    if (command.verb == "check") {
      const std::string wrong = Compare(ParseCase(command), command.Text("dir"),
                                        command.Text("file"), command.Text("numerics"));
      return wrong.empty() ? "ok" : "wrong " + wrong;
    }
    throw std::runtime_error("no such command: " + command.verb);
  }

 private:
  Team& TeamOf(const Command& command) {
    const size_t threads = static_cast<size_t>(command.Number("threads"));
    if (threads < 1 || threads > cpus_.size()) throw std::runtime_error("too few CPUs were given");
    std::unique_ptr<Team>& team = teams_[threads];
    if (team == nullptr) {
      const auto end = cpus_.begin() + static_cast<std::ptrdiff_t>(threads);
      team = std::make_unique<Team>(std::vector<int>(cpus_.begin(), end));
    }
    return *team;
  }

  std::string Peak(const Command& command, double (*probe)(Team&, double)) {
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::milliseconds(command.Number("milliseconds"));
    double best = 0;
    while (std::chrono::steady_clock::now() < end) {
      best = std::max(best, probe(TeamOf(command), 200));
    }
    return "ok " + std::to_string(best);
  }

  std::vector<int> cpus_;
  std::map<size_t, std::unique_ptr<Team>> teams_;
};

}  // namespace
}  // namespace peers

int main(int argc, char** argv) {
  std::vector<int> cpus;
  for (int i = 1; i < argc; ++i) cpus.push_back(std::atoi(argv[i]));
  peers::Referee referee(cpus);
  return peers::Serve([&](const peers::Command& command) { return referee.Answer(command); });
}
