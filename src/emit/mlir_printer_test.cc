#include "emit/mlir_printer.h"

#include <gtest/gtest.h>

#include <string>

#include "program/lower.h"
#include "program/lower_whole_array.h"
#include "tests/support/text_parts.h"

namespace tilewave::emit {
namespace {

using program::ArrayProgram;
using program::CoreOp;
using program::DesignFamily;
using program::DesignSpec;
using program::Direction;
using testing::Has;

ArrayProgram Lowered(DesignFamily family, int64_t tile = 64) {
  DesignSpec spec;
  spec.family = family;
  spec.tile_m = spec.tile_k = spec.tile_n = tile;
  return *program::Lower(spec);
}

std::string Text(const ArrayProgram& program) {
  const Result<std::string> text = MlirText(program);
  EXPECT_TRUE(text.ok()) << text.status().ToString();
  return text.ok() ? *text : std::string();
}

void ExpectRefusal(const ArrayProgram& program, StatusCode code, const std::string& part) {
  const Result<std::string> text = MlirText(program);
  ASSERT_FALSE(text.ok()) << part;
  EXPECT_EQ(text.status().code(), code) << text.status().message();
  EXPECT_TRUE(Has(text.status().message(), part)) << text.status().message();
}

TEST(MlirPrinterTest, DeviceIsAsWideAsTheDesign) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.columns = 4;
  EXPECT_TRUE(Has(Text(*program::Lower(spec)), "aie.device(npu1) {"));
  spec.columns = 3;
  EXPECT_TRUE(Has(Text(*program::Lower(spec)), "aie.device(npu1_3col) {"));
  spec.arch = arch::NpuArch::kNpu2;
  spec.columns = 7;
  EXPECT_TRUE(Has(Text(*program::Lower(spec)), "aie.device(npu2_7col) {"));
  spec.columns = 8;
  EXPECT_TRUE(Has(Text(*program::Lower(spec)), "aie.device(npu2) {"));
}

// The part of an operand that begins inside a buffer is a view of bytes; words would have to go
// through a subview, whose offset a bare pointer drops.
TEST(MlirPrinterTest, PartsOfBuffersAreViewsOfBytes) {
  const std::string text = Text(Lowered(DesignFamily::kPackedTile, 16));
  EXPECT_TRUE(Has(text, "sym_name = \"core_0_2_ab_0\"} : memref<512xi8>"));
  EXPECT_TRUE(Has(text, "aie.dma_bd(%core_0_2_ab_1 : memref<512xi8> offset = 0 len = 512)"));
  EXPECT_TRUE(Has(text, "memref.view %ab_now1[%c256][] : memref<512xi8> to memref<256xi8>"));
  EXPECT_TRUE(Has(text, "sym_name = \"core_0_2_c_0\"} : memref<256xi32>"));
}

TEST(MlirPrinterTest, DimensionsAndPaddingAreOutermostFirst) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.columns = 1;
  spec.k_mt = 128;
  ArrayProgram program = *program::Lower(spec);
  for (program::Channel& channel : program.channels) {
    const bool a_out = channel.id.tile.row == 1 && channel.id.channel == 0 &&
                       channel.id.direction == Direction::kMm2s;
    if (!a_out) continue;
    program::Descriptor& d = channel.descriptors[0];
    d.padding = {program::Padding{1, 2}, {3, 4}, {5, 6}};
    d.iteration = {2, 16};
  }
  // 64 rows of 64 bytes, out of rows of 128, in blocks of 4 x 8: two words, four rows, eight
  // blocks, 16 rows of blocks.
  EXPECT_TRUE(Has(Text(program),
                  "offset = 0 len = 1024 sizes = [16, 8, 4, 2] strides = [128, 2, 32, 1] "
                  "pad [<const_pad_before = 0, const_pad_after = 0>, "
                  "<const_pad_before = 5, const_pad_after = 6>, "
                  "<const_pad_before = 3, const_pad_after = 4>, "
                  "<const_pad_before = 1, const_pad_after = 2>]) {bd_id = 8 : i32, iteration = "
                  "#aie.bd_iteration<size = 2, stride = 16, current = 0>}"));
}

TEST(MlirPrinterTest, BroadcastIsAFlowPerDestination) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.columns = 2;
  const std::string text = Text(*program::Lower(spec));
  EXPECT_TRUE(Has(text,
                  "aie.flow(%mem_0_1, DMA : 0, %core_0_2, DMA : 0)\n"
                  "    aie.flow(%mem_0_1, DMA : 0, %core_1_2, DMA : 0)\n"));
}

TEST(MlirPrinterTest, RefusesWhatItCannotSay) {
  const ArrayProgram good = Lowered(DesignFamily::kKStream);
  const auto refuse = [&](StatusCode code, const std::string& part, const auto& change) {
    ArrayProgram bad = good;
    change(&bad);
    ExpectRefusal(bad, code, part);
  };
  constexpr StatusCode kUnsayable = StatusCode::kUnimplemented;
  refuse(StatusCode::kInvalidArgument, "'a b' is no name of a buffer",
         [](ArrayProgram* p) { p->buffers[0].name = "a b"; });
  refuse(StatusCode::kInvalidArgument, "'' is no name of a lock",
         [](ArrayProgram* p) { p->locks[0].name = ""; });
  refuse(StatusCode::kInvalidArgument, "no name of a ring",
         [](ArrayProgram* p) { p->cores[0].rings[0].name = "core_0_2_a"; });
  refuse(kUnsayable, "two symbols are named 'core_0_2_b_0'",
         [](ArrayProgram* p) { p->buffers[0].name = "b_0"; });
  refuse(kUnsayable, "two kernels of a core",
         [](ArrayProgram* p) { p->cores[0].kernels[1].name = "zero_s32"; });
  refuse(kUnsayable, "in a ring already",
         [](ArrayProgram* p) { p->cores[0].rings[1].buffers = {0}; });
  refuse(kUnsayable, "buffers of several sizes", [](ArrayProgram* p) {
    p->buffers[1].bytes -= 4;
    p->channels[0].descriptors[1].length_words--;
  });
  refuse(StatusCode::kOutOfRange, "index of a parameter",
         [](ArrayProgram* p) { p->cores[0].ops[3].scalars = {1}; });
  refuse(StatusCode::kOutOfRange, "padding before d0", [](ArrayProgram* p) {
    p->channels[0].descriptors[0].padding[0] = {1, 0};
  });
  refuse(kUnsayable, "beyond the one column", [](ArrayProgram* p) {
    p->buffers.push_back({"x", {1, 2}, 0, 4});
  });
  refuse(StatusCode::kOutOfRange, "lock id", [](ArrayProgram* p) { p->locks[0].id = 16; });
}

TEST(MlirPrinterTest, KernelsHaveOneSignature) {
  ArrayProgram program = Lowered(DesignFamily::kPackedTile, 16);
  for (CoreOp& op : program.cores[0].ops) {
    if (op.kind == CoreOp::Kind::kCall && op.index == 1) op.index = 0;
  }
  ExpectRefusal(program, StatusCode::kUnimplemented,
                "kernel zero_s32 is called with (memref<256xi32>) and with (memref<512xi8>, "
                "memref<256xi8>, memref<256xi32>)");
}

}  // namespace
}  // namespace tilewave::emit
