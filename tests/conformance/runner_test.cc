// The conformance suite itself: its table is of things that exist, its verdicts are the right ones,
// and a device that lies does not get through.

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "tests/conformance/conformance_case.h"
#include "tests/conformance/lying_device.h"

namespace tilewave::conformance {
namespace {

bool Exists(const Expectation& e) {
  const auto backends = Backends();
  const auto cases = Cases();
  return std::any_of(backends.begin(), backends.end(),
                     [&](const Backend& each) { return each.name == e.backend; }) &&
         std::any_of(cases.begin(), cases.end(), [&](const Case& each) {
           return each.suite == e.suite && each.name == e.name;
         });
}

TEST(ConformanceTable, NamesWhatExistsAndGivesReasons) {
  for (const Expectation& e : Expectations()) {
    EXPECT_TRUE(Exists(e)) << "no " << e.suite << "/" << e.backend << "." << e.name;
    EXPECT_FALSE(e.reason.empty()) << e.suite << "/" << e.backend << "." << e.name;
    EXPECT_EQ(FindExpectation(e.backend, e.suite, e.name), &e) << "it stands there twice";
  }
  EXPECT_FALSE(Exists({"host", "sync", "Nothing", Deviation::kUnsupported, ""}));
  EXPECT_FALSE(Exists({"nobody", "sync", "PiecesAddUp", Deviation::kUnsupported, ""}));
  EXPECT_EQ(FindExpectation("host", "sync", "PiecesAddUp"), nullptr);
}

const Backend& Named(std::string_view name) {
  const auto backends = Backends();
  return *std::find_if(backends.begin(), backends.end(),
                       [&](const Backend& each) { return each.name == name; });
}

constexpr Case kPasses{"runner", "Passes", [](const Backend&) {}};
constexpr Case kFails{"runner", "Fails", [](const Backend&) { FAIL() << "on purpose"; }};
constexpr Case kSkips{"runner", "Skips", [](const Backend&) { GTEST_SKIP() << "for a reason"; }};

/// What RunCase makes of a case.
Captured Verdict(const Case& run, const Expectation* expectation) {
  static const Case* inner;
  static const Expectation* expected;
  inner = &run;
  expected = expectation;
  return RunCaptured(
      {"runner", "Verdict", [](const Backend& backend) { RunCase(*inner, backend, expected); }},
      Named("host"));
}

TEST(ConformanceRunner, PassesFailsAndSkipsAsTheBodyDoes) {
  EXPECT_EQ(Verdict(kPasses, nullptr).ending, Ending::kPassed);
  EXPECT_EQ(Verdict(kFails, nullptr).ending, Ending::kFailed);
  EXPECT_EQ(Verdict(kSkips, nullptr).ending, Ending::kSkipped);
}

TEST(ConformanceRunner, DoesNotRunWhatIsUnsupported) {
  const Expectation never{"host", "runner", "Fails", Deviation::kUnsupported,
                          "it is no such thing"};
  const Captured verdict = Verdict(kFails, &never);
  EXPECT_EQ(verdict.ending, Ending::kSkipped);
  EXPECT_NE(verdict.message.find("unsupported: it is no such thing"), std::string::npos);
}

TEST(ConformanceRunner, TurnsExpectedFailuresAround) {
  const Expectation known{"host", "runner", "Fails", Deviation::kExpectedFailure, "a known fault"};
  EXPECT_EQ(Verdict(kFails, &known).ending, Ending::kPassed);
  EXPECT_EQ(Verdict(kSkips, &known).ending, Ending::kSkipped);
  const Captured passes = Verdict(kPasses, &known);
  EXPECT_EQ(passes.ending, Ending::kFailed);
  EXPECT_NE(passes.message.find("unexpected pass: take it out of the table"), std::string::npos);
  EXPECT_NE(passes.message.find("a known fault"), std::string::npos);
}

TEST(ConformanceRunner, ALaunchThatFailsIsNotAnAbsentDevice) {
  Backend hardware;
  hardware.may_be_absent = true;
  const auto ends = [&](StatusCode code) {
    static Status status;
    status = Status(code, "what a device says");
    return RunCaptured({"runner", "Runs", [](const Backend& backend) { CONFORMANCE_OK(status); }},
                       hardware)
        .ending;
  };
  EXPECT_EQ(ends(StatusCode::kNotFound), Ending::kSkipped) << "a binary is missing";
  EXPECT_EQ(ends(StatusCode::kUnavailable), Ending::kFailed);
  EXPECT_EQ(ends(StatusCode::kUnimplemented), Ending::kFailed);
}

TEST(ConformanceRunner, SkipsAnAbsentDeviceAndFailsOneThatShouldBeThere) {
  const auto opens = [](StatusCode code, bool may_be_absent) {
    Backend absent;
    absent.name = "absent";
    absent.open = [code]() -> Result<std::unique_ptr<device::Device>> {
      return Status(code, "no such device");
    };
    absent.may_be_absent = may_be_absent;
    return RunCaptured({"runner", "Opens",
                        [](const Backend& backend) {
                          CONFORMANCE_OPEN(device, backend.open());
                          EXPECT_NE(device, nullptr);
                        }},
                       absent);
  };
  for (const StatusCode code :
       {StatusCode::kUnavailable, StatusCode::kNotFound, StatusCode::kUnimplemented}) {
    EXPECT_EQ(opens(code, true).ending, Ending::kSkipped);
    EXPECT_NE(opens(code, true).message.find("no such device"), std::string::npos);
    EXPECT_EQ(opens(code, false).ending, Ending::kFailed);
  }
  EXPECT_EQ(opens(StatusCode::kInternal, true).ending, Ending::kFailed);
}

/// How many cases of a suite fail on a virtual NPU that lies.
int FailuresOf(std::string_view suite, Lie lie) {
  Backend lying = Named("vnpu_phoenix");
  lying.open = [honest = lying.open, lie]() -> Result<std::unique_ptr<device::Device>> {
    Result<std::unique_ptr<device::Device>> device = honest();
    if (!device.ok()) return device;
    return MakeLyingDevice(*std::move(device), lie);
  };
  const auto cases = Cases();
  return static_cast<int>(std::count_if(cases.begin(), cases.end(), [&](const Case& each) {
    return each.suite == suite && RunCaptured(each, lying).ending == Ending::kFailed;
  }));
}

TEST(ConformanceSuites, NoticeWhatIsNotTrue) {
  struct Suspicion {
    const char* suite;
    Lie lie;
  };
  constexpr Suspicion kSuspicions[] = {{"allocation", Lie::kSharedMemory},
                                       {"mapping", Lie::kMovingHost},
                                       {"sync", Lie::kNoSync},
                                       {"sync", Lie::kWideSync},
                                       {"ordering", Lie::kLostLaunch},
                                       {"run_lists", Lie::kTurnedChain},
                                       {"limits", Lie::kBlockingSubmit},
                                       {"exactness", Lie::kWrongBits},
                                       {"submission", Lie::kWrongBits},
                                       {"statistics", Lie::kNoName},
                                       {"concurrency", Lie::kWrongBits},
                                       {"lifetime", Lie::kWrongBits},
                                       {"lifetime", Lie::kOldDomain}};
  for (const Suspicion& each : kSuspicions) {
    EXPECT_GT(FailuresOf(each.suite, each.lie), 0)
        << each.suite << " of lie " << static_cast<int>(each.lie);
  }
  // Every suite has been lied to.
  for (const Case& each : Cases()) {
    EXPECT_TRUE(std::any_of(std::begin(kSuspicions), std::end(kSuspicions),
                            [&](const Suspicion& s) { return each.suite == s.suite; }))
        << each.suite;
  }
}

}  // namespace
}  // namespace tilewave::conformance
