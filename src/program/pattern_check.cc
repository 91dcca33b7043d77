#include "program/pattern_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "program/limit_collector.h"

namespace tilewave::program {
namespace {

/// A pattern whose dims are one contiguous run is collapsed by the encoder and has no wraps.
bool IsContiguous(std::span<const Dim> dims) {
  int64_t expected = 1;
  for (const Dim& dim : dims) {
    if (dim.size != 1 && dim.step_words != expected) return false;
    expected = CappedProduct(expected, dim.size);
  }
  return true;
}

bool IsPadded(const Descriptor& descriptor) {
  return std::any_of(descriptor.padding.begin(), descriptor.padding.end(),
                     [](const Padding& padding) { return !(padding == Padding()); });
}

}  // namespace

std::vector<Violation> PatternViolations(int64_t length_words, const DimList& dims,
                                         const Dim& iteration, bool keeps_dims,
                                         const arch::TileLimits& limits) {
  LimitCollector out;
  const std::string nowhere;
  out.Between(nowhere, "length in words", length_words, 1, limits.max_length_words);
  out.AtMost(nowhere, "dimensions", static_cast<int64_t>(dims.size()), limits.descriptor_dims);
  int64_t product = 1;
  const bool wraps = keeps_dims || !IsContiguous(dims);
  for (size_t d = 0; d < dims.size(); ++d) {
    const auto size = [d] { return fmt::format("d{} size", d); };
    const auto step = [d] { return fmt::format("d{} step in words", d); };
    out.AtLeast(nowhere, size, dims[d].size, 1);
    out.Between(nowhere, step, dims[d].step_words, 1, limits.max_step_words);
    if (wraps && limits.max_wrap[d] > 0)
      out.AtMost(nowhere, size, dims[d].size, limits.max_wrap[d]);
    product = CappedProduct(product, std::max<int64_t>(dims[d].size, 1));
  }
  if (!dims.empty() && product != length_words) {
    constexpr const char* kWords = "words of its dimensions, against its length";
    out.AtMost(nowhere, kWords, product, length_words);
    out.AtLeast(nowhere, kWords, product, length_words);
  }
  out.Between(nowhere, "iterations", iteration.size, 1, limits.max_iterations);
  out.Between(nowhere, "iteration step in words", iteration.step_words, 1, limits.max_step_words);
  return out.Take();
}

std::vector<Violation> DescriptorViolations(const Descriptor& descriptor, Direction direction,
                                            const arch::TileLimits& limits) {
  const bool padded = IsPadded(descriptor);
  LimitCollector out;
  const std::string nowhere;
  // Zeros stand around a dimension that the descriptor has, even if its words are one run.
  out.Add(nowhere, PatternViolations(descriptor.length_words, descriptor.dims, descriptor.iteration,
                                     padded, limits));
  if (!padded) return out.Take();
  for (size_t d = 0; d < descriptor.padding.size(); ++d) {
    const Padding& padding = descriptor.padding[d];
    if (padding == Padding()) continue;
    // Only what goes out to a stream is padded.
    const int64_t most = direction == Direction::kMm2s ? limits.max_padding[d] : 0;
    const auto before = [d] { return fmt::format("padding before d{}", d); };
    const auto after = [d] { return fmt::format("padding after d{}", d); };
    out.Between(nowhere, before, padding.before, 0, most);
    out.Between(nowhere, after, padding.after, 0, most);
    out.AtLeast(
        nowhere, [d] { return fmt::format("dimensions, with padding around d{}", d); },
        static_cast<int64_t>(descriptor.dims.size()), static_cast<int64_t>(d) + 1);
  }
  return out.Take();
}

}  // namespace tilewave::program
