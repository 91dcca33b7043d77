// gemmlowp: u8 operands with offsets, s32 result through an empty output pipeline. It packs both
// operands in every call and has no way to keep them, so "prepacked" saves B's change of sign only.

#include <public/gemmlowp.h>

#include "bench/peers/buffer.h"
#include "bench/peers/flip_signs.h"
#include "bench/peers/peer.h"

namespace peers {
namespace {

gemmlowp::GemmContext* context = nullptr;

class GemmlowpProduct : public Product {
 public:
  GemmlowpProduct(const Case& wanted, const Operands& io)
      : case_(wanted), io_(io), a_(wanted.a_count()), b_(wanted.b_count()) {
    FlipB();
  }

  void Run() override {
    const Case& w = case_;
    const uint8_t* a = static_cast<const uint8_t*>(io_.a);
    if (w.a_signed) {
      FlipSigns(a, a_.data(), w.a_count());
      a = a_.data();
    }
    if (!w.prepacked) FlipB();
    for (int64_t i = 0; i < w.batch; ++i) {
      if (w.b_transposed) {
        One<gemmlowp::MapOrder::ColMajor>(i, a);
      } else {
        One<gemmlowp::MapOrder::RowMajor>(i, a);
      }
    }
  }

 private:
  using RowMajor = gemmlowp::MatrixMap<const uint8_t, gemmlowp::MapOrder::RowMajor>;

  void FlipB() { FlipSigns(static_cast<const uint8_t*>(io_.b), b_.data(), case_.b_count()); }

  template <gemmlowp::MapOrder order>
  void One(int64_t i, const uint8_t* a) {
    const int m = static_cast<int>(case_.m);
    const int k = static_cast<int>(case_.k);
    const int n = static_cast<int>(case_.n);
    const RowMajor left(a + i * case_.m * case_.k, m, k);
    const gemmlowp::MatrixMap<const uint8_t, order> right(b_.data() + i * case_.k * case_.n, k, n);
    gemmlowp::MatrixMap<int32_t, gemmlowp::MapOrder::RowMajor> result(
        static_cast<int32_t*>(io_.c) + i * case_.m * case_.n, m, n);
    gemmlowp::GemmWithOutputPipeline<uint8_t, int32_t, gemmlowp::DefaultL8R8BitDepthParams>(
        context, left, right, &result, case_.a_signed ? -128 : 0, -128, std::make_tuple());
  }

  Case case_;
  Operands io_;
  Buffer<uint8_t> a_, b_;
};

}  // namespace

void Begin(int threads) {
  context = new gemmlowp::GemmContext;  // For the life of the process.
  context->set_max_num_threads(threads);
}

std::string Version() {
#if defined(GEMMLOWP_AVX2)
  return "AVX2 kernels";
#elif defined(GEMMLOWP_SSE4)
  return "SSE4 kernels";
#else
  return "portable kernels";
#endif
}

Made Make(const Case& wanted, const Operands& operands) {
  if (wanted.kind != Kind::kGemm) return Unsupported("products of integers only");
  return {std::make_unique<GemmlowpProduct>(wanted, operands), "packs in every call"};
}

}  // namespace peers
