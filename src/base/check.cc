#include "base/check.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace tilewave::base {
namespace {

void AbortWithText(const std::string& text) {
  // The one place where the library writes to a stream: the program is about to end.
  std::fputs(text.c_str(), stderr);
  std::abort();
}

std::atomic<CheckHandler> check_handler{&AbortWithText};

}  // namespace

CheckHandler SetCheckHandler(CheckHandler handler) { return check_handler.exchange(handler); }

void FailCheck(const char* file, int line, const std::string& what) {
  std::ostringstream text;
  text << file << ":" << line << ": check failed: " << what << "\n";
  check_handler.load()(text.str());
  std::abort();
}

}  // namespace tilewave::base
