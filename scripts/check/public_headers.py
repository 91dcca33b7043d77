#!/usr/bin/python3
"""Every public header compiles alone, twice included, and needs nothing but the standard library.

c.h is the C header: it must compile as C11 as well as C++20 and may include only C headers.
"""

import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from common import (C_HEADERS, Finding, argument_parser, includes_of,  # noqa: E402
                    is_standard_header, project_files, report)

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
CXX_COMPILERS = ("g++", "clang++")
C_COMPILERS = ("cc", "clang")
PUBLIC_DIR = Path("include/tilewave")


def public_headers(root: Path) -> list[Path]:
    return [p for p in project_files(root) if PUBLIC_DIR in p.parents and p.suffix == ".h"]


def is_c_header(path: Path) -> bool:
    return path == PUBLIC_DIR / "c.h"


def check_includes(root: Path, path: Path) -> list[Finding]:
    findings = []
    for include in includes_of(root / path):
        is_own = include.kind != "macro" and include.name.startswith("tilewave/")
        is_std = include.kind == "angle" and is_standard_header(include.name)
        if is_c_header(path) and include.name not in C_HEADERS:
            findings.append(Finding(str(path), include.line, "public-include",
                                    f"{include.name}: the C header may include only C headers"))
        elif not is_own and not is_std:
            findings.append(Finding(
                str(path), include.line, "public-include",
                f'{include.name}: public headers include only std headers and "tilewave/..."'))
    return findings


def first_error(output: str) -> str:
    lines = [line for line in output.splitlines() if "error:" in line]
    return lines[0] if lines else output.strip().splitlines()[0] if output.strip() else "no message"


def compile_alone(root: Path, path: Path, command: list[str], language: str) -> list[Finding]:
    """A two-line source, because #pragma once in the main file is itself a warning."""
    name = path.relative_to("include")
    source = f'#include "{name}"\n#include "{name}"\n'
    full = [*command, *WARNINGS, "-fsyntax-only", "-I", str(root / "include"), "-x", language, "-"]
    result = subprocess.run(full, input=source, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return []
    detail = first_error(result.stderr).replace(str(root) + "/", "")
    return [Finding(str(path), 1, "header-alone",
                    f"does not compile alone with {' '.join(command)}: {detail}")]


def present(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if shutil.which(name)]


def check(root: Path) -> tuple[list[Finding], str]:
    headers = public_headers(root)
    cxx, cc = present(CXX_COMPILERS), present(C_COMPILERS)
    findings = []
    if not headers:
        findings.append(Finding(str(PUBLIC_DIR), 1, "no-headers", "no public header found"))
    if not cxx:
        findings.append(Finding(str(PUBLIC_DIR), 1, "no-compiler", "neither g++ nor clang++ found"))
    for path in headers:
        findings += check_includes(root, path)
        for compiler in cxx:
            findings += compile_alone(root, path, [compiler, "-std=c++20"], "c++")
        for compiler in cc if is_c_header(path) else []:
            findings += compile_alone(root, path, [compiler, "-std=c11"], "c")
    return findings, f"{len(headers)} headers with {', '.join(cxx) or 'no compiler'}"


def main() -> int:
    root = argument_parser(__doc__).parse_args().root.resolve()
    findings, looked_at = check(root)
    return report("public_headers", findings, looked_at)


if __name__ == "__main__":
    sys.exit(main())
