#!/usr/bin/python3
"""Shows that every check fails on a planted fault and passes on the tree without it.

Makes a scratch project (selftest_tree.py), runs each check on it, then plants one fault at a time
(selftest_cases.py, and here those that need a build) and looks for the rule that must be named.
"""

import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
from selftest_cases import Case, all_cases  # noqa: E402
from selftest_tree import CLEAN_TREE  # noqa: E402

HERE = Path(__file__).resolve().parent
RULE = re.compile(r"^\S+?: \[([\w-]+)\] ", re.MULTILINE)


class Tally:
    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0

    def record(self, name: str, problem: str | None) -> None:
        if problem is None:
            self.passed += 1
            print(f"pass  {name}")
        else:
            self.failed += 1
            print(f"FAIL  {name}: {problem}")

    def skip(self, name: str, why: str) -> None:
        self.skipped += 1
        print(f"skip  {name}: {why}")


def run_check(script: str, root: Path, *more: str) -> tuple[int, str]:
    command = [str(HERE / script), "--root", str(root), *more]
    if script.endswith(".py"):
        command.insert(0, sys.executable)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def write(root: Path, path: str, text: str | bytes | None) -> None:
    target = root / path
    if text is None:
        target.unlink(missing_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text if isinstance(text, bytes) else text.encode())


def expect_clean(status: int, output: str) -> str | None:
    return None if status == 0 else f"exit {status} on a clean tree: {output.strip()}"


def expect_fault(status: int, output: str, rules: set[str], named: str) -> str | None:
    """None when the check failed with exactly these rules and names the place."""
    if status == 0:
        return "the check passed"
    found = set(RULE.findall(output))
    if found != rules:
        return f"expected {sorted(rules)}, got {sorted(found)}: {output.strip()[:600]}"
    if named not in output:
        return f"the output does not name {named}: {output.strip()[:600]}"
    return None


# --- cases that are nothing but text -------------------------------------------------------------


def remove_empty_parents(root: Path, path: str) -> None:
    for parent in (root / path).parents:
        if parent == root or any(parent.iterdir()):
            return
        parent.rmdir()


def run_case(root: Path, case: Case) -> str | None:
    for path, text in case.files.items():
        write(root, path, text)
    status, output = run_check(f"{case.check}.py", root)
    for path in case.files:
        write(root, path, CLEAN_TREE.get(path))
        remove_empty_parents(root, path)
    return expect_fault(status, output, case.rules, case.path)


def run_text_cases(tally: Tally, root: Path) -> None:
    for path, text in CLEAN_TREE.items():
        write(root, path, text)
    cases = all_cases()
    for check in dict.fromkeys(case.check for case in cases):
        tally.record(f"{check}: clean tree", expect_clean(*run_check(f"{check}.py", root)))
        for case in cases:
            if case.check == check:
                tally.record(f"{check}: {case.name}", run_case(root, case))
        tally.record(f"{check}: clean again", expect_clean(*run_check(f"{check}.py", root)))


def run_layer_table_case(tally: Tally, root: Path) -> None:
    """A copy of layers.py whose table opens device -> plan, and so vnpu -> plan."""
    table = (HERE / "layers.py").read_text()
    opened = re.sub(r'("device": +\["core")', r'\1, "plan"', table)
    write(root, "scripts/check/layers.py", opened)
    write(root, "scripts/check/common.py", (HERE / "common.py").read_text())
    result = subprocess.run([sys.executable, str(root / "scripts/check/layers.py")],
                            capture_output=True, text=True, check=False)
    tally.record("layers: the table opens a forbidden edge", expect_fault(
        result.returncode, result.stdout, {"layer-table"}, "device/vnpu reach plan"))


# --- format --------------------------------------------------------------------------------------


def run_format_cases(tally: Tally, root: Path) -> None:
    if not shutil.which("clang-format"):
        tally.skip("format", "clang-format is not installed")
        return
    write(root, ".clang-format", (HERE.parent.parent / ".clang-format").read_bytes())
    write(root, "src/base/one.h", "#pragma once\nint F(int* x);\n")
    tally.record("format: clean tree", expect_clean(*run_check("format.sh", root)))
    write(root, "src/base/one.h", "#pragma once\nint F( int *x );\n")
    status, output = run_check("format.sh", root)
    tally.record("format: badly formatted", expect_fault(status, output, {"format"}, "one.h:2"))


# --- clang-tidy ----------------------------------------------------------------------------------

TIDY_HEADER = "#pragma once\nnamespace tilewave {\nint Add(int first_value);\n}  // namespace\n"
TIDY_SOURCE = ('#include "base/one.h"\n\nnamespace tilewave {\nint Add(int first_value) '
               "{ return first_value + 1; }\n}  // namespace tilewave\n")
TIDY_FAULTS = [
    ("bad parameter name", "readability-identifier-naming", "src/base/one.cc",
     TIDY_SOURCE.replace("first_value", "FirstValue")),
    ("bad name in a header", "readability-identifier-naming", "src/base/one.h",
     TIDY_HEADER.replace("int Add", "struct bad_type {};\nint Add")),
    ("a null pointer", "clang-analyzer-core", "src/base/one.cc",
     TIDY_SOURCE.replace("return first", "int* p = nullptr;\n  return *p + first")),
    ("a copy in a loop", "performance-", "src/base/one.cc",
     "#include <string>\n" + TIDY_SOURCE.replace(
         "{ return", "{\n  auto size = [](std::string text) { return text.size(); };\n"
         "  (void)size;\n  return")),
    ("an integer that widens too late", "bugprone-implicit-widening", "src/base/one.cc",
     TIDY_SOURCE.replace("{ return", "{\n  const long wide = first_value * first_value;\n"
                         "  (void)wide;\n  return")),
    ("a function of 90 lines", "readability-function-size", "src/base/one.cc",
     TIDY_SOURCE.replace("{ return", "{\n" + "  (void)first_value;\n" * 90 + "  return")),
    ("does not compile", "clang-diagnostic-error", "src/base/one.cc", TIDY_SOURCE + "int x = y;\n"),
]


UNITY = "build/src/Unity/unity_0_cxx.cxx"


def write_database(root: Path, *names: str) -> None:
    entries = [{"directory": str(root), "file": name,
                "command": f"g++ -std=c++20 -Isrc -c {name}"} for name in names]
    write(root, "build/compile_commands.json", json.dumps(entries))


def run_clang_tidy_cases(tally: Tally, root: Path) -> None:
    names = [name for name, *_ in TIDY_FAULTS]
    if not shutil.which("clang-tidy"):
        for name in ["no database", "clean tree", "cache", *names, "unity build"]:
            tally.skip(f"clang_tidy: {name}", "clang-tidy is not installed")
        return
    write(root, ".clang-tidy", (HERE.parent.parent / ".clang-tidy").read_bytes())
    write(root, "src/base/one.h", TIDY_HEADER)
    write(root, "src/base/one.cc", TIDY_SOURCE)
    write(root, "src/base/one_test.cc", "int bad_Name = nonsense;\n")
    status, output = run_check("clang_tidy.sh", root)
    tally.record("clang_tidy: no database",
                 expect_fault(status, output, set(), "make build"))
    write_database(root, "src/base/one.cc", "src/base/one_test.cc")
    tally.record("clang_tidy: clean tree", expect_clean(*run_check("clang_tidy.sh", root)))
    write(root, "src/base/unrelated.h", "#pragma once\n")
    status, output = run_check("clang_tidy.sh", root)
    cached = "1 sources, 1 of them known" in output
    tally.record("clang_tidy: cache", None if status == 0 and cached else output)
    for name, rule, path, text in TIDY_FAULTS:
        clean = (root / path).read_bytes()
        write(root, path, text)
        status, output = run_check("clang_tidy.sh", root)
        write(root, path, clean)
        tally.record(f"clang_tidy: {name}", expect_fault(status, output, set(), rule))
    # The second source would not compile by itself.
    write(root, "src/base/two.cc", "int Two() { return tilewave::Add(1); }\n")
    write(root, UNITY, "".join(f'#include "{root.resolve()}/src/base/{name}.cc"\n'
                               for name in ("one", "two")))
    write_database(root, UNITY)
    status, output = run_check("clang_tidy.sh", root)
    tally.record("clang_tidy: unity build",
                 expect_fault(status, output, set(), "two.cc:1:20: error: use of undeclared"))


# --- isa_leak ------------------------------------------------------------------------------------

LOOP = "(int* a, int* b) { for (int i = 0; i < 64; i++) a[i] = b[i] * 3; }\n"
AVX2 = '__attribute__((target("avx2"))) '
BASELINE = "void Plain" + LOOP
KERNEL = "namespace { " + AVX2 + "void Hot" + LOOP + "}\n" + AVX2 + \
    "void Kernel(int* a, int* b) { Hot(a, b); }\n"
WEAK = AVX2 + "__attribute__((noinline)) inline void Shared" + LOOP + \
    "void Use(int* a, int* b) { Shared(a, b); }\n"
TILES = 'void Zero() { asm volatile("tilezero %tmm0"); }\n'
RELEASE = 'void Release() { asm volatile("tilerelease"); }\n'
VEX = '__attribute__((target("avx"))) float Sum(float a, float b) { return a + b; }\n'


def compile_object(build: Path, name: str, source: str) -> None:
    target = build / name
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["g++", "-O3", "-x", "c++", "-c", "-", "-o", str(target)], input=source,
                   text=True, check=True)


def run_isa_cases(tally: Tally, root: Path) -> None:
    cases = [("avx2 in a baseline object", {"isa-leak"}, "src/gemm.cc.o", BASELINE + AVX2 +
              "void Leak" + LOOP),
             ("VEX xmm form in a baseline object", {"isa-leak"}, "src/sum.cc.o", VEX),
             ("a tile register in a baseline object", {"isa-leak"}, "src/zero.cc.o", TILES),
             ("tilerelease in a baseline object", {"isa-leak"}, "src/end.cc.o", RELEASE),
             ("avx2 in the kernel's test", {"isa-leak"}, "src/kernels/cpu/g_avx2_test.cc.o",
              KERNEL),
             ("weak avx2 function in a kernel object", {"isa-leak-weak"},
              "src/kernels/cpu/h_avx2.cc.o", WEAK)]
    if platform.machine() != "x86_64" or not shutil.which("g++"):
        general = ["no objects", "no code", "clean build", "unreadable object"]
        for name in general + [case[0] for case in cases]:
            tally.skip(f"isa_leak: {name}", "needs x86-64 and g++")
        return
    build = root / "build"
    build.mkdir(parents=True)
    status, output = run_check("isa_leak.py", root)
    tally.record("isa_leak: no objects", expect_fault(status, output, {"no-objects"}, "make build"))
    compile_object(build, "src/data.cc.o", "int x = 3;\n")
    status, output = run_check("isa_leak.py", root)
    tally.record("isa_leak: no code", expect_fault(status, output, {"no-code"}, "LTO"))
    compile_object(build, "src/plain.cc.o", BASELINE)
    compile_object(build, "src/kernels/cpu/gemm_avx2.cc.o", KERNEL)
    compile_object(build, "src/kernels/cpu/tile_amx.cc.o", TILES + RELEASE)
    compile_object(build, "asan/src/plain.cc.o", KERNEL)
    tally.record("isa_leak: clean build", expect_clean(*run_check("isa_leak.py", root)))
    write(root, "build/src/broken.cc.o", "no object\n")
    status, output = run_check("isa_leak.py", root)
    write(root, "build/src/broken.cc.o", None)
    tally.record("isa_leak: unreadable object", expect_fault(status, output, {"objdump"}, "broken"))
    for name, rules, path, source in cases:
        compile_object(build, path, source)
        status, output = run_check("isa_leak.py", root)
        (build / path).unlink()
        tally.record(f"isa_leak: {name}", expect_fault(status, output, rules, path))


def main() -> int:
    tally = Tally()
    suites = (run_text_cases, run_layer_table_case, run_format_cases, run_clang_tidy_cases,
              run_isa_cases)
    with tempfile.TemporaryDirectory(prefix="tilewave_selftest_") as scratch:
        for suite in suites:
            suite(tally, Path(scratch).resolve() / suite.__name__)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
