#include "tests/conformance/expectations.h"

#include <algorithm>

namespace tilewave::conformance {
namespace {

using enum Deviation;

constexpr std::string_view kOneMemory = "host and device share one memory: nothing stays behind";
constexpr std::string_view kCaches =
    "one memory behind caches: what is not synced may have arrived all the same";
constexpr std::string_view kNoQueue = "it computes in the thread that submits: never full";
constexpr std::string_view kNoArray = "it takes whole products: no images, no streams";
constexpr std::string_view kHangs =
    "a bad launch hangs the array until the driver's recovery, which other processes feel";

constexpr Expectation kExpectations[] = {
    {"host", "sync", "WhatIsNotSyncedStaysBehind", kUnsupported, kOneMemory},
    {"host", "run_lists", "OneOfTwoConfigurationsIsRefused", kUnsupported,
     "it has no configurations: every launch of a chain may be another problem"},
    {"host", "limits", "AFullQueueSaysSo", kUnsupported, kNoQueue},
    {"host", "limits", "AnImageForAnotherGenerationIsRefusedByName", kUnsupported, kNoArray},
    {"host", "limits", "AStreamForAnotherGenerationIsRefusedByName", kUnsupported, kNoArray},
    {"host", "limits", "AStreamForAnotherConfigurationIsRefusedByName", kUnsupported, kNoArray},

    {"xrt", "sync", "WhatIsNotSyncedStaysBehind", kUnsupported, kCaches},
    {"xrt", "run_lists", "ABadLaunchEndsTheChain", kUnsupported, kHangs},
};

}  // namespace

std::span<const Expectation> Expectations() { return kExpectations; }

const Expectation* FindExpectation(std::string_view backend, std::string_view suite,
                                   std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kExpectations), std::end(kExpectations), [&](const Expectation& e) {
        return e.backend == backend && e.suite == suite && e.name == name;
      });
  return found == std::end(kExpectations) ? nullptr : found;
}

}  // namespace tilewave::conformance
