"""Rules on C++ code: function length, banned calls, header guards, code in comments."""

import re
from dataclasses import dataclass
from pathlib import Path

from common import (HEADER_SUFFIXES, Finding, code_of, cpp_files, is_test_or_bench, line_of,
                    read_text)
from scopes import Head, declared_name, read_heads, without_directives

FUNCTION_LIMIT = 80


@dataclass(frozen=True)
class Ban:
    """A pattern that library code (src/ without tests, include/) may not hold."""
    rule: str
    pattern: re.Pattern
    instead: str
    allowed_in: tuple[str, ...] = ()  # files, or directories that end in '/'

    def applies_to(self, path: Path) -> bool:
        name = str(path)
        return not any(name == a or (a.endswith("/") and name.startswith(a))
                       for a in self.allowed_in)


def _call(names: str) -> re.Pattern:
    """A call of a free function: plain, ::name or std::name, but no member and no other scope."""
    return re.compile(r"(?<![\w.:>~])(?:std\s*::\s*|::\s*)?(?:" + names + r")\s*\(")


BANS = [
    Ban("banned-print", _call("v?f?printf|puts|fputs|putchar|perror"),
        "the library never prints; return a Status or a string", ("src/base/check.cc",)),
    Ban("banned-print", re.compile(r"\bstd\s*::\s*(?:cout|cerr|clog)\b"),
        "the library never prints; return a Status or a string", ("src/base/check.cc",)),
    Ban("banned-exit", _call("_?exit|_Exit|quick_exit|terminate"),
        "the library never ends the process; return a Status"),
    Ban("banned-abort", _call("abort"), "only src/base/check.cc may abort",
        ("src/base/check.cc",)),
    Ban("banned-rand", _call("s?rand"), "use <random> with a stated seed"),
    Ban("banned-throw", re.compile(r"\bthrow\b"), "return a Status"),
    Ban("banned-getenv", re.compile(r"\b(?:secure_)?getenv\b"),
        "environment variables are read in src/base/env.cc", ("src/base/env.cc",)),
    Ban("banned-thread", re.compile(r"\bstd\s*::\s*(?:j?thread|async)\b|\bpthread_create\b"),
        "threads are made in src/base/", ("src/base/",)),
    Ban("banned-sleep", re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b"),
        "nothing sleeps; wait on a fence or a condition"),
    Ban("banned-sleep", _call("sleep"), "nothing sleeps; wait on a fence or a condition"),
    Ban("banned-omp", re.compile(r"#\s*pragma\s+omp\b"), "use the thread pool of src/base/"),
]


def is_library(path: Path) -> bool:
    return path.parts[0] in ("src", "include") and not is_test_or_bench(path)


def _without_includes(code: str) -> str:
    """`#include <new>` is no use of new."""
    return re.sub(r"(?m)^[ \t]*#[ \t]*include[^\n]*", "", code)


def check_bans(path: Path, code: str) -> list[Finding]:
    if not is_library(path):
        return []
    code = _without_includes(code)
    findings = []
    for ban in BANS:
        if not ban.applies_to(path):
            continue
        for match in ban.pattern.finditer(code):
            words = " ".join(match[0].rstrip("(").split())
            findings.append(Finding(str(path), line_of(code, match.start()), ban.rule,
                                    f"{words}: {ban.instead}"))
    return findings


def check_new_delete(path: Path, code: str) -> list[Finding]:
    """`= delete` is fine; placement new and operator new/delete stand in src/base/ only."""
    if not is_library(path):
        return []
    code = _without_includes(code)
    findings = []
    for match in re.finditer(r"\b(operator\s*)?(new|delete)\b", code):
        before, after = code[:match.start()].rstrip(), code[match.end():].lstrip()
        if match[2] == "delete" and before.endswith("="):
            continue
        nothrow = re.match(r"\(\s*(?:std\s*::\s*)?nothrow", after)
        placement = match[2] == "new" and after.startswith("(") and not nothrow
        if (match[1] or placement) and path.parts[:2] == ("src", "base"):
            continue
        findings.append(Finding(str(path), line_of(code, match.start()), "banned-new",
                                f"{match[2]}: use std::make_unique or a container "
                                "(placement and operator new only in src/base/)"))
    return findings


def check_using_namespace(path: Path, code: str, heads: list[Head]) -> list[Finding]:
    """At file scope only: inside a function body it harms nobody."""
    if not is_library(path):
        return []
    bodies = [(h.body_first_line, h.body_last_line) for h in heads if h.kind == "function"]
    findings = []
    for match in re.finditer(r"\busing\s+namespace\b", code):
        line = line_of(code, match.start())
        if not any(first <= line <= last for first, last in bodies):
            findings.append(Finding(str(path), line, "banned-using-namespace",
                                    "using namespace at file scope; name what you use"))
    return findings


def check_function_length(path: Path, heads: list[Head]) -> list[Finding]:
    findings = []
    for head in heads:
        if head.kind == "function" and head.body_lines() > FUNCTION_LIMIT:
            name = declared_name(head) or " ".join(head.text.split())[-60:]
            findings.append(Finding(
                str(path), head.body_first_line, "function-length",
                f"{name} has {head.body_lines()} lines, at most {FUNCTION_LIMIT}"))
    return findings


def check_if_zero(path: Path, code: str) -> list[Finding]:
    return [Finding(str(path), line_of(code, m.start()), "if-zero", "#if 0: remove dead code")
            for m in re.finditer(r"(?m)^[ \t]*#[ \t]*if[ \t]+(?:0|false)\b", code)]


# --- code in comments ----------------------------------------------------------------------------

# Only lines that start directly after "//" or "// ": examples in header comments are indented.
_COMMENT_LINE = re.compile(r"^\s*// ?(\S.*?)\s*$")
_PLAIN_TYPE = (r"(?:const |static |constexpr )*(?:auto|bool|char|int|float|double|u?int\d+_t"
               r"|(?:std::)?\w+_t|std::[\w:]+(?:<[^;]*>)?)[ *&]+")
_OWN_TYPE = r"(?:const |static |constexpr )*[A-Z]\w*(?:<[^;]*>)?[ *&]+"
_CODE_LINES = [re.compile(p) for p in (
    r"#\s*include\s*[<\"]\S+[>\"]$",
    r"(?:\} )?(?:else )?(?:if|for|while|switch) \(.*\) \{$",
    r"\} else \{$",
    r"(?:if|for|while) \(.*\) \S.*\(.*\);$",
    r"[A-Za-z_][\w:\->.\[\]]*(?:<[\w:, ]+>)?\(.*\);$",          # Call(x);  a->b(c);
    _PLAIN_TYPE + r"\w+(?:\[[^\]]*\])? = .+;$",                  # int x = 3;
    _OWN_TYPE + r"\w+ = [\w:.>-]+[({].*;$",                      # Plan p = Make(x);
    r"[a-z]\w*_(?:\[[^\]]*\])? [-+*/|&]?= .+;$",                 # member_ = x;
    r"return(?: (?:true|false|nullptr|-?\d+|\S*[(:_>.]\S*))?;$",
    r"(?:break|continue);$",
    f"(?:{_PLAIN_TYPE}|{_OWN_TYPE})" + r"[A-Z]\w*\(.*\)(?: const)?(?: noexcept)? \{$",
)]


def check_commented_code(path: Path, text: str) -> list[Finding]:
    findings = []
    for number, line in enumerate(text.split("\n"), 1):
        match = _COMMENT_LINE.match(line)
        if match and any(p.match(match[1]) for p in _CODE_LINES):
            findings.append(Finding(
                str(path), number, "commented-code",
                f"code in a comment: {match[1][:50]} (remove it; indent an example by 3 spaces)"))
    return findings


# --- header guards -------------------------------------------------------------------------------


def check_guard(path: Path, code: str) -> list[Finding]:
    if path.suffix not in HEADER_SUFFIXES:
        return []
    lines = [(n, " ".join(t.split())) for n, t in enumerate(code.split("\n"), 1) if t.strip()]
    first = lines[0] if lines else (1, "")
    if path == Path("include/tilewave/c.h"):
        second = lines[1][1] if len(lines) > 1 else ""
        guard = re.fullmatch(r"#ifndef (TILEWAVE_C_H_?)", first[1])
        if guard and second == f"#define {guard[1]}":
            return []
        expected = "#ifndef TILEWAVE_C_H_, with its #define below"
    elif first[1] == "#pragma once":
        return []
    else:
        expected = "#pragma once"
    return [Finding(str(path), first[0], "header-guard",
                    f"the first line that is no comment must be {expected}")]


def check(root: Path) -> list[Finding]:
    findings = []
    for path in cpp_files(root):
        code = code_of(root / path)
        heads = read_heads(code)
        findings += check_bans(path, code)
        findings += check_new_delete(path, code)
        findings += check_using_namespace(path, without_directives(code), heads)
        findings += check_function_length(path, heads)
        findings += check_if_zero(path, code)
        findings += check_commented_code(path, read_text(root / path))
        findings += check_guard(path, code)
    return findings
