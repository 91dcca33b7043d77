#!/usr/bin/python3
"""Lists what clang_tidy.sh must look at: "FILE<tab>STAMP" for each product source not yet clean.

STAMP is the path of an empty file named by a hash over all that can change the verdict: the file,
every project header that it pulls in, .clang-tidy, the compile command and clang-tidy's version.
The compile commands go to BUILD/.clang_tidy_cache/: one for each source, also where the build takes
several at once (a unity build). So a file that includes too little is noticed here, and clang's
analyser follows every function, which it does in no file that another includes.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from common import argument_parser, die, includes_of, is_test, resolve_include  # noqa: E402

LOOKED_AT_DIRS = {"src", "cli", "bench"}
UNITY_INCLUDE = re.compile(r'^#include "(/.+)"$', re.MULTILINE)


def load_entries(build: Path) -> list[dict[str, str]]:
    """The compile commands, each as one string, of sources one by one."""
    database = build / "compile_commands.json"
    if not database.is_file():
        die(f"clang_tidy: {database} is missing; make it with: make build")
    entries = []
    for entry in json.loads(database.read_text()):
        command = entry.get("command") or " ".join(entry["arguments"])
        file = Path(entry["directory"]) / entry["file"]
        sources = [entry["file"]]
        if file.parent.name == "Unity" and file.is_file():
            sources = UNITY_INCLUDE.findall(file.read_text())
        for source in sources:
            entries.append({
                "directory": entry["directory"],
                "command": command.replace(entry["file"], source),
                "file": source,
            })
    return entries


def commands_of(entries: list[dict[str, str]], root: Path) -> dict[Path, str]:
    """Source (relative to root) -> its compile command."""
    commands = {}
    for entry in entries:
        source = (Path(entry["directory"]) / entry["file"]).resolve()
        if source.is_relative_to(root) and source.is_file():
            commands[source.relative_to(root)] = entry["command"]
    return commands


def is_looked_at(path: Path) -> bool:
    return path.parts[0] in LOOKED_AT_DIRS and not is_test(path)


def shared_hash(root: Path) -> bytes:
    digest = hashlib.sha256()
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True)
    digest.update(version.stdout)
    config = root / ".clang-tidy"
    digest.update(config.read_bytes() if config.is_file() else b"")
    return digest.digest()


def include_closure(root: Path, source: Path) -> list[Path]:
    """The source and all project files that it pulls in."""
    seen = {source}
    pending = [source]
    while pending:
        for include in includes_of(root / pending.pop()):
            target = resolve_include(root, include.name)
            if target is not None and target not in seen:
                seen.add(target)
                pending.append(target)
    return sorted(seen)


def stamp_name(root: Path, shared: bytes, source: Path, command: str) -> str:
    digest = hashlib.sha256(shared + command.encode() + b"\0")
    for path in include_closure(root, source):
        digest.update(str(path).encode() + b"\0" + (root / path).read_bytes())
    return digest.hexdigest()


def main() -> int:
    parser = argument_parser(__doc__)
    parser.add_argument("--build", type=Path, required=True)
    arguments = parser.parse_args()
    root, build = arguments.root.resolve(), arguments.build.resolve()
    entries = load_entries(build)
    sources = {p: c for p, c in commands_of(entries, root).items() if is_looked_at(p)}
    if not sources:
        die("clang_tidy: compile_commands.json names no source of src/, cli/ or bench/")
    cache = build / ".clang_tidy_cache"
    cache.mkdir(exist_ok=True)
    (cache / "compile_commands.json").write_text(json.dumps(entries))
    shared = shared_hash(root)
    clean = 0
    for path, command in sorted(sources.items()):
        stamp = cache / stamp_name(root, shared, path, command)
        if stamp.exists():
            clean += 1
        else:
            print(f"{root / path}\t{stamp}")
    print(f"clang_tidy: {len(sources)} sources, {clean} of them known to be clean",
          file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
