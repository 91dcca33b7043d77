#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace tilewave::base {

/// While this lives, the thread rounds to nearest and keeps subnormals, whatever it did before and
/// will do after: a program built with -ffast-math flushes them, and results would differ. Costs a
/// nanosecond where there is nothing to change.
class DefaultFloatEnvironment {
 public:
#if defined(__x86_64__)
  DefaultFloatEnvironment() : before_(_mm_getcsr()), changes_((before_ & kControl) != kMasked) {
    if (changes_) _mm_setcsr(kMasked);
  }
  ~DefaultFloatEnvironment() {
    if (changes_) _mm_setcsr(before_);
  }
#else
  DefaultFloatEnvironment() {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultFloatEnvironment() { std::fesetenv(&before_); }
#endif
  DefaultFloatEnvironment(const DefaultFloatEnvironment&) = delete;
  DefaultFloatEnvironment& operator=(const DefaultFloatEnvironment&) = delete;

 private:
#if defined(__x86_64__)
  // MXCSR (Intel SDM volume 1, 10.2.3): all but the flags of what has happened, of which every
  // program has some; exceptions masked, rounding to nearest, neither FTZ nor DAZ.
  static constexpr unsigned kControl = 0xFFC0;
  static constexpr unsigned kMasked = 0x1F80;
  unsigned before_;
  bool changes_;
#else
  std::fenv_t before_;
#endif
};

}  // namespace tilewave::base
