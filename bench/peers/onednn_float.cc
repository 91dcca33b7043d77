// f32 operands with oneDNN: a pass that quantises (ours, on the threads of the same runtime), then
// one matmul with everything behind the product fused: column scales as weights scales, row scales
// as a binary post-op, as its fast kernels take no row scales of the source; bias and GELU (erf).
// Which description of the same thing is fast depends on the version: all are tried.

#include <functional>
#include <string>
#include <vector>

#include "bench/peers/buffer.h"
#include "bench/peers/onednn_common.h"
#include "bench/peers/quantise_rows.h"

#if defined(PEERS_TBB)
#include <tbb/parallel_for.h>
#endif

namespace peers::onednn {
namespace {

using Dims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

void ForEach(int64_t count, const std::function<void(int64_t)>& work) {
  if (threads == 1 || count == 1) {
    for (int64_t i = 0; i < count; ++i) work(i);
    return;
  }
#if defined(PEERS_TBB)
  tbb::parallel_for(int64_t{0}, count, work);
#else
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; ++i) work(i);
#endif
}

void QuantiseAllRows(const float* data, int64_t rows, int64_t k, int8_t* values, float* scales) {
  const int64_t parts = threads == 1 ? 1 : std::min(rows, int64_t{4} * threads);
  ForEach(parts, [&](int64_t part) {
    QuantiseRows(data, rows * part / parts, rows * (part + 1) / parts, k, values, scales);
  });
}

/// How the operands are described.
struct Form {
  /// 4: 1 x batch x M x K. 3: 1 x M x K, and a call for each matrix. 2: one row, whose scale is the
  /// one source scale that the fast kernels take.
  int rank;
  int64_t calls;  ///< Of the matmul, in one product.
};

class FloatProduct : public Product {
 public:
  FloatProduct(const Case& wanted, const Operands& io, const Form& form)
      : context_(TheContext()),
        case_(wanted),
        io_(io),
        form_(form),
        a_(wanted.a_count()),
        row_scales_(wanted.batch * wanted.m),
        b_(wanted.kind == Kind::kHeads ? wanted.b_count() : 0),
        column_scales_(wanted.batch * wanted.n),
        inverses_(wanted.batch * wanted.n) {
    Describe();
    if (name().rfind("brg", 0) != 0) throw std::runtime_error("only " + name());
    if (wanted.kind == Kind::kLayer) PackWeights();
    for (int64_t call = 0; call < form.calls; ++call) Bind(call);
  }

  void Run() override {
    const Case& w = case_;
    QuantiseAllRows(static_cast<const float*>(io_.a), w.batch * w.m, w.k, a_.data(),
                    row_scales_.data());
    if (w.kind == Kind::kHeads) QuantiseB();
    for (const auto& arguments : arguments_) matmul_.execute(context_.stream, arguments);
    context_.stream.wait();
  }

  const std::string& name() const { return name_; }

 private:
  int64_t PerCall() const { return case_.batch / form_.calls; }

  Dims Shape(int64_t batch, int64_t rows, int64_t columns) const {
    if (form_.rank == 2) return {rows, columns};
    if (form_.rank == 3) return {batch, rows, columns};
    return {1, batch, rows, columns};
  }

  dnnl::memory::desc Desc(int64_t batch, int64_t rows, int64_t columns, Type type,
                          bool turned = false) const {
    static constexpr Tag kTags[3][2] = {
        {Tag::ab, Tag::ba}, {Tag::abc, Tag::acb}, {Tag::abcd, Tag::abdc}};
    const Tag tag = kTags[form_.rank - 2][turned ? 1 : 0];
    return {Shape(batch, rows, columns), type, tag};
  }

  void Describe() {
    const Case& w = case_;
    const bool layer = w.kind == Kind::kLayer;
    dnnl::post_ops after;
    dnnl::primitive_attr attributes;
    if (form_.rank == 2) {
      attributes.set_scales_mask(DNNL_ARG_SRC, 0);
    } else {
      after.append_binary(dnnl::algorithm::binary_mul, Desc(PerCall(), w.m, 1, Type::f32));
    }
    if (layer) {
      after.append_binary(dnnl::algorithm::binary_add, Desc(1, 1, w.n, Type::f32));
      after.append_eltwise(dnnl::algorithm::eltwise_gelu_erf, 0, 0);
    }
    attributes.set_post_ops(after);
    const int columns = 1 << (form_.rank - 1);
    attributes.set_scales_mask(DNNL_ARG_WEIGHTS, PerCall() > 1 ? columns | 2 : columns);
    const dnnl::memory::desc any(Shape(PerCall(), w.k, w.n), Type::s8, Tag::any);
    description_ = dnnl::matmul::primitive_desc(
        context_.engine, Desc(PerCall(), w.m, w.k, Type::s8),
        layer ? any : Desc(PerCall(), w.k, w.n, Type::s8, w.b_transposed),
        Desc(PerCall(), w.m, w.n, Type::f32), attributes);
    name_ = description_.impl_info_str();
    matmul_ = dnnl::matmul(description_);
  }

  void PackWeights() {
    dnnl::memory plain(Desc(1, case_.k, case_.n, Type::s8), context_.engine,
                       const_cast<void*>(io_.b));
    packed_ = dnnl::memory(description_.weights_desc(), context_.engine);
    dnnl::reorder(plain, packed_).execute(context_.stream, plain, packed_);
    context_.stream.wait();
    std::copy_n(io_.scale_b, case_.n, column_scales_.data());
  }

  void Bind(int64_t call) {
    const Case& w = case_;
    const dnnl::engine& engine = context_.engine;
    const int64_t first = call * PerCall();
    const auto bound = [&](const dnnl::memory::desc& desc, void* data) {
      return dnnl::memory(desc, engine, data);
    };
    std::unordered_map<int, dnnl::memory> arguments = {
        {DNNL_ARG_SRC, bound(description_.src_desc(), a_.data() + first * w.m * w.k)},
        {DNNL_ARG_DST,
         bound(description_.dst_desc(), static_cast<float*>(io_.c) + first * w.m * w.n)},
        {DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
         bound({{PerCall() * w.n}, Type::f32, Tag::a}, column_scales_.data() + first * w.n)}};
    if (form_.rank == 2) {
      arguments[DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC] =
          bound({{1}, Type::f32, Tag::a}, row_scales_.data());
    } else {
      arguments[DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1] =
          bound(Desc(PerCall(), w.m, 1, Type::f32), row_scales_.data() + first * w.m);
    }
    if (w.kind == Kind::kLayer) {
      arguments[DNNL_ARG_WEIGHTS] = packed_;
      arguments[DNNL_ARG_ATTR_MULTIPLE_POST_OP(form_.rank == 2 ? 0 : 1) | DNNL_ARG_SRC_1] =
          bound(Desc(1, 1, w.n, Type::f32), const_cast<float*>(io_.bias));
    } else {
      arguments[DNNL_ARG_WEIGHTS] =
          bound(description_.weights_desc(), b_.data() + first * w.k * w.n);
    }
    arguments_.push_back(std::move(arguments));
  }

  void QuantiseB() {
    const Case& w = case_;
    const float* b = static_cast<const float*>(io_.b);
    if (w.b_transposed) {
      QuantiseAllRows(b, w.batch * w.n, w.k, b_.data(), column_scales_.data());
      return;
    }
    ForEach(w.batch, [&](int64_t i) {
      QuantiseColumns(b + i * w.k * w.n, w.k, w.n, b_.data() + i * w.k * w.n,
                      column_scales_.data() + i * w.n, inverses_.data() + i * w.n);
    });
  }

  Context& context_;
  Case case_;
  Operands io_;
  Form form_;
  Buffer<int8_t> a_;
  Buffer<float> row_scales_;
  Buffer<int8_t> b_;
  Buffer<float> column_scales_, inverses_;
  dnnl::matmul::primitive_desc description_;
  dnnl::matmul matmul_;
  dnnl::memory packed_;
  std::string name_;
  std::vector<std::unordered_map<int, dnnl::memory>> arguments_;
};

}  // namespace

Made MakeFloat(const Case& wanted, const Operands& operands) {
  std::string refused;
  Made best;
  double best_time = 0;
  for (const Form& form : {Form{4, 1}, Form{3, wanted.batch}, Form{2, 1}}) {
    if (form.rank == 2 && (wanted.m > 1 || wanted.batch > 1)) continue;
    try {
      auto product = std::make_unique<FloatProduct>(wanted, operands, form);
      const double time = Time(*product);
      if (best.product != nullptr && best_time <= time) continue;
      best_time = time;
      best.note = product->name() + ", rank " + std::to_string(form.rank);
      best.product = std::move(product);
    } catch (const std::exception& error) {
      refused += std::string(" ") + error.what();
    }
  }
  if (best.product == nullptr) return Unsupported("no fast fused matmul:" + refused);
  return best;
}

}  // namespace peers::onednn
