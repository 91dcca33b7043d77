// libxsmm: its JIT kernels for u8 x s8, called over blocks. It is column-major, so its left matrix
// is our B, in quads of K that are interleaved ahead of time ("VNNI" format), and its result is our
// row-major C. A signed A becomes u8 in the call, and 128 times the column sums are taken off by
// letting the kernel start from them. The loop over blocks is ours, as the library has none.

#include <libxsmm.h>
#include <omp.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "bench/peers/buffer.h"
#include "bench/peers/flip_signs.h"
#include "bench/peers/peer.h"

namespace peers {
namespace {

constexpr int64_t kColumns = 64;  // Four vectors of accumulators, the library's own blocking.
constexpr int64_t kRows = 48;
constexpr int64_t kDepth = 2048;  // A panel of B of this depth stays in the second cache.

/// A kernel that adds to C, or null if the library makes none.
libxsmm_subimmfunction Kernel(const Case& wanted, int64_t columns, int64_t rows, int64_t depth) {
  if (columns == 0 || rows == 0 || depth == 0) return nullptr;
  const int stride = static_cast<int>(kColumns);
  const int ldb = static_cast<int>(wanted.k);
  const int ldc = static_cast<int>(wanted.n);
  const int one = 1;
  return libxsmm_subimmdispatch(static_cast<int>(columns), static_cast<int>(rows),
                                static_cast<int>(depth), &stride, &ldb, &ldc, &one, &one, nullptr,
                                nullptr);
}

class LibxsmmProduct : public Product {
 public:
  LibxsmmProduct(const Case& wanted, const Operands& io)
      : case_(wanted),
        io_(io),
        flipped_(wanted.a_signed ? wanted.a_count() : 0),
        packed_(wanted.batch * Panels() * kColumns * wanted.k),
        start_(wanted.batch * Panels() * kColumns) {
    const Case& w = case_;
    for (const int64_t columns : {kColumns, w.n % kColumns}) {
      for (const int64_t rows : {kRows, w.m % kRows}) {
        for (const int64_t depth : {kDepth, w.k % kDepth}) {
          kernels_.push_back(Kernel(w, columns, rows, depth));
          const bool used =
              columns > 0 && rows > 0 && depth > 0 && columns <= w.n && rows <= w.m && depth <= w.k;
          if (used && kernels_.back() == nullptr) {
            throw std::runtime_error("no JIT kernel for this CPU or shape");
          }
        }
      }
    }
    PackAll();
  }

  void Run() override {
    const Case& w = case_;
    const uint8_t* a = static_cast<const uint8_t*>(io_.a);
    if (w.a_signed) {
      FlipSigns(a, flipped_.data(), w.a_count());
      a = flipped_.data();
    }
    if (!w.prepacked) PackAll();
    const int64_t row_blocks = (w.m + kRows - 1) / kRows;
    const int64_t blocks = w.batch * Panels();
#pragma omp parallel for collapse(2) schedule(static) if (w.threads > 1)
    for (int64_t block = 0; block < blocks; ++block) {
      for (int64_t rows = 0; rows < row_blocks; ++rows) Block(a, block, rows * kRows);
    }
  }

 private:
  int64_t Panels() const { return (case_.n + kColumns - 1) / kColumns; }

  void Block(const uint8_t* a, int64_t block, int64_t i0) {
    const Case& w = case_;
    const int64_t batch = block / Panels();
    const int64_t j0 = block % Panels() * kColumns;
    const int64_t columns = std::min(kColumns, w.n - j0);
    const int64_t rows = std::min(kRows, w.m - i0);
    int32_t* c = static_cast<int32_t*>(io_.c) + (batch * w.m + i0) * w.n + j0;
    for (int64_t i = 0; i < rows; ++i) {
      std::copy_n(start_.data() + block * kColumns, columns, c + i * w.n);
    }
    for (int64_t p = 0; p < w.k; p += kDepth) {
      const int64_t depth = std::min(kDepth, w.k - p);
      const int index = (columns < kColumns) * 4 + (rows < kRows) * 2 + (depth < kDepth);
      const libxsmm_subimmfunction kernel = kernels_[static_cast<size_t>(index)];
      kernel(reinterpret_cast<const char*>(packed_.data()) + (block * w.k + p) * kColumns,
             a + (batch * w.m + i0) * w.k + p, c);
    }
  }

  void PackAll() {
#pragma omp parallel for schedule(static) if (case_.threads > 1)
    for (int64_t block = 0; block < case_.batch * Panels(); ++block) Pack(block);
  }

  /// [K / 4][64][4], and what each column's sum starts from.
  void Pack(int64_t block) {
    const Case& w = case_;
    const int64_t j0 = block % Panels() * kColumns;
    const int8_t* b = static_cast<const int8_t*>(io_.b) + block / Panels() * w.k * w.n;
    const int64_t step_p = w.b_transposed ? 1 : w.n;
    const int64_t step_j = w.b_transposed ? w.k : 1;
    int8_t* out = packed_.data() + block * w.k * kColumns;
    int32_t sums[kColumns] = {};
    const int64_t columns = std::min(kColumns, w.n - j0);
    for (int64_t p = 0; p < w.k; p += 4) {
      for (int64_t j = 0; j < columns; ++j) {
        for (int64_t q = 0; q < 4; ++q) {
          const int8_t value = b[(p + q) * step_p + (j0 + j) * step_j];
          out[p * kColumns + j * 4 + q] = value;
          sums[j] += value;
        }
      }
    }
    for (int64_t j = 0; j < columns; ++j) {
      start_[block * kColumns + j] = w.a_signed ? -128 * sums[j] : 0;
    }
  }

  Case case_;
  Operands io_;
  Buffer<uint8_t> flipped_;
  Buffer<int8_t> packed_;
  Buffer<int32_t> start_;
  std::vector<libxsmm_subimmfunction> kernels_;
};

}  // namespace

void Begin(int threads) {
  omp_set_num_threads(threads);
  libxsmm_init();
}

std::string Version() {
  return std::string(LIBXSMM_VERSION) + ", kernels for " + libxsmm_get_target_arch();
}

Made Make(const Case& wanted, const Operands& operands) {
  if (wanted.kind != Kind::kGemm) return Unsupported("products of integers only");
  if (wanted.k % 4 != 0) return Unsupported("K is no multiple of 4");
  return {std::make_unique<LibxsmmProduct>(wanted, operands), "blocks by the caller"};
}

}  // namespace peers
