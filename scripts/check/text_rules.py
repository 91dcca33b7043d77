"""Rules on single lines of text: length, ASCII, leftovers, white space, machine paths, links."""

import re
from pathlib import Path

from common import CPP_DIRS, CPP_SUFFIXES, Finding, project_files, read_text

LINE_LIMIT = 100
FILE_LIMIT = 800
ARCHITECTURE_LIMIT = 200
SCRIPT_SUFFIXES = {".py", ".sh", ".cmake"}

# Spelled in pieces, so that this file does not hold what it forbids.
LEFTOVER_WORDS = ("FIX" + "ME", "TO" + "DO", "X" + "XX")
LEFTOVER = re.compile(r"\b(" + "|".join(LEFTOVER_WORDS) + r")\b")
MACHINE_DIRS = ("ro" + "ot", "wo" + "rk", "ho" + "me")
MACHINE_PATH = re.compile(r"(?<![\w.$}~/)>*-])/(?:" + "|".join(MACHINE_DIRS[:2]) + r")(?![\w-])"
                          + r"|(?<![\w.$}~/)>*-])/" + MACHINE_DIRS[2] + "/")
REGISTRY_HOSTS = ("deb." + "debian.org", "pypi." + "org", "files.python" + "hosted.org")


def is_source(path: Path) -> bool:
    """C++ and build files of the source directories, and all scripts."""
    if path.parts[0] == "scripts":
        return path.suffix in SCRIPT_SUFFIXES | {""}
    in_source_dir = path.parts[0] in CPP_DIRS
    known = path.suffix in CPP_SUFFIXES | SCRIPT_SUFFIXES or path.name == "CMakeLists.txt"
    return in_source_dir and known


def is_table(path: Path) -> bool:
    return "_table." in path.name


def check_line(path: Path, number: int, line: str) -> list[Finding]:
    def finding(rule: str, message: str) -> Finding:
        return Finding(str(path), number, rule, message)

    findings = []
    if len(line) > LINE_LIMIT and "://" not in line:
        findings.append(finding("line-length", f"{len(line)} columns, at most {LINE_LIMIT}"))
    if "\t" in line:
        findings.append(finding("tab", "tab character, use spaces"))
    if line != line.rstrip():
        findings.append(finding("trailing-space", "white space at the end of the line"))
    bad = next((c for c in line if ord(c) > 126 or (ord(c) < 32 and c != "\t")), None)
    if bad is not None:
        findings.append(finding("ascii", f"character U+{ord(bad):04X}, sources are ASCII"))
    leftover = LEFTOVER.search(line)
    if leftover:
        findings.append(finding("leftover", f"{leftover[1]} left in; do it or drop it"))
    return findings


def check_source(root: Path, path: Path) -> list[Finding]:
    text = read_text(root / path)
    lines = text.split("\n")
    findings = []
    for number, line in enumerate(lines, 1):
        findings += check_line(path, number, line)
    if text and not text.endswith("\n"):
        findings.append(Finding(str(path), len(lines), "final-newline",
                                "the last line has no newline"))
    count = len(lines) - 1
    if count > FILE_LIMIT and not is_table(path):
        findings.append(Finding(str(path), count, "file-length",
                                f"{count} lines, at most {FILE_LIMIT} (but for *_table.*)"))
    return findings


def is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return b"\0" in file.read(4096)


def check_machine_paths(root: Path, path: Path) -> list[Finding]:
    findings = []
    for number, line in enumerate(read_text(root / path).split("\n"), 1):
        match = MACHINE_PATH.search(line)
        if match:
            findings.append(Finding(str(path), number, "machine-path",
                                    f"{match[0]}: no path of one machine; make it relative"))
        host = next((h for h in REGISTRY_HOSTS if h in line), None)
        if host:
            findings.append(Finding(str(path), number, "machine-path",
                                    f"{host}: no package registry host in the tree"))
    return findings


_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^\s{0,3}\[[^\]^]+\]:\s*<?(\S+?)>?(?:\s|$)")


def links_of(text: str) -> list[tuple[int, str]]:
    """(line, target) outside code fences and inline code."""
    links = []
    fence = None
    for number, line in enumerate(text.split("\n"), 1):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if mark and fence is None:
            fence = mark[1][:3]
            continue
        if fence is not None:
            if line.strip().startswith(fence):
                fence = None
            continue
        plain = re.sub(r"`[^`]*`", "", line)
        links += [(number, target) for target in _LINK.findall(plain)]
        reference = _REFERENCE.match(plain)
        if reference:
            links.append((number, reference[1]))
    return links


def check_links(root: Path, path: Path) -> list[Finding]:
    findings = []
    for number, target in links_of(read_text(root / path)):
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", target) or target.startswith("#"):
            continue
        file_part = re.split(r"[#?]", target)[0].replace("%20", " ")
        if file_part.startswith("/") or not (root / path.parent / file_part).exists():
            findings.append(Finding(str(path), number, "dead-link",
                                    f"{target} leads to no file; links are relative to the page"))
    return findings


def check_architecture_length(root: Path) -> list[Finding]:
    path = Path("docs/architecture.md")
    if not (root / path).is_file():
        return []
    count = len(read_text(root / path).splitlines())
    if count <= ARCHITECTURE_LIMIT:
        return []
    return [Finding(str(path), count, "architecture-length",
                    f"{count} lines, at most {ARCHITECTURE_LIMIT}")]


def check(root: Path) -> list[Finding]:
    findings = check_architecture_length(root)
    for path in project_files(root):
        if is_binary(root / path):
            continue
        findings += check_machine_paths(root, path)
        if is_source(path):
            findings += check_source(root, path)
        if path.suffix == ".md":
            findings += check_links(root, path)
    return findings
