"""The planted faults: for every rule at least one. A case replaces or adds files in the clean tree.

`rules` are all the rule names that the check must print, and no others; `path` must be named too.
"""

from dataclasses import dataclass, field

from selftest_tree import (ADMIN_DIR, C_H, CHECK_CC, CLEAN_TREE, ENGINE_H, JOB_DIR, LEFTOVER,
                           REGISTRY, USER_DIR, VALUE_H, value_cc)


@dataclass
class Case:
    check: str
    name: str
    rules: set[str]
    path: str
    files: dict[str, str | bytes | None] = field(default_factory=dict)  # None removes the file


def appended(path: str, text: str) -> dict[str, str | bytes | None]:
    return {path: CLEAN_TREE[path] + text}


def layer_cases() -> list[Case]:
    def case(name: str, rules: str, files: dict, path: str = "") -> Case:
        return Case("layers", name, set(rules.split()), path or next(iter(files)), files)

    plan = '#include "plan/plan.h"\n'
    kernel = '#include "kernels/cpu/gemm.h"\n'
    vnpu, core, seam = "src/device/vnpu/vnpu.cc", "src/core/value.h", "src/device/xrt/seam_xrt.cc"
    avx2, tile = "src/kernels/cpu/gemm_avx2.cc", "src/kernels/aie/tile.cc"
    return [
        case("upward include", "upward-include", appended("src/core/value.cc", plan)),
        case("upward include in angle brackets", "upward-include",
             appended("src/core/value.cc", "#include <plan/plan.h>\n")),
        case("vnpu -> plan", "upward-include", appended(vnpu, plan)),
        case("vnpu -> kernels/cpu", "upward-include", appended(vnpu, kernel)),
        case("vnpu -> plan through another header", "upward-include transitive-include",
             appended("src/device/device.h", plan), "device/vnpu reaches plan"),
        case("runtime -> backend", "upward-include",
             {"src/runtime/waves.cc": '#include "device/vnpu/vnpu.h"\n',
              "src/device/vnpu/vnpu.h": "#pragma once\n"}),
        case("xrt_fake -> runtime", "upward-include",
             {"src/device/xrt/xrt_fake/fake.cc": '#include "runtime/waves.h"\n',
              "src/runtime/waves.h": "#pragma once\n"}),
        case("product includes a test header", "upward-include",
             {"src/core/value.cc": '#include "tests/harness.h"\n',
              "tests/harness.h": "#pragma once\n"}),
        case("example -> src", "upward-include",
             {"examples/one.cc": '#include "base/check.h"\n'}),
        case("unknown layer", "unknown-layer", {"src/utils/text.h": "#pragma once\n"}),
        case("unknown directory below device", "unknown-layer",
             {"src/device/gpu/gpu.h": "#pragma once\n"}),
        case("file directly in src", "unknown-layer", {"src/main.cc": "int x;\n"}),
        case("unresolved include", "unresolved-include",
             appended(core, '#include "core/missing.h"\n')),
        case("include relative to its own directory", "unresolved-include",
             appended("src/core/value.cc", '#include "value.h"\n')),
        case("include with src/ in front", "unresolved-include",
             appended("src/core/value.cc", '#include "src/core/value.h"\n')),
        case("computed include", "computed-include", appended(core, "#include THE_FILE\n")),
        case("include through a foreign folder", "dotted-include",
             appended(core, "#include <vector/../../src/plan/plan.h>\n")),
        case("kernel file includes another layer", "kernel-include",
             appended(avx2, '#include "base/check.h"\n')),
        case("kernel file includes a library header", "kernel-include",
             appended(avx2, "#include <gtest/gtest.h>\n")),
        case("tile kernel includes another layer", "tile-kernel-include",
             appended(tile, '#include "core/value.h"\n')),
        case("tile kernel includes what is only for the host", "tile-kernel-include",
             {tile: '#include "kernels/aie/host_tiles.h"\n',
              "src/kernels/aie/host_tiles.h": "#pragma once\n"}),
        case("tile kernels -> arch", "upward-include",
             {"src/kernels/aie/host_tiles.cc": '#include "arch/npu.h"\n',
              "src/arch/npu.h": "#pragma once\n"}),
        case("host model -> device", "upward-include transitive-include",
             appended("src/kernels/aie/host_model/aie_api/aie.hpp",
                      '#include "device/device.h"\n')),
        case("xrt header elsewhere", "xrt-header",
             appended("src/device/device.h", "#include <xrt/xrt_bo.h>\n")),
        case("xrt header in a second xrt file", "xrt-header",
             {seam.replace("seam_xrt", "other"): "#include <xrt/xrt_bo.h>\n"}),
    ]


def public_header_cases() -> list[Case]:
    def case(name: str, rules: str, files: dict) -> Case:
        return Case("public_headers", name, set(rules.split()), next(iter(files)), files)

    engine, c_header = "include/tilewave/engine.h", "include/tilewave/c.h"
    third_party = {engine: ENGINE_H.replace("<cstdint>", "<sys/types.h>\n#include <cstdint>")}
    unguarded = ENGINE_H.replace("#pragma once\n", "")
    return [
        case("non-std include", "public-include", third_party),
        case("include of src", "public-include header-alone",
             {engine: ENGINE_H.replace("tilewave/status.h", "base/status.h")}),
        case("does not compile alone", "header-alone",
             {engine: ENGINE_H.replace("#include <cstdint>\n", "").replace(
                 "int64_t", "std::string")}),
        case("a warning", "header-alone",
             appended(engine, "inline void Unused(int x) {}\n")),
        case("included twice", "header-alone", {engine: unguarded}),
        case("C++ in the C header", "header-alone",
             {c_header: C_H.replace("int32_t tw_run(tw_engine* engine", "int32_t tw_run(int& e")}),
        case("C++ include in the C header", "public-include header-alone",
             {c_header: C_H.replace("<stdint.h>", "<cstdint>")}),
        Case("public_headers", "no header at all", {"no-headers"}, "include/tilewave",
             {f"include/tilewave/{n}": None for n in ("engine.h", "status.h", "c.h")}),
    ]


def text_cases() -> list[Case]:
    value, script = "src/core/value.h", "scripts/tool.py"

    def case(name: str, rule: str, files: dict) -> Case:
        return Case("tidy", name, {rule}, next(iter(files)), files)

    return [
        case("long line", "line-length", appended(value, "// " + "x" * 98 + "\n")),
        case("long line in a script", "line-length", appended(script, "# " + "x" * 99 + "\n")),
        case("long file", "file-length", appended(value, "// line\n" * 800)),
        case("non-ASCII", "ascii", appended(value, "// caf\u00e9\n")),
        case("tab", "tab", appended(value, "//\tx\n")),
        case("trailing space", "trailing-space", appended(value, "// x \n")),
        Case("tidy", "carriage return", {"trailing-space", "ascii"}, script,
             {script: b"print(1)\r\n"}),
        case("no newline at the end", "final-newline", appended(value, "// x")),
        *[case(f"leftover {word[:2]}..", "leftover", appended(value, f"// {word} later\n"))
          for word in (LEFTOVER, "FIX" + "ME", "X" + "XX")],
        *[case(f"machine path {kind}", "machine-path", {f"docs/{kind}.md": f"see {text}\n"})
          for kind, text in (("user", USER_DIR + "me"), ("admin", ADMIN_DIR + "/x"),
                             ("job", f"`{JOB_DIR}`"), ("registry", REGISTRY + "/simple"))],
        case("dead link", "dead-link", appended("README.md", "[x](docs/missing.md)\n")),
        case("dead image", "dead-link", appended("README.md", "![x](plot.png)\n")),
        case("dead reference link", "dead-link", appended("README.md", "[x]: docs/gone.md\n")),
        case("absolute link", "dead-link", appended("README.md", "[x](/docs/architecture.md)\n")),
        case("long architecture page", "architecture-length",
             appended("docs/architecture.md", "one more\n")),
    ]


BANNED_STATEMENTS = [
    ("banned-print", 'printf("x");'), ("banned-print", 'std::fprintf(stderr, "x");'),
    ("banned-print", 'puts("x");'), ("banned-print", 'std::cout << "x";'),
    ("banned-print", 'std::cerr << "x";'), ("banned-exit", "exit(1);"),
    ("banned-exit", "::_exit(1);"), ("banned-exit", "std::quick_exit(1);"),
    ("banned-exit", "std::terminate();"), ("banned-abort", "std::abort();"),
    ("banned-rand", "int r = std::rand();"), ("banned-rand", "srand(1);"),
    ("banned-new", "int* p = new int;"), ("banned-new", "int* p = new (std::nothrow) int;"),
    ("banned-new", "new (q) int;"), ("banned-new", "delete p;"),
    ("banned-new", "delete[] p;"), ("banned-new", "void* p = ::operator new(3);"),
    ("banned-throw", "throw 1;"), ("banned-getenv", 'std::getenv("X");'),
    ("banned-thread", "std::thread t([] {});"),
    ("banned-sleep", "std::this_thread::sleep_for(x);"), ("banned-sleep", "usleep(1);"),
    ("banned-sleep", "sleep(1);"), ("banned-omp", "int x;\n#pragma omp parallel\n"),
]

COMMENTED_CODE = ["// Pack(holder);", "//queue->Submit(run);", "// int x = 3;", "// break;",
                  "// if (x > 0) {", "// return nullptr;", "// const auto p = Make<int>(3);",
                  '// #include "core/value.h"', "// value_ = other;", "// int Foo(int x) const {"]


def code_cases() -> list[Case]:
    source, header = "src/core/value.cc", "src/core/value.h"

    def case(name: str, rule: str, files: dict) -> Case:
        return Case("tidy", name, {rule}, next(iter(files)), files)

    cases = [case(f"in src: {' '.join(s.split())}", rule,
                  appended(source, f"static void Planted() {{ {s}\n}}\n"))
             for rule, s in BANNED_STATEMENTS]
    cases += [case(f"in a comment: {text}", "commented-code", appended(source, text + "\n"))
              for text in COMMENTED_CODE]
    test_body = "TEST(Long, Body) {\n" + "  x += 1;\n" * 80 + "}\n"
    long_method = VALUE_H.replace("return m; }", "(void)m;\n" * 80 + "    return m; }")
    return cases + [
        case("in include: throw", "banned-throw",
             appended("include/tilewave/status.h", "inline void F() { throw 1; }\n")),
        case("using namespace at file scope", "banned-using-namespace",
             appended(source, "using namespace std;\n")),
        case("long function", "function-length", {source: value_cc(81)}),
        case("long inline method", "function-length", {header: long_method}),
        case("long TEST body", "function-length", appended("tests/all_test.cc", test_body)),
        case("#if 0", "if-zero", appended(source, "#if 0\nint x;\n#endif\n")),
        case("no #pragma once", "header-guard", {header: VALUE_H.replace("#pragma once\n", "")}),
        case("wrong guard in c.h", "header-guard",
             {"include/tilewave/c.h": C_H.replace("TILEWAVE_C_H", "TW_C")}),
        case("abort in another file of base", "banned-abort",
             {"src/base/clock.cc": CHECK_CC.replace("  std::fputs(text, stderr);\n", ""),
              "CMakeLists.txt": CLEAN_TREE["CMakeLists.txt"] + "x(src/base/clock.cc)\n"}),
        case("source outside the build", "dead-file", {"src/core/forgotten.cc": "int x = 3;\n"}),
        case("header without a user", "dead-header", {"src/core/lonely.h": "#pragma once\n"}),
        case("header used by its own test only", "dead-header",
             {"src/core/lonely.h": "#pragma once\n",
              "src/core/lonely_test.cc": '#include "core/lonely.h"\n',
              "CMakeLists.txt": CLEAN_TREE["CMakeLists.txt"] + "x(src/core/lonely_test.cc)\n"}),
        case("function without a user", "dead-declaration",
             {header: VALUE_H.replace("int Pack(", "int Forgotten(int x);\nint Pack(")}),
        case("public method without a user", "dead-declaration",
             {header: VALUE_H.replace("  int Count() const", "  int Forgotten();\n  int Count() "
                                      "const")}),
        case("function used by a test only", "dead-declaration",
             {header: VALUE_H.replace("int Pack(", "int Forgotten(int x);\nint Pack("),
              "tests/all_test.cc": '#include "cli/helper.h"\nint y = Forgotten(3);\n'}),
    ]


def all_cases() -> list[Case]:
    return layer_cases() + public_header_cases() + text_cases() + code_cases()
