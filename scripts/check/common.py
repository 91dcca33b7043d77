"""What every check shares: the tree's files, C++ text without comments, and the way to report.

Read this first; each check is then a list of rules over `project_files(root)`.
"""

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

CPP_SUFFIXES = {".h", ".hpp", ".inc", ".cc", ".cpp", ".c"}
HEADER_SUFFIXES = {".h", ".hpp"}
CPP_DIRS = ("src", "include", "cli", "bench", "tests", "bindings", "examples")
SKIPPED_DIR_NAMES = {"__pycache__", "node_modules"}

# C headers that public headers and kernel files may name with a dot in them.
C_HEADERS = {"assert.h", "errno.h", "inttypes.h", "limits.h", "math.h", "stdbool.h",
             "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h"}


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: [{self.rule}] {self.message}"


def default_root() -> Path:
    return Path(__file__).resolve().parent.parent.parent


def argument_parser(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=Path, default=default_root(),
                        help="tree to look at (default: the repository of this script)")
    return parser


def report(check: str, findings: list[Finding], looked_at: str) -> int:
    """Prints the findings and one closing line; returns the exit status."""
    for finding in sorted(set(findings)):
        print(finding)
    count = len(set(findings))
    print(f"{check}: {'ok' if count == 0 else f'{count} finding(s)'}, {looked_at}")
    return 0 if count == 0 else 1


def is_skipped(relative: Path) -> bool:
    """Build trees (build, build-asan, ...), hidden directories and caches are not the project."""
    directories = relative.parts[:-1]
    if directories and directories[0].startswith("build"):
        return True
    return any(d.startswith(".") or d in SKIPPED_DIR_NAMES for d in directories)


def _files_from_git(root: Path) -> list[Path] | None:
    """Tracked and new files without the ignored ones; None where git cannot say."""
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
               "--exclude-standard"]
    try:
        result = subprocess.run(command, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [Path(name) for name in result.stdout.split("\0") if name]


def _files_from_walk(root: Path) -> list[Path]:
    found = []
    pending = [root]
    while pending:
        for entry in pending.pop().iterdir():
            relative = entry.relative_to(root)
            if entry.is_dir() and not entry.is_symlink():
                if not is_skipped(relative / "any"):
                    pending.append(entry)
            else:
                found.append(relative)
    return found


@lru_cache(maxsize=4)
def project_files(root: Path) -> tuple[Path, ...]:
    """All files of the project, relative to `root`, sorted."""
    listed = _files_from_git(root)
    if listed is None:
        listed = _files_from_walk(root)
    kept = {p for p in listed if not is_skipped(p) and (root / p).is_file()}
    return tuple(sorted(kept))


def cpp_files(root: Path) -> list[Path]:
    return [p for p in project_files(root)
            if p.parts[0] in CPP_DIRS and p.suffix in CPP_SUFFIXES]


@lru_cache(maxsize=None)
def read_text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


def is_test(relative: Path) -> bool:
    return relative.parts[0] == "tests" or relative.stem.endswith("_test")


def is_test_or_bench(relative: Path) -> bool:
    return is_test(relative) or relative.stem.endswith("_bench")


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


# --- C++ text ------------------------------------------------------------------------------------

# Numbers come first so that the quote in 1'000 does not open a character literal.
_LEXEME = re.compile(
    r"(?P<number>(?<![\w])\d[\w.]*(?:'[\w.]+)*)"
    r'|(?P<raw>(?<!\w)(?:u8|[uUL])?R"(?P<delim>[^()\s\\]{0,16})\(.*?\)(?P=delim)")'
    r"|(?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)"
    r'|(?P<string>"(?:\\.|[^"\\\n])*")'
    r"|(?P<char>'(?:\\.|[^'\\\n])+')",
    re.DOTALL)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def without_comments(text: str) -> str:
    """Same length and lines; comments are spaces, strings stay."""
    return _LEXEME.sub(lambda m: _blank(m[0]) if m["comment"] else m[0], text)


def code_only(text: str) -> str:
    """Same length and lines; comments and the insides of strings are spaces."""
    def replace(match: re.Match) -> str:
        if match["number"]:
            return match[0]
        if match["comment"]:
            return _blank(match[0])
        quote = "'" if match["char"] else '"'
        return quote + _blank(match[0][1:-1]) + quote
    return _LEXEME.sub(replace, text)


@lru_cache(maxsize=None)
def code_of(path: Path) -> str:
    return code_only(read_text(path))


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:<([^>\n]+)>|"([^"\n]+)"|(\w+))', re.MULTILINE)


@dataclass(frozen=True)
class Include:
    line: int
    name: str
    kind: str  # "angle", "quote" or "macro"


@lru_cache(maxsize=None)
def includes_of(path: Path) -> tuple[Include, ...]:
    text = without_comments(read_text(path))
    found = []
    for match in _INCLUDE.finditer(text):
        kind = "angle" if match[1] else "quote" if match[2] else "macro"
        found.append(Include(line_of(text, match.start()), match[1] or match[2] or match[3], kind))
    return tuple(found)


# Where an include may be written relative to; the last group is written with its own directory.
# The host model stands in for the array's own headers: <aie_api/aie.hpp> is a file of the tree.
_INCLUDE_BASES = ("src", "include", "src/kernels/aie/host_model")
_ROOTED_DIRS = ("cli", "bench", "tests", "bindings", "examples")


def resolve_include(root: Path, name: str) -> Path | None:
    """The project file that an include names, relative to `root`, or None."""
    for base in _INCLUDE_BASES:
        if (root / base / name).is_file():
            return Path(base) / name
    if name.split("/")[0] in _ROOTED_DIRS and (root / name).is_file():
        return Path(name)
    return None


def is_standard_header(name: str) -> bool:
    """<vector>, <cstdint>, <stdint.h>: no slash, and no dot unless it is a known C header."""
    return name in C_HEADERS or re.fullmatch(r"[a-z0-9_]+", name) is not None


def die(message: str) -> None:
    print(message)
    sys.exit(2)
