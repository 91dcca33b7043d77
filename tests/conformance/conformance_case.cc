#include "tests/conformance/conformance_case.h"

#include <gtest/gtest-spi.h>

#include <vector>

namespace tilewave::conformance {
namespace {

std::vector<Case>* MutableCases() {
  static std::vector<Case> cases;
  return &cases;
}

class ConformanceTest : public ::testing::Test {
 public:
  ConformanceTest(const Case& run, const Backend& backend) : run_(run), backend_(backend) {}

  void TestBody() override {
    RunCase(run_, backend_, FindExpectation(backend_.name, run_.suite, run_.name));
  }

 private:
  const Case run_;
  const Backend& backend_;
};

}  // namespace

std::span<const Case> Cases() { return *MutableCases(); }

bool Register(const Case& registered) {
  MutableCases()->push_back(registered);
  for (const Backend& backend : Backends()) {
    const std::string suite = std::string(registered.suite) + "/" + backend.name;
    ::testing::RegisterTest(suite.c_str(), std::string(registered.name).c_str(), nullptr, nullptr,
                            registered.file, registered.line, [registered, &backend] {
                              return new ConformanceTest(registered, backend);
                            });
  }
  return true;
}

void RunCase(const Case& run, const Backend& backend, const Expectation* expectation) {
  if (expectation == nullptr) return run.body(backend);
  if (expectation->deviation == Deviation::kUnsupported) {
    GTEST_SKIP() << "unsupported: " << expectation->reason;
  }
  const Captured captured = RunCaptured(run, backend);
  if (captured.ending == Ending::kSkipped) GTEST_SKIP() << captured.message;
  EXPECT_EQ(captured.ending, Ending::kFailed)
      << "unexpected pass: take it out of the table of expectations, where it says "
      << expectation->reason;
}

Captured RunCaptured(const Case& run, const Backend& backend) {
  ::testing::TestPartResultArray parts;
  {
    const ::testing::ScopedFakeTestPartResultReporter capture(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &parts);
    run.body(backend);
  }
  Captured captured;
  for (int i = 0; i < parts.size(); ++i) {
    const ::testing::TestPartResult& part = parts.GetTestPartResult(i);
    if (part.failed()) return {Ending::kFailed, part.message()};
    if (part.skipped()) captured = {Ending::kSkipped, part.message()};
  }
  return captured;
}

}  // namespace tilewave::conformance
