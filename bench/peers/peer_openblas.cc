// OpenBLAS sgemm. It has no 8-bit product: A and B are f32 copies made before the clock starts, so
// this is the ceiling of going through f32, not a product of bytes. Sums below 2^24 are exact, and
// those of the data used here are; the comparison with the reference is exact like every other.

#include <cblas.h>

#include <cmath>
#include <cstring>

#include "bench/peers/buffer.h"
#include "bench/peers/peer.h"

namespace peers {
namespace {

template <typename T>
Buffer<float> Copy(const void* data, int64_t count) {
  Buffer<float> floats(count);
  for (int64_t i = 0; i < count; ++i) floats[i] = static_cast<const T*>(data)[i];
  return floats;
}

class OpenblasProduct : public Product {
 public:
  OpenblasProduct(const Case& wanted, const Operands& io)
      : case_(wanted),
        io_(io),
        a_(wanted.a_signed ? Copy<int8_t>(io.a, wanted.a_count())
                           : Copy<uint8_t>(io.a, wanted.a_count())),
        b_(Copy<int8_t>(io.b, wanted.b_count())),
        c_(wanted.c_count()) {
    for (int64_t i = 0; i < c_.size(); ++i) c_[i] = NAN;
  }

  void Run() override {
    const Case& w = case_;
    for (int64_t i = 0; i < w.batch; ++i) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, w.b_transposed ? CblasTrans : CblasNoTrans,
                  static_cast<int>(w.m), static_cast<int>(w.n), static_cast<int>(w.k), 1,
                  a_.data() + i * w.m * w.k, static_cast<int>(w.k), b_.data() + i * w.k * w.n,
                  static_cast<int>(w.b_transposed ? w.k : w.n), 0, c_.data() + i * w.m * w.n,
                  static_cast<int>(w.n));
    }
  }

  void Finish() override {
    int32_t* c = static_cast<int32_t*>(io_.c);
    // A NaN, which an element never written would be, is none of the reference's values as this.
    for (int64_t i = 0; i < c_.size(); ++i) {
      c[i] = std::isfinite(c_[i]) ? static_cast<int32_t>(c_[i]) : INT32_MIN;
    }
  }

 private:
  Case case_;
  Operands io_;
  Buffer<float> a_, b_, c_;
};

}  // namespace

void Begin(int threads) { openblas_set_num_threads(threads); }

std::string Version() {
  return std::string(openblas_get_config()) + ", kernels of " + openblas_get_corename();
}

Made Make(const Case& wanted, const Operands& operands) {
  if (wanted.kind != Kind::kGemm) return Unsupported("sgemm only");
  return {std::make_unique<OpenblasProduct>(wanted, operands), "f32"};
}

}  // namespace peers
