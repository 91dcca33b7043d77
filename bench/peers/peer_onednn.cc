// oneDNN: matmul primitives made once, weights reordered to the format that the primitive asks for,
// or its BLAS-like calls where they are faster: they do not pass through a SYCL queue. For f32
// operands see onednn_float.cc. Built once for each build of oneDNN that there is.

#include <string>
#include <vector>

#include "bench/peers/onednn_common.h"

namespace peers {
namespace {

using onednn::Context;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

/// 2-D, or 3-D for a batch.
dnnl::memory::dims Dims(const Case& wanted, int64_t rows, int64_t columns) {
  if (wanted.batch == 1) return {rows, columns};
  return {wanted.batch, rows, columns};
}

class MatmulProduct : public Product {
 public:
  MatmulProduct(const Case& wanted, const Operands& io) : context_(onednn::TheContext()) {
    const bool batched = wanted.batch > 1;
    const Tag plain = batched ? Tag::abc : Tag::ab;
    const Tag turned = batched ? Tag::acb : Tag::ba;
    const dnnl::memory::dims dims = Dims(wanted, wanted.k, wanted.n);
    const dnnl::memory::desc stored(dims, Type::s8, wanted.b_transposed ? turned : plain);
    const dnnl::memory::desc any(dims, Type::s8, Tag::any);
    const dnnl::memory::desc a(Dims(wanted, wanted.m, wanted.k),
                               wanted.a_signed ? Type::s8 : Type::u8, plain);
    const dnnl::memory::desc c(Dims(wanted, wanted.m, wanted.n), Type::s32, plain);
    const dnnl::matmul::primitive_desc pd(context_.engine, a, wanted.prepacked ? any : stored, c);
    name_ = pd.impl_info_str();
    matmul_ = dnnl::matmul(pd);
    dnnl::memory b(stored, context_.engine, const_cast<void*>(io.b));
    if (pd.weights_desc() != stored) {
      dnnl::memory packed(pd.weights_desc(), context_.engine);
      dnnl::reorder(b, packed).execute(context_.stream, b, packed);
      context_.stream.wait();
      b = packed;
    }
    arguments_ = {{DNNL_ARG_SRC, {a, context_.engine, const_cast<void*>(io.a)}},
                  {DNNL_ARG_WEIGHTS, b},
                  {DNNL_ARG_DST, {c, context_.engine, io.c}}};
  }

  void Run() override {
    matmul_.execute(context_.stream, arguments_);
    context_.stream.wait();
  }
  const std::string& name() const { return name_; }

 private:
  Context& context_;
  dnnl::matmul matmul_;
  std::unordered_map<int, dnnl::memory> arguments_;
  std::string name_;
};

class GemmProduct : public Product {
 public:
  GemmProduct(const Case& wanted, const Operands& io) : case_(wanted), io_(io) {}

  void Run() override {
    const Case& w = case_;
    const char turn = w.b_transposed ? 'T' : 'N';
    const int64_t ldb = w.b_transposed ? w.k : w.n;
    const int32_t none = 0;
    for (int64_t i = 0; i < w.batch; ++i) {
      const int8_t* b = static_cast<const int8_t*>(io_.b) + i * w.k * w.n;
      int32_t* c = static_cast<int32_t*>(io_.c) + i * w.m * w.n;
      dnnl::status status;
      if (w.a_signed) {
        const int8_t* a = static_cast<const int8_t*>(io_.a) + i * w.m * w.k;
        status = dnnl::gemm_s8s8s32('N', turn, 'F', w.m, w.n, w.k, 1.0f, a, w.k, 0, b, ldb, 0, 0.0f,
                                    c, w.n, &none);
      } else {
        const uint8_t* a = static_cast<const uint8_t*>(io_.a) + i * w.m * w.k;
        status = dnnl::gemm_u8s8s32('N', turn, 'F', w.m, w.n, w.k, 1.0f, a, w.k, 0, b, ldb, 0, 0.0f,
                                    c, w.n, &none);
      }
      if (status != dnnl::status::success) throw std::runtime_error("dnnl gemm has failed");
    }
  }

 private:
  Case case_;
  Operands io_;
};

}  // namespace

void Begin(int threads) {
  onednn::threads = threads;
  onednn::TheContext();
}

std::string Version() {
  const dnnl::version_t* version = dnnl::version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

Made Make(const Case& wanted, const Operands& operands) {
  if (wanted.kind != Kind::kGemm) return onednn::MakeFloat(wanted, operands);
  auto matmul = std::make_unique<MatmulProduct>(wanted, operands);
  auto gemm = std::make_unique<GemmProduct>(wanted, operands);
  // The matmul keeps packed weights, the call has less to do before it starts.
  if (onednn::Time(*gemm) < onednn::Time(*matmul)) return {std::move(gemm), "gemm_x8s8s32"};
  std::string name = matmul->name();
  return {std::move(matmul), name};
}

}  // namespace peers
