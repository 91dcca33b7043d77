"""The small clean project on which selftest.py plants its faults: path -> text.

It also holds near misses: text that looks like a fault to a careless rule and is none. A false
alarm of a check therefore shows as a failing clean tree.
"""

# In pieces, so that these files do not hold what the checks forbid.
LEFTOVER = "TO" + "DO"
USER_DIR = "/ho" + "me/"
ADMIN_DIR = "/ro" + "ot"
JOB_DIR = "/wo" + "rk"
REGISTRY = "pypi." + "org"

ENGINE_H = """\
// The public engine.
#pragma once
#include <cstdint>
#include <stddef.h>

#include "tilewave/status.h"

namespace tilewave {
// Everything starts here.
class Engine {
 public:
  Status Run(int64_t m);
};
}  // namespace tilewave
"""

C_H = """\
/* The C header. */
#ifndef TILEWAVE_C_H
#define TILEWAVE_C_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct tw_engine tw_engine;
int32_t tw_run(tw_engine* engine, int64_t m);
#ifdef __cplusplus
}
#endif
#endif /* TILEWAVE_C_H */
"""

CHECK_CC = """\
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace tilewave::base {
void FailCheck(const char* text) {
  std::fputs(text, stderr);
  std::abort();
}
}  // namespace tilewave::base
"""

VALUE_H = """\
#pragma once
#include <cstdint>
#include <functional>
#include <utility>

namespace tilewave::core {

struct Value {
  int64_t m = 1'000;
  // Rows of the value.
  int64_t Rows() const { return m; }
};

// First packs A; then unpacks it;
// the result (see Pack) is what printf("%d") or throw would say;
// return the tile; if it fits {
// Calling pattern:
//   const Value value = Make(3);
//   value.Run();
class Holder {
 public:
  explicit Holder(Value value) : value_{std::move(value)}, count_(1) {}
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  std::function<void(int)> Callback(int x = int{3}) const;
  int Count() const { return count_; }

 private:
  int Hidden();
  Value value_;
  int count_ = 0;
};

// The slow twin of Pack: the definition of correct.
template <class T>
T PackOneByOne(T value) {
  return value;
}

int CountForTest(const Holder& holder);
int Pack(const Holder& holder);

}  // namespace tilewave::core
"""


def value_cc(body_lines: int) -> str:
    """A function of that many lines, braces and all, and strings that look like code."""
    body = "".join(f"  x += {i};\n" for i in range(body_lines - 3))
    return ('#include "core/value.h"\n\n#include <cstdio>\n#include <new>\n\n'
            'TW_REGION_BEGIN("avx2")\nnamespace tilewave::core {\nnamespace {\n'
            'const char* const kText = "} printf(1) { throw // new";\n'
            'const char* const kRaw = R"(} std::cout << "x" {)";\n'
            "const int kTable[] = {1, 2, 3};\n"
            "#ifdef __x86_64__\nvoid Unused(char* out, int n) {\n#else\n"
            "void Unused(char* out, long n) {\n#endif\n"
            '  std::snprintf(out, static_cast<size_t>(n), "%s%s%d", kText, kRaw, kTable[0]);\n}\n'
            "}  // namespace\n\n"
            "std::function<void(int)> Holder::Callback(int x) const {\n  return [x](int) {};\n}\n\n"
            "int Holder::Hidden() { return count_; }\n\n"
            "int CountForTest(const Holder& holder) { return holder.Count(); }\n\n"
            f"int Pack(const Holder& holder) {{\n  int x = holder.Count();\n{body}}}\n\n"
            "}  // namespace tilewave::core\n")


HUGE_TABLE = "#pragma once\n" + "".join(f"inline int row_{i} = {i};\n" for i in range(900))

CMAKE = """\
add_library(tilewave src/base/check.cc src/core/value.cc src/plan/plan.cc
  src/kernels/cpu/gemm_avx2.cc src/kernels/aie/tile.cc src/kernels/aie/host_tiles.cc
  src/device/xrt/seam_xrt.cc src/device/vnpu/vnpu.cc)
# src/core/forgotten.cc stands only in this comment
add_executable(tw cli/main.cc)
add_executable(all_tests tests/all_test.cc src/core/value_test.cc)
"""

README = """\
# Project
See [the design](docs/architecture.md#layers), [the web](https://example.org/x) and [here](#here).
`[not a link](nowhere.md)`; the paths docs/work and src/root are fine, and so is ${X}/work.
```
[in a fence](nowhere.md)
```
"""

CLEAN_TREE: dict[str, str] = {
    "include/tilewave/engine.h": ENGINE_H,
    "include/tilewave/status.h": "#pragma once\nnamespace tilewave {\nstruct Status {};\n}  "
                                 "// namespace tilewave\n",
    "include/tilewave/c.h": C_H,
    "src/base/check.h": "#pragma once\nnamespace tilewave::base {\nvoid FailCheck(const char* "
                        "text);\n}  // namespace tilewave::base\n",
    "src/base/check.cc": CHECK_CC,
    "src/core/value.h": VALUE_H,
    "src/core/value.cc": value_cc(80),
    "src/core/value_test.cc": '#include <gtest/gtest.h>\n\n#include <thread>\n\n'
                              '#include "core/value.h"\n#include "plan/plan.h"\n'
                              "TEST(Value, Rows) { printf(\"%d\", 1); }\n",
    "src/core/row_table.h": HUGE_TABLE,
    "src/plan/plan.h": '#pragma once\n#include "core/row_table.h"\n#include "core/value.h"\n',
    "src/plan/plan.cc": '#include "plan/plan.h"\n\n#include <tilewave/engine.h>\n',
    "src/kernels/cpu/gemm.h": '#pragma once\n#include "core/value.h"\n',
    "src/kernels/cpu/gemm_avx2.cc": "#include <immintrin.h>\n\n#include <cstdint>\n\n"
                                    '#include "kernels/cpu/gemm.h"\n',
    "src/kernels/aie/tile.h": "#pragma once\n#include <aie_api/aie.hpp>\n\n#include <cstdint>\n",
    "src/kernels/aie/tile.cc": '#include "kernels/aie/tile.h"\n',
    "src/kernels/aie/host_tiles.cc": '#include "core/value.h"\n#include "kernels/aie/tile.h"\n',
    "src/kernels/aie/host_model/aie_api/aie.hpp": '#pragma once\n#include "base/check.h"\n',
    "src/device/device.h": '#pragma once\n#include "core/value.h"\n',
    "src/device/vnpu/vnpu.cc": '#include "device/device.h"\n',
    "src/device/xrt/seam_xrt.cc": '#include <xrt/xrt_device.h>\n\n#include "device/device.h"\n',
    "cli/main.cc": '#include <cstdio>\n\n#include "base/check.h"\n#include "kernels/cpu/gemm.h"\n'
                   '#include "plan/plan.h"\n#include "tilewave/engine.h"\nint main() {\n'
                   "  tilewave::core::Value value;\n  tilewave::core::Holder holder(value);\n"
                   "  holder.Callback(3)(4);\n  tilewave::base::FailCheck(\"x\");\n"
                   '  std::printf("%d", static_cast<int>(value.Rows()) + Pack(holder));\n'
                   "  return 0;\n}\n",
    "tests/all_test.cc": '#include "cli/helper.h"\n#include "core/value.h"\n',
    "cli/helper.h": "#pragma once\n",
    "CMakeLists.txt": CMAKE,
    "README.md": README,
    "docs/architecture.md": "line\n" * 200,
    "scripts/tool.py": "print(1)\n",
    "build/generated.cc": f"// {LEFTOVER} {USER_DIR}me\n",
    ".hidden/notes.md": f"{USER_DIR}me [x](nowhere.md)\n",
}
