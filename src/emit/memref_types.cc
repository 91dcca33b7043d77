#include "emit/memref_types.h"

#include <fmt/format.h>

#include <utility>

namespace tilewave::emit {
namespace {

using program::Core;
using program::CoreOp;
using program::TileBuffer;

const TileBuffer& BufferOf(const program::ArrayProgram& program, int index) {
  return program.buffers[static_cast<size_t>(index)];
}

const program::Ring& RingOf(const Core& core, int index) {
  return core.rings[static_cast<size_t>(index)];
}

}  // namespace

MemrefTypes::MemrefTypes(const program::ArrayProgram& program)
    : program_(program), bytes_(program.buffers.size(), false) {
  for (const Core& core : program.cores) {
    for (const CoreOp& op : core.ops) {
      for (const CoreOp::Argument& argument : op.arguments) {
        if (argument.offset_bytes == 0) continue;
        for (const int buffer : RingOf(core, argument.ring).buffers) {
          bytes_[static_cast<size_t>(buffer)] = true;
        }
      }
    }
  }
}

std::string MemrefTypes::Of(int buffer) const {
  const int64_t bytes = BufferOf(program_, buffer).bytes;
  if (IsBytes(buffer)) return fmt::format("memref<{}xi8>", bytes);
  return fmt::format("memref<{}xi32>", bytes / arch::kWordBytes);
}

std::string MemrefTypes::Of(const Core& core, const CoreOp::Argument& argument) const {
  const int buffer = RingOf(core, argument.ring).buffers[0];
  if (argument.offset_bytes == 0) return Of(buffer);
  return fmt::format("memref<{}xi8>", BufferOf(program_, buffer).bytes - argument.offset_bytes);
}

Result<std::map<std::string, std::string>> MemrefTypes::Signatures() const {
  std::map<std::string, std::string> signatures;
  for (const Core& core : program_.cores) {
    for (const program::Ring& ring : core.rings) {
      for (const int buffer : ring.buffers) {
        if (Of(buffer) == Of(ring.buffers[0])) continue;
        return Status(
            StatusCode::kUnimplemented,
            fmt::format("ring {} of {} has buffers of several sizes", ring.name, Name(core.tile)));
      }
    }
    for (const CoreOp& op : core.ops) {
      if (op.kind != CoreOp::Kind::kCall) continue;
      std::vector<std::string> types;
      for (const CoreOp::Argument& argument : op.arguments) types.push_back(Of(core, argument));
      for (const int scalar : op.scalars) {
        const bool own = scalar >= 0 && scalar < static_cast<int>(program_.parameters.size()) &&
                         program_.parameters[static_cast<size_t>(scalar)].tile == core.tile;
        if (!own) {
          return Status(StatusCode::kUnimplemented,
                        fmt::format("{} hands a kernel parameter {}, which is not its own",
                                    Name(core.tile), scalar));
        }
        types.emplace_back("i32");
      }
      const std::string& name = core.kernels[static_cast<size_t>(op.index)].name;
      std::string signature = fmt::format("{}", fmt::join(types, ", "));
      const auto [found, added] = signatures.try_emplace(name, signature);
      if (!added && found->second != signature) {
        return Status(StatusCode::kUnimplemented,
                      fmt::format("kernel {} is called with ({}) and with ({})", name,
                                  found->second, signature));
      }
    }
  }
  return signatures;
}

}  // namespace tilewave::emit
