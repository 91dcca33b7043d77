#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tilewave::conformance {

/// Why a case does not simply pass on a backend.
enum class Deviation : uint8_t {
  kUnsupported,      ///< For ever: it asks for what the backend is not.
  kExpectedFailure,  ///< For now: a fault that is known. Passing is then an error.
};

struct Expectation {
  std::string_view backend;
  std::string_view suite;
  std::string_view name;
  Deviation deviation = Deviation::kUnsupported;
  std::string_view reason;
};

/// All that is not plain passing, with its reason.
std::span<const Expectation> Expectations();

/// Null: the case is to pass.
const Expectation* FindExpectation(std::string_view backend, std::string_view suite,
                                   std::string_view name);

}  // namespace tilewave::conformance
