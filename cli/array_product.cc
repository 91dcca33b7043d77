#include "cli/array_product.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"
#include "base/random.h"
#include "core/reference_gemm.h"
#include "engine/compose.h"
#include "engine/describe_call.h"

namespace tilewave::cli {

ArrayProduct::ArrayProduct(int64_t m, int64_t k, int64_t n)
    : m_(m),
      k_(k),
      n_(n),
      a_(base::RandomBytes(m * k, 1)),
      b_(base::RandomBytes(k * n, 2)),
      exact_(static_cast<size_t>(m * n)) {
  core::Problem problem;
  core::Operands operands;
  const Weights* none = nullptr;
  TW_CHECK(engine::DescribeCall(Call(exact_.data()), &problem, &operands, &none).ok());
  TW_CHECK(core::ReferenceGemm(problem, operands).ok());
}

Matmul ArrayProduct::Call(int32_t* c) const {
  return {
      .a = RowMajor(a_.data(), m_, k_), .b = RowMajor(b_.data(), k_, n_), .c = RowMajor(c, m_, n_)};
}

Result<ArrayProduct::Outcome> ArrayProduct::Run(const std::string& device,
                                                const plan::ArrayChoices& choices) const {
  EngineOptions options;
  options.device = device;
  Result<Engine> engine =
      engine::Composer::Compose(options, engine::StandardRegistry({.threads = 1}), choices);
  if (!engine.ok()) return engine.status();
  std::vector<int32_t> c(exact_.size());
  Outcome outcome;
  if (Status s = engine->Run(Call(c.data()), {.stats = &outcome.stats}); !s.ok()) return s;
  outcome.stats.parts[0].device = outcome.stats.parts[0].kernel = {};
  outcome.elements = static_cast<int64_t>(c.size());
  const int shift = choices.output == program::TileOutput::kS8Lossy ? program::kLossyShift : 0;
  for (size_t i = 0; i < c.size(); ++i) {
    const int64_t error = std::abs(int64_t{c[i]} - (exact_[i] >> shift));
    if (error > 0) ++outcome.wrong;
    outcome.max_abs_error = std::max(outcome.max_abs_error, error);
  }
  return outcome;
}

}  // namespace tilewave::cli
