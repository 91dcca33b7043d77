#!/usr/bin/python3
"""No vector instruction beyond the baseline outside the kernel files of their ISA.

Disassembles every object of a build. An object compiled from src/kernels/cpu/*_avx2*.cc,
*_avx512*.cc, *_avxvnni*.cc or *_amx*.cc may use them, but not in a weak function (an inline
function or template): the linker may pick that copy for baseline code as well. In all other objects
no instruction may name a ymm, zmm or tmm register or be a VEX or EVEX form.
"""

import platform
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True
from common import argument_parser  # noqa: E402

ALLOWED_OBJECT = re.compile(
    r"(?:^|/)kernels/cpu/(?![^/]*_(?:test|bench)\.)"
    r"[^/]*_(?:avx(?:2|512|vnni)|amx)[^/]*\.(?:cc|cpp)\.o$")
SANITIZER_DIR = re.compile(r"(?:^|[-_.])(?:asan|ubsan|tsan|msan|san|sanitize)(?:$|[-_.])")

FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
INSTRUCTION = re.compile(r"^\s+[0-9a-f]+:\t(?:\{\w+\} )?(\w+)\s*(.*)$")
WIDE_REGISTER = re.compile(r"%[tyz]mm\d")
VECTOR_OPERAND = re.compile(r"%(?:[xyz]mm|k)\d")
BARE = ("vzeroupper", "vzeroall", "ldtilecfg", "sttilecfg", "tilerelease")
WEAK_SYMBOL = re.compile(r"^[0-9a-f]+ {2}w.{4}F \S+\t[0-9a-f]+ +(?:\.\w+ )?(\S+)$", re.MULTILINE)


def is_beyond_baseline(mnemonic: str, operands: str) -> bool:
    if WIDE_REGISTER.search(operands) or mnemonic in BARE:
        return True
    return mnemonic.startswith("v") and VECTOR_OPERAND.search(operands) is not None


@dataclass
class Leak:
    function: str
    instruction: str
    count: int = 1


@dataclass
class Disassembly:
    leaks: dict[str, Leak] = field(default_factory=dict)  # by function
    weak_functions: set[str] = field(default_factory=set)
    instructions: int = 0


def run_objdump(arguments: list[str]) -> str:
    result = subprocess.run(["objdump", *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip() or "objdump failed")
    return result.stdout


def disassemble(path: Path) -> Disassembly:
    found = Disassembly()
    function = "?"
    for line in run_objdump(["-d", "--no-show-raw-insn", str(path)]).splitlines():
        head = FUNCTION.match(line)
        if head:
            function = head[1]
            continue
        instruction = INSTRUCTION.match(line)
        if not instruction:
            continue
        found.instructions += 1
        if is_beyond_baseline(instruction[1], instruction[2]):
            if function in found.leaks:
                found.leaks[function].count += 1
            else:
                text = f"{instruction[1]} {instruction[2]}".strip()
                found.leaks[function] = Leak(function, text)
    if found.leaks:
        found.weak_functions = set(WEAK_SYMBOL.findall(run_objdump(["-t", str(path)])))
    return found


def objects_of(build: Path) -> list[Path]:
    """All objects, without those of sanitizer builds nested in this one."""
    found = []
    for path in sorted(build.rglob("*.o")):
        inside = path.relative_to(build)
        if not any(SANITIZER_DIR.search(part) for part in inside.parts[:-1]):
            found.append(path)
    return found


def findings_of(build: Path, path: Path) -> tuple[list[str], int]:
    """The findings about one object and how many instructions it holds."""
    inside = path.relative_to(build)
    allowed = ALLOWED_OBJECT.search(str(inside)) is not None
    found = disassemble(path)
    lines = []
    for leak in found.leaks.values():
        what = f"{leak.function} holds {leak.count} such instruction(s), first: {leak.instruction}"
        if not allowed:
            lines.append(f"{inside}:0: [isa-leak] {what}; this object must be baseline only")
        elif leak.function in found.weak_functions:
            lines.append(f"{inside}:0: [isa-leak-weak] {what}; it is weak, so baseline code may "
                         "get this copy; put it into an unnamed namespace")
    return lines, found.instructions


def check(build: Path, objects: list[Path]) -> list[str]:
    lines = []
    total = 0
    for path in objects:
        try:
            found, instructions = findings_of(build, path)
            lines += found
            total += instructions
        except (OSError, RuntimeError) as error:
            lines.append(f"{path.relative_to(build)}:0: [objdump] {error}")
    if total == 0 and not lines:
        lines.append(f"{build.name}:0: [no-code] the objects hold no instruction (LTO build?)")
    return lines


def main() -> int:
    parser = argument_parser(__doc__)
    parser.add_argument("--build", type=Path, help="build directory (default: ROOT/build)")
    arguments = parser.parse_args()
    if platform.machine() != "x86_64":
        print(f"isa_leak: skipped: not x86-64 ({platform.machine()})")
        return 0
    build = (arguments.build or arguments.root / "build").resolve()
    if SANITIZER_DIR.search(build.name):
        print(f"isa_leak: skipped: {build.name} is a sanitizer build")
        return 0
    objects = objects_of(build) if build.is_dir() else []
    if not objects:
        print(f"{build.name}:0: [no-objects] no *.o below the build directory; make build first")
        return 1
    lines = check(build, objects)
    print("\n".join(lines), end="\n" if lines else "")
    allowed = sum(ALLOWED_OBJECT.search(str(p)) is not None for p in objects)
    print(f"isa_leak: {'ok' if not lines else f'{len(lines)} finding(s)'}, {len(objects)} objects, "
          f"{allowed} of them on the allow list")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
