// The kernels' fast twins of pack::PackBytes.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

#include "arch/cpu.h"
#include "base/random.h"
#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/pack_bytes_avx2.h"
#include "pack/panels.h"

namespace tilewave::kernels::cpu {
namespace {

constexpr uint8_t kPoison = 0xA5;
constexpr size_t kGuards = 128;

struct StrideCase {
  const char* name;
  int64_t k;
  int64_t column;
};

std::vector<StrideCase> StrideCases(int64_t k, int64_t columns) {
  return {{"columns side by side", columns, 1},
          {"columns side by side, padded", columns + 7, 1},
          {"columns side by side, rows upside down", -(columns + 1), 1},
          {"columns side by side, one row repeated", 0, 1},
          {"K side by side", 1, k},
          {"K side by side, padded", 1, k + 3},
          {"K side by side, columns from the right", 1, -k},
          {"K side by side, one column repeated", 1, 0},
          {"both strides 1", 1, 1},
          {"gaps", 2 * columns + 1, 2},
          {"gaps, column-major", 2, 2 * k + 3},
          {"backwards along K", -1, k}};
}

/// How far elements lie from the first one, in bytes: from low to high.
struct Reach {
  Reach(int64_t k, int64_t columns, const StrideCase& strides) {
    for (const int64_t end : {(k - 1) * strides.k, (columns - 1) * strides.column}) {
      (end < 0 ? low : high) += end;
    }
  }
  size_t bytes() const { return static_cast<size_t>(high - low + 1); }

  int64_t low = 0;
  int64_t high = 0;
};

/// What packing one panel has written, with what stands around it.
struct Packed {
  Packed(int64_t k, int64_t nr, int64_t group)
      : panel_bytes(static_cast<size_t>((k + group - 1) / group * nr * group)),
        panel(panel_bytes + (2 * kGuards), std::byte{kPoison}),
        sums(static_cast<size_t>(nr) + (2 * kGuards), int32_t{kPoison}) {}

  std::byte* panel_at() { return panel.data() + kGuards; }
  int32_t* sums_at() { return sums.data() + kGuards; }
  bool operator==(const Packed&) const = default;

  size_t panel_bytes;
  std::vector<std::byte> panel;
  std::vector<int32_t> sums;
};

::testing::AssertionResult EqualsTheSlowTwin(const Int8Kernel& kernel,
                                             const pack::PanelSource& source, int64_t k,
                                             int64_t columns, uint8_t flip) {
  const int64_t group = GroupBytesOfB(kernel.form);
  Packed expected(k, kernel.nr, group);
  Packed actual(k, kernel.nr, group);
  pack::PackBytes(source, k, columns, kernel.nr, group, flip, expected.panel_at(),
                  expected.sums_at());
  kernel.pack_bytes(source, k, columns, flip, actual.panel_at(), actual.sums_at());
  if (actual == expected) return ::testing::AssertionSuccess();
  const auto at = std::mismatch(actual.panel.begin(), actual.panel.end(), expected.panel.begin());
  return ::testing::AssertionFailure()
         << "flip " << int{flip} << ": first wrong byte of the panel at "
         << (at.first - actual.panel.begin()) - static_cast<int64_t>(kGuards) << " of "
         << actual.panel_bytes << ", sums " << (actual.sums == expected.sums ? "equal" : "differ");
}

bool HasFunctionForThisCpu(const Int8Kernel& kernel) {
#if defined(__x86_64__)
  // It asks for less than the kernels that have it.
  if (kernel.pack_bytes == PackQuads16_avx2) return arch::DetectCpu().avx2;
#endif
  return kernel.pack_bytes != nullptr && Supported(kernel, arch::DetectCpu());
}

class PackBytesOfKernelsTest : public ::testing::Test {
 protected:
  /// Those that have the function, each once. Tests skip themselves if there are none.
  void SetUp() override {
    std::set<PackBytesFunction> seen;
    for (const Int8Kernel& kernel : Int8Kernels()) {
      if (!HasFunctionForThisCpu(kernel)) continue;
      if (seen.insert(kernel.pack_bytes).second) kernels_.push_back(&kernel);
    }
    if (kernels_.empty()) GTEST_SKIP() << "no kernel of this CPU has the function";
  }

  /// Calls visit(kernel, k, columns, strides) for ragged shapes: every count of columns where K is
  /// small or beside a whole turn of 16 or 64, and every K for the counts beside a register's.
  template <typename Visitor>
  void ForEachShape(Visitor visit) const {
    base::Random random(81);
    for (const Int8Kernel* kernel : kernels_) {
      for (int64_t k = 1; k <= 200; ++k) {
        std::set<int64_t> counts = {1, 15, 16, random.Between(1, kernel->nr), kernel->nr};
        if (kernel->nr > 16) counts.insert(17);
        if (k <= 9 || (k >= 15 && k <= 17) || (k >= 63 && k <= 65)) {
          for (int64_t columns = 1; columns <= kernel->nr; ++columns) counts.insert(columns);
        }
        for (const int64_t columns : counts) {
          for (const StrideCase& strides : StrideCases(k, columns)) {
            SCOPED_TRACE(::testing::Message() << kernel->name << ", " << strides.name << ": K " << k
                                              << ", columns " << columns);
            visit(*kernel, k, columns, strides);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }

  std::vector<const Int8Kernel*> kernels_;
};

std::vector<uint8_t> RandomBytes(uint64_t seed, size_t count) {
  base::Random random(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Next() >> 56);
  return bytes;
}

TEST_F(PackBytesOfKernelsTest, PanelAndSumsEqualTheSlowTwins) {
  // The longest reach of all: 2 * K + 3 bytes for each of the columns, K of 200.
  const std::vector<uint8_t> bytes = RandomBytes(82, 40'000);
  ForEachShape(
      [&](const Int8Kernel& kernel, int64_t k, int64_t columns, const StrideCase& strides) {
        const Reach reach(k, columns, strides);
        ASSERT_LE(reach.bytes(), bytes.size());
        const pack::PanelSource source{bytes.data() - reach.low, strides.k, strides.column};
        ASSERT_TRUE(EqualsTheSlowTwin(kernel, source, k, columns, 0));
        ASSERT_TRUE(EqualsTheSlowTwin(kernel, source, k, columns, 0x80));
      });
}

TEST_F(PackBytesOfKernelsTest, SumsOfExtremesAreExact) {
  for (const Int8Kernel* kernel : kernels_) {
    const int64_t nr = kernel->nr;
    for (const int value : {0x00, 0x7F, 0x80, 0xFF}) {
      SCOPED_TRACE(::testing::Message() << kernel->name << ", value " << value);
      const std::vector<uint8_t> bytes(static_cast<size_t>(5000 * nr), static_cast<uint8_t>(value));
      EXPECT_TRUE(EqualsTheSlowTwin(*kernel, {bytes.data(), nr, 1}, 5000, nr, 0));
      EXPECT_TRUE(EqualsTheSlowTwin(*kernel, {bytes.data(), 1, 5000}, 5000, nr, 0));
    }
  }
}

/// Readable pages between two that end the program when they are touched.
class FencedPages {
 public:
  explicit FencedPages(size_t least_bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    bytes_ = (least_bytes + page - 1) / page * page;
    page_ = page;
    void* map = mmap(nullptr, bytes_ + (2 * page), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return;
    map_ = static_cast<uint8_t*>(map);
    if (mprotect(map_ + page, bytes_, PROT_READ | PROT_WRITE) == 0) begin_ = map_ + page;
  }
  FencedPages(const FencedPages&) = delete;
  FencedPages& operator=(const FencedPages&) = delete;
  ~FencedPages() {
    if (map_ != nullptr) munmap(map_, bytes_ + (2 * page_));
  }

  uint8_t* begin() const { return begin_; }  ///< Null: there are none.
  uint8_t* end() const { return begin_ + bytes_; }
  size_t bytes() const { return bytes_; }

 private:
  size_t page_ = 0;
  size_t bytes_ = 0;
  uint8_t* map_ = nullptr;
  uint8_t* begin_ = nullptr;
};

TEST_F(PackBytesOfKernelsTest, ReadsNothingBesideTheSource) {
  const FencedPages pages(40'000);
  ASSERT_NE(pages.begin(), nullptr);
  const std::vector<uint8_t> bytes = RandomBytes(83, pages.bytes());
  std::memcpy(pages.begin(), bytes.data(), bytes.size());
  ForEachShape(
      [&](const Int8Kernel& kernel, int64_t k, int64_t columns, const StrideCase& strides) {
        const Reach reach(k, columns, strides);
        ASSERT_LE(reach.bytes(), pages.bytes());
        const pack::PanelSource first{pages.begin() - reach.low, strides.k, strides.column};
        ASSERT_TRUE(EqualsTheSlowTwin(kernel, first, k, columns, 0x80)) << "at the start";
        const pack::PanelSource last{pages.end() - 1 - reach.high, strides.k, strides.column};
        ASSERT_TRUE(EqualsTheSlowTwin(kernel, last, k, columns, 0x80)) << "at the end";
      });
}

}  // namespace
}  // namespace tilewave::kernels::cpu
