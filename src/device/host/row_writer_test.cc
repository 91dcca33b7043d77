#include "device/host/row_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "arch/cpu.h"
#include "base/aligned_buffer.h"
#include "base/random.h"
#include "kernels/cpu/kernel_table.h"
#include "tests/support/host_operands.h"

namespace tilewave::device::host {
namespace {

/// Row r's byte i.
std::byte ByteOf(int64_t r, int64_t i) {
  return static_cast<std::byte>(((r * 31) + (i * 7) + (i / 256)) & 0xFF);
}

TEST(RowWriterTest, RowsOfAnyAlignmentArriveInChunks) {
  for (const kernels::cpu::Int8Kernel& kernel : kernels::cpu::Int8Kernels()) {
    if (!kernels::cpu::Supported(kernel, arch::DetectCpu())) continue;
    base::Random random(3);
    for (int turn = 0; turn < 100; ++turn) {
      const int64_t rows = random.Between(1, 32);
      const int64_t most = random.Between(1, 5) * RowWriter::kLineBytes;  // Of a chunk.
      const int64_t bytes = random.Between(0, 1200);
      const int64_t stride = bytes + random.Between(0, 130);
      const int64_t offset = random.Between(0, 130);
      std::vector<std::byte> to(static_cast<size_t>(offset + (rows * stride) + 130), kPoison);
      base::AlignedBuffer memory(static_cast<size_t>(RowWriter::BytesFor(rows, most)));
      RowWriter writer(*kernel.rows, memory.data(), most);
      writer.Start(to.data() + offset, stride, rows);
      for (int64_t done = 0; done < bytes;) {
        const int64_t lines = random.Between(1, most / RowWriter::kLineBytes);
        const int64_t chunk = std::min(bytes - done, lines * RowWriter::kLineBytes);
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t i = 0; i < chunk; ++i) {
            writer.at()[(r * writer.stride_bytes()) + i] = ByteOf(r, done + i);
          }
        }
        done += chunk;
        writer.Write(chunk, done == bytes);
      }
      kernel.rows->end_stream();
      std::vector<std::byte> wanted(to.size(), kPoison);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t i = 0; i < bytes; ++i) {
          wanted[static_cast<size_t>(offset + (r * stride) + i)] = ByteOf(r, i);
        }
      }
      ASSERT_EQ(to, wanted) << kernel.rows->name << " " << rows << " rows of " << bytes;
    }
  }
}

}  // namespace
}  // namespace tilewave::device::host
