#include "emit/core_printer.h"

#include <fmt/format.h>

#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "emit/mlir_names.h"

namespace tilewave::emit {
namespace {

using program::ArrayProgram;
using program::Core;
using program::CoreOp;
using program::Ring;

class CorePrinter {
 public:
  CorePrinter(const ArrayProgram& program, const Core& core, const MemrefTypes& types,
              std::string* text)
      : program_(program), core_(core), types_(types), text_(text) {
    for (const ParameterGroup& group : ParameterGroups(program)) {
      if (group.tile == core.tile) first_parameter_ = static_cast<int>(group.first);
    }
    for (const Ring& ring : core.rings) {
      positions_.emplace_back(ring.buffers.size() > 1 ? "%c0" : "");
    }
  }

  void Print() {
    const std::string tile = TileName(core_.tile);
    Line("%{0}_program = aie.core(%{0}) {{", tile);
    ++depth_;
    PrintHead();
    for (const CoreOp& op : core_.ops) PrintOp(op);
    Line("aie.end");
    --depth_;
    Line("}} {{stack_size = {} : i32}}", core_.stack_bytes);
  }

 private:
  template <typename... Args>
  void Line(fmt::format_string<Args...> format, Args&&... args) {
    text_->append(2 * static_cast<size_t>(depth_), ' ');
    fmt::format_to(std::back_inserter(*text_), format, std::forward<Args>(args)...);
    *text_ += '\n';
  }

  /// What MLIR has no place for, and the constants that the program uses.
  void PrintHead() {
    Line("// tilewave: program_bytes {}", core_.program_bytes);
    for (const program::Kernel& k : core_.kernels) {
      Line("// tilewave: kernel {} tile {}x{}x{} blocks {}x{}x{}{}", k.name, k.m, k.k, k.n,
           k.block.rows, k.block.depth, k.block.columns, k.b_transposed ? " b_transposed" : "");
    }
    for (const Ring& ring : core_.rings) {
      std::vector<std::string_view> names;
      for (const int buffer : ring.buffers) names.push_back(BufferName(buffer));
      Line("// tilewave: ring {} of {}", ring.name, fmt::join(names, " "));
    }
    if (core_.ops.empty()) return;
    std::set<int64_t> indices = {0, 1};
    std::set<int> words;
    for (const Ring& ring : core_.rings) {
      if (ring.buffers.size() > 1) indices.insert(static_cast<int64_t>(ring.buffers.size()));
    }
    for (const CoreOp& op : core_.ops) {
      if (op.kind == CoreOp::Kind::kAcquire || op.kind == CoreOp::Kind::kRelease) {
        words.insert(op.use.value);
      }
      if (op.kind == CoreOp::Kind::kRepeat) indices.insert(op.index - first_parameter_);
      for (const CoreOp::Argument& argument : op.arguments) indices.insert(argument.offset_bytes);
      for (const int scalar : op.scalars) indices.insert(scalar - first_parameter_);
    }
    for (const int64_t index : indices) Line("%c{0} = arith.constant {0} : index", index);
    for (const int word : words) Line("%c{0}_i32 = arith.constant {0} : i32", word);
    Line("%forever = arith.constant {} : index", kForever);
  }

  void PrintOp(const CoreOp& op) {
    switch (op.kind) {
      case CoreOp::Kind::kForever:
        BeginLoop("%forever");
        break;
      case CoreOp::Kind::kRepeat: {
        const int id = next_++;
        Line("%count{} = {}", id, LoadOf(op.index));
        Line("%trips{0} = arith.index_castui %count{0} : i32 to index", id);
        BeginLoop(fmt::format("%trips{}", id));
        break;
      }
      case CoreOp::Kind::kEnd:
        EndLoop();
        break;
      case CoreOp::Kind::kAcquire:
        PrintLockUse("AcquireGreaterEqual", op.use);
        break;
      case CoreOp::Kind::kRelease:
        PrintLockUse("Release", op.use);
        break;
      case CoreOp::Kind::kCall:
        PrintCall(op);
        break;
      case CoreOp::Kind::kAdvance:
        PrintAdvance(op.index);
        break;
    }
  }

  /// The rings whose position loops carry.
  std::vector<size_t> Carried() const {
    std::vector<size_t> rings;
    for (size_t i = 0; i < core_.rings.size(); ++i) {
      if (core_.rings[i].buffers.size() > 1) rings.push_back(i);
    }
    return rings;
  }

  void BeginLoop(std::string_view bound) {
    const int id = next_++;
    loops_.push_back(id);
    const std::vector<size_t> carried = Carried();
    if (carried.empty()) {
      Line("scf.for %i{} = %c0 to {} step %c1 {{", id, bound);
      ++depth_;
      return;
    }
    std::vector<std::string> arguments;
    for (const size_t ring : carried) {
      std::string name = fmt::format("%{}_in{}", core_.rings[ring].name, id);
      arguments.push_back(fmt::format("{} = {}", name, positions_[ring]));
      positions_[ring] = std::move(name);
    }
    Line("%loop{0}:{1} = scf.for %i{0} = %c0 to {2} step %c1 iter_args({3}) -> ({4}) {{", id,
         carried.size(), bound, fmt::join(arguments, ", "), IndexTypes(carried.size()));
    ++depth_;
  }

  void EndLoop() {
    const int id = loops_.back();
    loops_.pop_back();
    const std::vector<size_t> carried = Carried();
    std::vector<std::string> results;
    for (size_t i = 0; i < carried.size(); ++i) {
      std::string result = fmt::format("%loop{}#{}", id, i);
      std::swap(positions_[carried[i]], result);
      results.push_back(std::move(result));
    }
    if (!carried.empty()) {
      Line("scf.yield {} : {}", fmt::join(results, ", "), IndexTypes(carried.size()));
    }
    --depth_;
    Line("}}");
  }

  static std::string IndexTypes(size_t count) {
    return fmt::format("{}", fmt::join(std::vector<std::string_view>(count, "index"), ", "));
  }

  void PrintLockUse(std::string_view action, const program::LockUse& use) {
    const program::Lock& lock = program_.locks[static_cast<size_t>(use.lock)];
    Line("aie.use_lock(%{}, {}, %c{}_i32)", SymbolName(lock.tile, lock.name), action, use.value);
  }

  /// A run-time parameter.
  std::string LoadOf(int parameter) const {
    return fmt::format("memref.load %{}[%c{}] : memref<{}xi32>",
                       SymbolName(core_.tile, kParameters), parameter - first_parameter_,
                       kParameterWords);
  }

  void PrintCall(const CoreOp& op) {
    std::vector<std::string> values;
    std::vector<std::string> value_types;
    std::map<int, std::string> current;
    for (const CoreOp::Argument& argument : op.arguments) {
      const auto [buffer, added] = current.try_emplace(argument.ring);
      if (added) buffer->second = BufferOf(argument.ring);
      values.push_back(PartOf(buffer->second, argument));
      value_types.push_back(types_.Of(core_, argument));
    }
    for (const int scalar : op.scalars) {
      values.push_back(fmt::format("%scalar{}", next_++));
      Line("{} = {}", values.back(), LoadOf(scalar));
      value_types.emplace_back("i32");
    }
    Line("func.call @{}({}) : ({}) -> ()", core_.kernels[static_cast<size_t>(op.index)].name,
         fmt::join(values, ", "), fmt::join(value_types, ", "));
  }

  /// The ring's current buffer.
  std::string BufferOf(int index) {
    const Ring& ring = core_.rings[static_cast<size_t>(index)];
    if (ring.buffers.size() == 1) return "%" + SymbolOf(ring.buffers[0]);
    const std::string type = types_.Of(ring.buffers[0]);
    std::string value = fmt::format("%{}_now{}", ring.name, next_++);
    Line("{} = scf.index_switch {} -> {}", value, positions_[static_cast<size_t>(index)], type);
    for (size_t i = 0; i < ring.buffers.size(); ++i) {
      const bool last = i + 1 == ring.buffers.size();
      Line("{} {{", last ? "default" : fmt::format("case {}", i));
      ++depth_;
      Line("scf.yield %{} : {}", SymbolOf(ring.buffers[i]), type);
      --depth_;
      Line("}}");
    }
    return value;
  }

  /// A buffer from the argument's offset on.
  std::string PartOf(const std::string& buffer, const CoreOp::Argument& argument) {
    if (argument.offset_bytes == 0) return buffer;
    const Ring& ring = core_.rings[static_cast<size_t>(argument.ring)];
    std::string part = fmt::format("%{}_part{}", ring.name, next_++);
    Line("{} = memref.view {}[%c{}][] : {} to {}", part, buffer, argument.offset_bytes,
         types_.Of(ring.buffers[0]), types_.Of(core_, argument));
    return part;
  }

  void PrintAdvance(int index) {
    const Ring& ring = core_.rings[static_cast<size_t>(index)];
    if (ring.buffers.size() == 1) {
      Line("// tilewave: advance {}", ring.name);
      return;
    }
    std::string& position = positions_[static_cast<size_t>(index)];
    const int id = next_++;
    Line("%{}_next{} = arith.addi {}, %c1 : index", ring.name, id, position);
    Line("%{0}_last{1} = arith.cmpi eq, %{0}_next{1}, %c{2} : index", ring.name, id,
         ring.buffers.size());
    Line("%{0}_at{1} = arith.select %{0}_last{1}, %c0, %{0}_next{1} : index", ring.name, id);
    position = fmt::format("%{}_at{}", ring.name, id);
  }

  std::string_view BufferName(int buffer) const {
    return program_.buffers[static_cast<size_t>(buffer)].name;
  }
  std::string SymbolOf(int buffer) const { return SymbolName(core_.tile, BufferName(buffer)); }

  const ArrayProgram& program_;
  const Core& core_;
  const MemrefTypes& types_;
  std::string* text_;
  int depth_ = 2;
  int next_ = 0;                        ///< Names of values end in it, so that no two are equal.
  int first_parameter_ = 0;             ///< Index of the core's first parameter.
  std::vector<int> loops_;              ///< Ids of those that are open.
  std::vector<std::string> positions_;  ///< The value that says where each ring stands.
};

}  // namespace

void PrintCore(const ArrayProgram& program, const Core& core, const MemrefTypes& types,
               std::string* text) {
  CorePrinter(program, core, types, text).Print();
}

}  // namespace tilewave::emit
