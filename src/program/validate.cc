#include "program/validate.h"

#include <fmt/format.h>

#include <optional>

#include "program/nearest_fit.h"
#include "program/pattern_check.h"
#include "program/program_checker.h"
#include "program/sequence_checker.h"

namespace tilewave::program {
namespace {

Status FirstOf(const std::vector<Violation>& violations) {
  if (violations.empty()) return {};
  std::string text = violations.front().ToString();
  if (violations.size() > 1) text += fmt::format(" (and {} more)", violations.size() - 1);
  return {StatusCode::kOutOfRange, text};
}

std::string Describe(const DesignSpec& fit, const DesignSpec& asked) {
  std::string text =
      fmt::format("; the nearest tile that fits is {}x{}x{}", fit.tile_m, fit.tile_k, fit.tile_n);
  if (fit.k_mt != asked.k_mt) text += fmt::format(" with k_mt {}", fit.k_mt);
  return text;
}

}  // namespace

std::string Violation::ToString() const {
  constexpr std::string_view kLeast = "least ";
  if (limit.starts_with(kLeast)) {
    return fmt::format("{}: {} is {}, at least {}", where, limit.substr(kLeast.size()), value,
                       maximum);
  }
  constexpr std::string_view kRemainder = ", remainder";
  if (limit.ends_with(kRemainder)) {
    return fmt::format("{}: {} is {}, no multiple of {}", where,
                       limit.substr(0, limit.size() - kRemainder.size()), value, maximum);
  }
  return fmt::format("{}: {} is {}, at most {}", where, limit, value, maximum);
}

int64_t ExtentWords(int64_t length_words, std::span<const Dim> dims, const Dim& iteration) {
  int64_t last = CappedSum(length_words, -1);
  if (!dims.empty()) {
    last = 0;
    for (const Dim& dim : dims) {
      last = CappedSum(last, CappedProduct(CappedSum(dim.size, -1), dim.step_words));
    }
  }
  return CappedSum(CappedSum(last, 1),
                   CappedProduct(CappedSum(iteration.size, -1), iteration.step_words));
}

std::vector<Violation> Violations(const ArrayProgram& program, const arch::Npu& npu) {
  return CheckProgram(program, npu);
}

std::vector<Violation> Violations(const ArrayProgram& program, const Sequence& sequence,
                                  std::span<const int64_t> argument_bytes, const arch::Npu& npu) {
  return CheckSequence(program, sequence, argument_bytes, npu);
}

Status Validate(const ArrayProgram& program, const arch::Npu& npu) {
  Status status = FirstOf(Violations(program, npu));
  if (status.ok()) return status;
  const std::optional<DesignSpec> fit = NearestFit(program.spec);
  if (!fit) return status;
  return {status.code(), std::string(status.message()) + Describe(*fit, program.spec)};
}

Status Validate(const ArrayProgram& program, const Sequence& sequence,
                std::span<const int64_t> argument_bytes, const arch::Npu& npu) {
  return FirstOf(Violations(program, sequence, argument_bytes, npu));
}

}  // namespace tilewave::program
