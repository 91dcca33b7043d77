"""Rules on what nobody uses: sources outside the build, headers and functions without a user.

Dead declarations, in one paragraph. Every CamelCase function that a src/**/*.h declares at
namespace scope or as a public member must occur, as a word of code, in a product file (src, cli,
bench, include, bindings, examples; not in tests) other than its own header and the .cc of the same
name, or in those two outside the lines that declare or define it. Only names are compared, so a
name that two classes share counts as used for both: the rule misses some dead code and should
accuse no living code. What exists for tests says so: the name starts with Test or ends with
ForTest, or a comment within the 6 lines above calls it a slow twin.
"""

import re
from collections import Counter
from pathlib import Path

from common import (CPP_DIRS, HEADER_SUFFIXES, Finding, code_of, cpp_files, includes_of, is_test,
                    project_files, read_text, resolve_include)
from scopes import Head, declared_name, read_heads

SOURCE_DIRS = ("src", "cli", "bench", "tests")
TWIN_LINES = 6
CAMEL_CASE = re.compile(r"[A-Z]\w*[a-z]\w*$")


def own_stems(path: Path) -> set[Path]:
    """The header's own source and its test and benchmark do not count as its users."""
    base = path.with_suffix("")
    return {base, base.with_name(base.name + "_test"), base.with_name(base.name + "_bench")}


# --- dead files ----------------------------------------------------------------------------------


def is_cmake(path: Path) -> bool:
    return path.name == "CMakeLists.txt" or path.suffix == ".cmake"


def cmake_words(root: Path) -> set[str]:
    """Every word of every CMake file, without variables in front: core/problem.cc, problem.cc."""
    words = set()
    for path in filter(is_cmake, project_files(root)):
        text = re.sub(r"#[^\n]*", "", read_text(root / path))
        for word in re.split(r'[\s()";]+', text):
            words.add(re.sub(r"^(?:\$\{\w+\}/|\./|\.\./)+", "", word))
    return words


def is_named(path: Path, words: set[str]) -> bool:
    """By any tail of its path, with or without the suffix (helper functions may add it)."""
    for start in range(len(path.parts)):
        tail = Path(*path.parts[start:])
        if str(tail) in words or str(tail.with_suffix("")) in words:
            return True
    return False


def included_files(root: Path) -> dict[Path, set[Path]]:
    """File -> the files that include it."""
    users: dict[Path, set[Path]] = {}
    for path in cpp_files(root):
        for include in includes_of(root / path):
            target = resolve_include(root, include.name)
            if target is not None:
                users.setdefault(target, set()).add(path)
    return users


def check_dead_files(root: Path) -> list[Finding]:
    words = cmake_words(root)
    users = included_files(root)
    findings = []
    for path in cpp_files(root):
        if path.parts[0] in SOURCE_DIRS and path.suffix in {".cc", ".cpp", ".c"}:
            if not is_named(path, words) and path not in users:
                findings.append(Finding(str(path), 1, "dead-file",
                                        "named in no CMakeLists.txt; build it or remove it"))
        is_public = path.parts[0] == "include"
        if path.suffix in HEADER_SUFFIXES and not is_public:
            strangers = [u for u in users.get(path, ()) if u.with_suffix("") not in own_stems(path)]
            if not strangers:
                findings.append(Finding(str(path), 1, "dead-header",
                                        "included by nothing but its own .cc and test"))
    return findings


# --- dead declarations ---------------------------------------------------------------------------


def is_candidate(head: Head, name: str | None) -> bool:
    if name is None or not CAMEL_CASE.match(name) or not head.is_public():
        return False
    if name == head.class_name() or name.startswith("Test") or name.endswith("ForTest"):
        return False
    return re.search(r"\b(?:override|final|friend)\b", head.text) is None


def is_slow_twin(lines: list[str], first_line: int) -> bool:
    above = lines[max(0, first_line - 1 - TWIN_LINES):first_line]
    return any("slow twin" in line.lower() for line in above)


def words_outside_heads(code: str, heads: list[Head], name: str) -> int:
    """How often the name stands in lines that neither declare nor define it."""
    own_lines = set()
    for head in heads:
        if declared_name(head) == name:
            own_lines.update(range(head.first_line, head.last_line + 1))
    pattern = re.compile(r"\b" + name + r"\b")
    return sum(len(pattern.findall(line)) for number, line in enumerate(code.split("\n"), 1)
               if number not in own_lines)


class Usage:
    """Which product files hold which words."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = [p for p in cpp_files(root) if p.parts[0] in CPP_DIRS and not is_test(p)]
        self.files_with: Counter[str] = Counter()
        self.words = {p: set(re.findall(r"\w+", code_of(root / p))) for p in self.files}
        for words in self.words.values():
            self.files_with.update(words)

    def is_used(self, header: Path, heads: list[Head], name: str) -> bool:
        own = [p for p in (header, header.with_suffix(".cc")) if p in self.words]
        elsewhere = self.files_with[name] - sum(name in self.words[p] for p in own)
        if elsewhere > 0:
            return True
        for path in own:
            code = code_of(self.root / path)
            path_heads = heads if path == header else read_heads(code)
            if words_outside_heads(code, path_heads, name) > 0:
                return True
        return False


def check_dead_declarations(root: Path) -> list[Finding]:
    usage = Usage(root)
    findings = []
    for path in usage.files:
        if path.parts[0] != "src" or path.suffix not in HEADER_SUFFIXES:
            continue
        heads = read_heads(code_of(root / path))
        lines = read_text(root / path).split("\n")
        for head in heads:
            name = declared_name(head)
            if not is_candidate(head, name) or is_slow_twin(lines, head.first_line):
                continue
            if not usage.is_used(path, heads, name):
                findings.append(Finding(
                    str(path), head.first_line, "dead-declaration",
                    f"{name} is used by no product code; remove it, or name it {name}ForTest, "
                    "or call it a slow twin in the comment above"))
    return findings


def check(root: Path) -> list[Finding]:
    return check_dead_files(root) + check_dead_declarations(root)
