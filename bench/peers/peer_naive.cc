// The loop that everyone writes first, compiled with the flags of a release build.

#include <cstring>

#include "bench/peers/peer.h"

namespace peers {
namespace {

template <typename A>
class NaiveProduct : public Product {
 public:
  NaiveProduct(const Case& wanted, const Operands& operands) : case_(wanted), io_(operands) {}

  void Run() override {
    for (int64_t batch = 0; batch < case_.batch; ++batch) {
      One(static_cast<const A*>(io_.a) + batch * case_.m * case_.k,
          static_cast<const int8_t*>(io_.b) + batch * case_.k * case_.n,
          static_cast<int32_t*>(io_.c) + batch * case_.m * case_.n);
    }
  }

 private:
  void One(const A* a, const int8_t* b, int32_t* c) const {
    const int64_t n = case_.n;
    const int64_t k = case_.k;
    for (int64_t i = 0; i < case_.m; ++i) {
      if (case_.b_transposed) {
        for (int64_t j = 0; j < n; ++j) {
          int32_t sum = 0;
          for (int64_t p = 0; p < k; ++p) sum += a[i * k + p] * b[j * k + p];
          c[i * n + j] = sum;
        }
        continue;
      }
      std::memset(c + i * n, 0, static_cast<size_t>(n) * sizeof(*c));
      for (int64_t p = 0; p < k; ++p) {
        const int32_t factor = +a[i * k + p];
        for (int64_t j = 0; j < n; ++j) c[i * n + j] += factor * b[p * n + j];
      }
    }
  }

  Case case_;
  Operands io_;
};

constexpr int64_t kMostMacs = 300'000'000;

}  // namespace

void Begin(int /*threads*/) {}

std::string Version() { return "loop"; }

Made Make(const Case& wanted, const Operands& operands) {
  if (wanted.kind != Kind::kGemm) return Unsupported("products of integers only");
  if (wanted.threads != 1) return Unsupported("one thread only");
  if (wanted.batch * wanted.m * wanted.k * wanted.n > kMostMacs) {
    return Unsupported("too slow to wait for: above 0.3 GMAC");
  }
  if (wanted.a_signed) return {std::make_unique<NaiveProduct<int8_t>>(wanted, operands), ""};
  return {std::make_unique<NaiveProduct<uint8_t>>(wanted, operands), ""};
}

}  // namespace peers
