#include "program/core_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "program/limit_collector.h"

namespace tilewave::program {
namespace {

class CoreChecker {
 public:
  CoreChecker(const ArrayProgram& program, const Core& core, const arch::Npu& npu)
      : program_(program), core_(core), npu_(npu), name_(Name(core.tile)) {}

  std::vector<Violation> Check() {
    out_.AtLeast(name_, "stack bytes", core_.stack_bytes, npu_.min_stack_bytes);
    out_.AtMost(name_, "program memory bytes", core_.program_bytes, npu_.core.program_bytes);
    CheckRings();
    CheckLoops();
    return out_.Take();
  }

 private:
  template <typename List>
  static int64_t SizeOf(const List& list) {
    return static_cast<int64_t>(list.size());
  }
  static bool Has(int index, int64_t count) { return index >= 0 && index < count; }

  /// Where an operation stands; there are no line numbers.
  std::string Program() const { return name_ + " program"; }

  void CheckRings() {
    for (const Ring& ring : core_.rings) {
      const auto where = [&] { return fmt::format("{} ring {}", name_, ring.name); };
      out_.AtLeast(where, "buffers", SizeOf(ring.buffers), 1);
      for (const int index : ring.buffers) {
        out_.Between(where, "index of a buffer", index, 0, SizeOf(program_.buffers) - 1);
        if (!Has(index, SizeOf(program_.buffers))) continue;
        const TileBuffer& buffer = program_.buffers[static_cast<size_t>(index)];
        if (!(buffer.tile == core_.tile)) out_.AtMost(where, "buffers on another tile", 1, 0);
      }
    }
  }

  /// Loops may stand in each other to any depth: they are code. The outermost has no end in time.
  void CheckLoops() {
    using Kind = CoreOp::Kind;
    int64_t depth = 0;
    int64_t deepest_below = 0;
    int64_t behind = 0;  ///< Operations that no core gets to.
    // A core without a program is one that nobody uses.
    const bool forever = core_.ops.empty() || core_.ops[0].kind == Kind::kForever;
    if (!forever) out_.AtLeast(name_, "loops around the whole program", 0, 1);
    for (size_t i = 0; i < core_.ops.size(); ++i) {
      const CoreOp& op = core_.ops[i];
      CheckOp(op);
      if (op.kind == Kind::kForever && depth > 0) {
        out_.AtMost(name_, "endless loops inside another", 1, 0);
      }
      if (forever && i > 0 && depth == 0 && op.kind != Kind::kEnd) ++behind;
      if (op.kind == Kind::kForever || op.kind == Kind::kRepeat) ++depth;
      if (op.kind == Kind::kEnd) --depth;
      deepest_below = std::min(deepest_below, depth);
    }
    out_.AtMost(name_, "operations behind the endless loop", behind, 0);
    out_.AtMost(name_, "loops without an end", depth, 0);
    out_.AtLeast(name_, "loops open at an end", deepest_below, 0);
  }

  void CheckOp(const CoreOp& op) {
    const auto where = [this] { return Program(); };
    switch (op.kind) {
      case CoreOp::Kind::kForever:
      case CoreOp::Kind::kEnd:
        break;
      case CoreOp::Kind::kRepeat:
        CheckParameter(op.index);
        break;
      case CoreOp::Kind::kAcquire:
      case CoreOp::Kind::kRelease:
        out_.AtLeast(where, "index of a lock", op.use.lock, 0);
        out_.Add(where, LockUseViolations(program_, core_.tile, op.use, npu_));
        break;
      case CoreOp::Kind::kCall:
        CheckCall(op);
        break;
      case CoreOp::Kind::kAdvance:
        out_.Between(where, "index of a ring", op.index, 0, SizeOf(core_.rings) - 1);
        break;
    }
  }

  /// A core reads its own parameters only.
  void CheckParameter(int index) {
    const auto where = [this] { return Program(); };
    out_.Between(where, "index of a parameter", index, 0, SizeOf(program_.parameters) - 1);
    if (!Has(index, SizeOf(program_.parameters))) return;
    const Parameter& parameter = program_.parameters[static_cast<size_t>(index)];
    if (!(parameter.tile == core_.tile)) out_.AtMost(where, "parameters on another tile", 1, 0);
  }

  void CheckCall(const CoreOp& op) {
    const auto where = [this] { return Program(); };
    for (const int scalar : op.scalars) CheckParameter(scalar);
    out_.Between(where, "index of a kernel", op.index, 0, SizeOf(core_.kernels) - 1);
    if (!Has(op.index, SizeOf(core_.kernels))) return;
    CheckKernel(core_.kernels[static_cast<size_t>(op.index)]);
    out_.AtLeast(where, "arguments", SizeOf(op.arguments), 1);
    for (const CoreOp::Argument& argument : op.arguments) CheckArgument(argument);
  }

  void CheckKernel(const Kernel& kernel) {
    const auto where = [&] { return fmt::format("{} kernel {}", name_, kernel.name); };
    for (const auto& [what, extent, block] :
         {std::tuple{"rows", kernel.m, kernel.block.rows},
          std::tuple{"depth", kernel.k, kernel.block.depth},
          std::tuple{"columns", kernel.n, kernel.block.columns}}) {
      out_.Between(where, what, extent, 1, npu_.core.memory_bytes);
      out_.AtLeast(
          where, [what = what] { return fmt::format("{} of a block", what); }, block, 1);
      out_.MultipleOf(where, what, extent, block);
    }
  }

  void CheckArgument(const CoreOp::Argument& argument) {
    const auto where = [this] { return Program(); };
    out_.Between(where, "index of a ring", argument.ring, 0, SizeOf(core_.rings) - 1);
    if (!Has(argument.ring, SizeOf(core_.rings))) return;
    out_.AtLeast(where, "offset of an argument", argument.offset_bytes, 0);
    for (const int index : core_.rings[static_cast<size_t>(argument.ring)].buffers) {
      if (!Has(index, SizeOf(program_.buffers))) continue;
      const TileBuffer& buffer = program_.buffers[static_cast<size_t>(index)];
      out_.AtMost(
          where, [&] { return "offset of an argument, in buffer " + buffer.name; },
          argument.offset_bytes, std::max<int64_t>(buffer.bytes, 1) - 1);
    }
  }

  const ArrayProgram& program_;
  const Core& core_;
  const arch::Npu& npu_;
  const std::string name_;
  LimitCollector out_;
};

}  // namespace

std::vector<Violation> LockUseViolations(const ArrayProgram& program, const Tile& tile,
                                         const LockUse& use, const arch::Npu& npu) {
  LimitCollector out;
  const std::string nowhere;
  if (use.lock == -1) return {};
  const auto locks = static_cast<int64_t>(program.locks.size());
  out.Between(nowhere, "index of a lock", use.lock, -1, locks - 1);
  if (use.lock < 0 || use.lock >= locks) return out.Take();
  out.Between(nowhere, "value of a lock step", use.value, 1, npu.max_lock_value);
  if (!(program.locks[static_cast<size_t>(use.lock)].tile == tile)) {
    out.AtMost(nowhere, "locks on another tile", 1, 0);
  }
  return out.Take();
}

std::vector<Violation> CheckCore(const ArrayProgram& program, const Core& core,
                                 const arch::Npu& npu) {
  return CoreChecker(program, core, npu).Check();
}

}  // namespace tilewave::program
