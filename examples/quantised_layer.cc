// One layer of a quantised model: float activations in, int8 weights prepared once, scales, bias
// and GELU applied in the same call, float out.

#include <tilewave/engine.h>

#include <iostream>
#include <vector>

namespace {

int Report(const tilewave::Status& status) {
  std::cerr << status.message() << "\n";
  return 1;
}

}  // namespace

int main() {
  const int64_t m = 3;
  const int64_t k = 4;
  const int64_t n = 2;
  const std::vector<float> x = {0.5F, -1.0F, 2.0F, 0.0F, 1.0F, 1.0F, 1.0F, 1.0F, 0, 0, 0, -3.0F};
  const std::vector<int8_t> w = {100, -100, 50, 25, -128, 127, 1, 2};
  const std::vector<float> w_scales = {0.01F, 0.02F};
  const std::vector<float> bias = {0.1F, -0.1F};
  std::vector<float> y(static_cast<size_t>(m * n));

  auto engine = tilewave::Engine::Create();
  if (!engine.ok()) return Report(engine.status());
  const auto weights = engine->Prepare(tilewave::RowMajor(w.data(), k, n));
  if (!weights.ok()) return Report(weights.status());

  tilewave::Matmul call{.a = tilewave::RowMajor(x.data(), m, k),
                        .b = *weights,
                        .c = tilewave::RowMajor(y.data(), m, n)};
  call.epilogue.scale_b = tilewave::Parameter<float>::PerElement(w_scales.data());
  call.epilogue.bias_f32 = tilewave::Parameter<float>::PerElement(bias.data());
  call.epilogue.activation = tilewave::Activation::kGelu;
  tilewave::CallStats stats;
  if (const tilewave::Status status = engine->Run(call, {.stats = &stats}); !status.ok()) {
    return Report(status);
  }
  for (const float* row = y.data(); row != y.data() + m * n; row += n) {
    std::cout << row[0] << " " << row[1] << "\n";
  }
  std::cout << "ran on " << stats.parts[0].device << " with " << stats.parts[0].kernel << "\n";
  return 0;
}
