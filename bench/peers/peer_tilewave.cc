// This project, through its public interface only.

#include <cstdlib>
#include <stdexcept>

#include "bench/peers/peer.h"
#include "tilewave/engine.h"

namespace peers {
namespace {

using tilewave::ConstMatrix;
using tilewave::Engine;

Engine* engine = nullptr;

void Check(const tilewave::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

ConstMatrix ViewOfA(const Case& wanted, const void* a) {
  const auto view = [&](auto* data) {
    return tilewave::RowMajor(data, wanted.m, wanted.k, wanted.batch);
  };
  if (wanted.kind != Kind::kGemm) return view(static_cast<const float*>(a));
  if (wanted.a_signed) return view(static_cast<const int8_t*>(a));
  return view(static_cast<const uint8_t*>(a));
}

ConstMatrix ViewOfB(const Case& wanted, const void* b) {
  const auto view = [&](auto* data) {
    return wanted.b_transposed ? tilewave::ColumnMajor(data, wanted.k, wanted.n, wanted.batch)
                               : tilewave::RowMajor(data, wanted.k, wanted.n, wanted.batch);
  };
  if (wanted.kind == Kind::kHeads) return view(static_cast<const float*>(b));
  return view(static_cast<const int8_t*>(b));
}

class TilewaveProduct : public Product {
 public:
  TilewaveProduct(const Case& wanted, const Operands& operands) {
    call_.a = ViewOfA(wanted, operands.a);
    call_.b = ViewOfB(wanted, operands.b);
    if (wanted.kind == Kind::kGemm) {
      call_.c =
          tilewave::RowMajor(static_cast<int32_t*>(operands.c), wanted.m, wanted.n, wanted.batch);
    } else {
      call_.c =
          tilewave::RowMajor(static_cast<float*>(operands.c), wanted.m, wanted.n, wanted.batch);
    }
    if (wanted.kind == Kind::kLayer) {
      call_.epilogue.scale_b = tilewave::Parameter<float>::PerElement(operands.scale_b);
      call_.epilogue.bias_f32 = tilewave::Parameter<float>::PerElement(operands.bias);
      call_.epilogue.activation = tilewave::Activation::kGelu;
    }
    if (wanted.prepacked) {
      tilewave::Result<tilewave::Weights> weights = engine->Prepare(std::get<ConstMatrix>(call_.b));
      Check(weights.status());
      call_.b = *weights;
    }
    tilewave::CallStats stats;
    Check(engine->Run(call_, {.stats = &stats}));
    kernel_ = stats.parts[0].kernel;
  }

  void Run() override { Check(engine->Run(call_)); }
  const std::string& kernel() const { return kernel_; }

 private:
  tilewave::Matmul call_;
  std::string kernel_;
};

}  // namespace

void Begin(int threads) {
  const char* kernel = std::getenv("PEERS_TILEWAVE_KERNEL");
  tilewave::Result<Engine> made = Engine::Create(
      {.device = "host", .cpu_kernel = kernel == nullptr ? "" : kernel, .threads = threads});
  Check(made.status());
  engine = new Engine(std::move(*made));  // For the life of the process.
}

std::string Version() { return std::string(tilewave::Version()); }

Made Make(const Case& wanted, const Operands& operands) {
  auto product = std::make_unique<TilewaveProduct>(wanted, operands);
  std::string kernel = product->kernel();
  return {std::move(product), kernel};
}

}  // namespace peers
