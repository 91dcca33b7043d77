// MKL's cblas_gemm_s8u8s32. For row-major operands its left matrix is u8 and its right one s8; a
// signed A becomes u8 by a flip of its sign bits in the call, and an offset of -128 takes that
// back.

#include <mkl.h>

#include <stdexcept>
#include <vector>

#include "bench/peers/buffer.h"
#include "bench/peers/flip_signs.h"
#include "bench/peers/peer.h"

namespace peers {
namespace {

struct FreePacked {
  void operator()(void* bytes) const { mkl_free(bytes); }
};

class MklProduct : public Product {
 public:
  MklProduct(const Case& wanted, const Operands& io)
      : case_(wanted), io_(io), flipped_(wanted.a_signed ? wanted.a_count() : 0) {
    if (!wanted.prepacked) return;
    const Case& w = case_;
    const size_t bytes = cblas_gemm_s8u8s32_pack_get_size(CblasBMatrix, w.m, w.n, w.k);
    for (int64_t i = 0; i < w.batch; ++i) {
      packed_.emplace_back(mkl_malloc(bytes, 64));
      if (packed_.back() == nullptr) throw std::bad_alloc();
      cblas_gemm_s8u8s32_pack(CblasRowMajor, CblasBMatrix, Turn(), w.m, w.n, w.k, B(i), Ldb(),
                              packed_.back().get());
    }
  }

  void Run() override {
    const Case& w = case_;
    const void* a = io_.a;
    if (w.a_signed) {
      FlipSigns(static_cast<const uint8_t*>(io_.a), flipped_.data(), w.a_count());
      a = flipped_.data();
    }
    const MKL_INT8 offset = w.a_signed ? -128 : 0;
    const MKL_INT32 none = 0;
    for (int64_t i = 0; i < w.batch; ++i) {
      const uint8_t* left = static_cast<const uint8_t*>(a) + i * w.m * w.k;
      int32_t* c = static_cast<int32_t*>(io_.c) + i * w.m * w.n;
      if (w.prepacked) {
        cblas_gemm_s8u8s32_compute(
            CblasRowMajor, CblasNoTrans, CblasPacked, CblasFixOffset, w.m, w.n, w.k, 1, left, w.k,
            offset, packed_[static_cast<size_t>(i)].get(), Ldb(), 0, 0, c, w.n, &none);
      } else {
        cblas_gemm_s8u8s32(CblasRowMajor, CblasNoTrans, Turn(), CblasFixOffset, w.m, w.n, w.k, 1,
                           left, w.k, offset, B(i), Ldb(), 0, 0, c, w.n, &none);
      }
    }
  }

 private:
  CBLAS_TRANSPOSE Turn() const { return case_.b_transposed ? CblasTrans : CblasNoTrans; }
  MKL_INT Ldb() const { return case_.b_transposed ? case_.k : case_.n; }
  const int8_t* B(int64_t i) const {
    return static_cast<const int8_t*>(io_.b) + i * case_.k * case_.n;
  }

  Case case_;
  Operands io_;
  Buffer<uint8_t> flipped_;
  std::vector<std::unique_ptr<void, FreePacked>> packed_;
};

}  // namespace

void Begin(int threads) { mkl_set_num_threads(threads); }

std::string Version() {
  MKLVersion version;
  mkl_get_version(&version);
  return std::to_string(version.MajorVersion) + "." + std::to_string(version.MinorVersion) + "." +
         std::to_string(version.UpdateVersion) + ", chooses " + version.Processor;
}

Made Make(const Case& wanted, const Operands& operands) {
  if (wanted.kind != Kind::kGemm) return Unsupported("products of integers only");
  return {std::make_unique<MklProduct>(wanted, operands), ""};
}

}  // namespace peers
