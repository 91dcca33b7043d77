#!/usr/bin/python3
"""Dependency direction: a file may include only its own layer and the layers below it.

The table below is section "Shape of the house" of the design: layer -> what it may include
directly. What is allowed is the transitive closure of that. Enter a new directory here first.
"""

import sys
from collections import deque
from pathlib import Path

sys.dont_write_bytecode = True
from common import (Finding, Include, argument_parser, cpp_files, includes_of,  # noqa: E402
                    is_standard_header, is_test_or_bench, project_files, report,
                    resolve_include)

MAY_INCLUDE: dict[str, list[str]] = {
    "include":             [],
    "base":                ["include"],
    "core":                ["base"],
    "arch":                ["core"],
    "profile":             ["arch"],
    "pack":                ["core"],
    "kernels/cpu":         ["pack", "arch"],
    "kernels/aie":         ["core"],
    "program":             ["core", "arch"],
    "plan":                ["program", "profile"],
    "emit":                ["program"],
    "device":              ["core"],
    "device/host":         ["device", "kernels/cpu", "pack"],
    "device/vnpu":         ["device", "program", "profile"],
    "device/xrt":          ["device", "program"],
    "device/xrt/xrt_fake": ["device/xrt"],
    "runtime":             ["device", "plan", "pack"],
    "report":              ["plan", "runtime"],
    "bindings":            ["include"],
    "examples":            ["include"],
}
LAYERS_OF_SRC = [name for name in MAY_INCLUDE if name not in ("include", "bindings", "examples")]
MAY_INCLUDE["engine"] = LAYERS_OF_SRC
MAY_INCLUDE["cli"] = MAY_INCLUDE["bench"] = MAY_INCLUDE["tests"] = [
    *MAY_INCLUDE, "cli", "bench", "tests"]

# Edges that no later edit of the table may open, not even through a third layer.
NEVER: dict[str, set[str]] = {
    "device/vnpu": {"plan", "kernels/cpu"},
    "runtime": {"device/host", "device/vnpu", "device/xrt", "device/xrt/xrt_fake", "emit"},
    "bindings": set(LAYERS_OF_SRC) | {"engine"},
    "examples": set(LAYERS_OF_SRC) | {"engine"},
}

OUTSIDE_SRC = {"include", "bindings", "examples", "cli", "bench", "tests"}
INTRINSIC_HEADERS = {"immintrin.h", "x86intrin.h", "emmintrin.h", "tmmintrin.h", "smmintrin.h",
                     "nmmintrin.h", "xmmintrin.h", "cpuid.h", "arm_neon.h", "arm_sve.h",
                     "arm_acle.h"}
KERNEL_NAME_PARTS = ("_avx", "_neon", "_portable")
TILE_KERNELS = Path("src/kernels/aie")
HOST_ONLY_PREFIX = "host_"
XRT_SEAM = Path("src/device/xrt/seam_xrt.cc")


def closure(layer: str) -> set[str]:
    """The layer itself and everything below it."""
    seen = {layer}
    pending = [layer]
    while pending:
        for below in MAY_INCLUDE[pending.pop()]:
            if below not in seen:
                seen.add(below)
                pending.append(below)
    return seen


ALLOWED = {layer: closure(layer) for layer in MAY_INCLUDE}


def layer_of(relative: Path) -> str | None:
    """None when no layer owns the file's directory.

    A subdirectory belongs to its parent's layer, except where the parent has layers below it in
    the table (device, device/xrt, kernels): there each directory must be entered by name.
    """
    if is_test_or_bench(relative):
        return "tests"
    if relative.parts[0] in OUTSIDE_SRC:
        return relative.parts[0]
    directory = "/".join(relative.parts[1:-1])
    candidate = directory
    while candidate and candidate not in MAY_INCLUDE:
        candidate = candidate.rpartition("/")[0]
    if not candidate or candidate in OUTSIDE_SRC:
        return None
    has_sublayers = any(name.startswith(candidate + "/") for name in MAY_INCLUDE)
    return None if has_sublayers and candidate != directory else candidate


def check_table() -> list[Finding]:
    findings = []
    for layer, forbidden in NEVER.items():
        for bad in sorted(ALLOWED[layer] & forbidden):
            findings.append(Finding("scripts/check/layers.py", 1, "layer-table",
                                    f"the table lets {layer} reach {bad}, which it must never"))
    return findings


def check_directories(root: Path) -> list[Finding]:
    """Every directory of src/ that holds C++ files, and every one directly under src/, is known."""
    tops = {name.split("/")[0] for name in [*LAYERS_OF_SRC, "engine"]}
    findings = []
    unknown = {}
    for path in project_files(root):
        if path.parts[0] == "src" and len(path.parts) > 2 and path.parts[1] not in tops:
            unknown.setdefault(f"src/{path.parts[1]}", path)
    for path in cpp_files(root):
        in_src = path.parts[0] == "src"
        top_known = len(path.parts) > 2 and f"src/{path.parts[1]}" not in unknown
        if in_src and layer_of(path) is None and (top_known or len(path.parts) == 2):
            unknown.setdefault(str(path.parent), path)
    for directory, example in sorted(unknown.items()):
        findings.append(Finding(str(example), 1, "unknown-layer",
                                f"{directory}/ is no layer; enter it in scripts/check/layers.py"))
    return findings


def is_xrt_header(name: str) -> bool:
    return name.startswith(("xrt/", "experimental/xrt")) or name == "xrt.h"


def is_kernel_file(relative: Path) -> bool:
    return (relative.parent == Path("src/kernels/cpu") and relative.suffix == ".cc"
            and not is_test_or_bench(relative)
            and any(part in relative.stem for part in KERNEL_NAME_PARTS))


def check_kernel_include(path: Path, include: Include, target: Path | None) -> list[Finding]:
    if target is not None and (target.parent in (Path("src/kernels/cpu"), Path("src/pack"))
                               or target.parts[:2] == ("src", "core")):
        return []
    if include.kind == "angle" and target is None:
        if is_standard_header(include.name) or include.name in INTRINSIC_HEADERS:
            return []
    return [Finding(str(path), include.line, "kernel-include",
                    f"a CPU kernel file includes {include.name}; allowed are intrinsics, "
                    "std headers, and headers of kernels/cpu, pack and core")]


def is_tile_kernel_file(relative: Path) -> bool:
    """What the array's compiler reads; host_* and the tests are for this machine."""
    return (relative.parent == TILE_KERNELS and not is_test_or_bench(relative)
            and not relative.name.startswith(HOST_ONLY_PREFIX))


def check_tile_kernel_include(path: Path, include: Include,
                              target: Path | None) -> list[Finding]:
    if include.name.startswith("aie_api/"):
        return []
    if target is not None and is_tile_kernel_file(target):
        return []
    if target is None and include.kind == "angle" and is_standard_header(include.name):
        return []
    return [Finding(str(path), include.line, "tile-kernel-include",
                    f"a tile kernel file includes {include.name}; the array's compiler has the "
                    "AIE API, std headers and the other tile kernel files only")]


def check_include(root: Path, path: Path, include: Include) -> tuple[list[Finding], Path | None]:
    """Findings about one include line, and the project file that it names."""
    if include.kind == "macro":
        return [Finding(str(path), include.line, "computed-include",
                        f"#include {include.name} cannot be checked; name the file")], None
    if ".." in include.name.split("/"):
        return [Finding(str(path), include.line, "dotted-include",
                        f"#include {include.name} climbs out of its folder; write it relative to "
                        "src/ or include/")], None
    if is_xrt_header(include.name):
        if path == XRT_SEAM:
            return [], None
        return [Finding(str(path), include.line, "xrt-header",
                        f"{include.name} may be included only in {XRT_SEAM}")], None
    target = resolve_include(root, include.name)
    findings = []
    if target is None and (include.kind == "quote" or include.name.startswith("tilewave/")):
        findings.append(Finding(
            str(path), include.line, "unresolved-include",
            f'"{include.name}" is no file of the tree; write it relative to src/ or include/ '
            "(or with cli/, bench/, tests/ in front), other libraries as <...>"))
    elif is_kernel_file(path):
        findings += check_kernel_include(path, include, target)
    elif is_tile_kernel_file(path):
        findings += check_tile_kernel_include(path, include, target)
    return findings, target


def check_edge(path: Path, line: int, target: Path) -> list[Finding]:
    source_layer, target_layer = layer_of(path), layer_of(target)
    if source_layer is None or target_layer is None or target_layer in ALLOWED[source_layer]:
        return []
    allowed = ", ".join(sorted(ALLOWED[source_layer] - {source_layer})) or "nothing"
    if len(MAY_INCLUDE[source_layer]) > 10:
        allowed = "all of src below it"
    return [Finding(str(path), line, "upward-include",
                    f"{source_layer} may not include {target_layer} ({target}); "
                    f"it may include: {allowed}")]


Graph = dict[Path, list[tuple[int, Path]]]


def check_closure(graph: Graph, start: Path) -> list[Finding]:
    """Walks all that `start` really pulls in; one finding per forbidden layer, with the chain."""
    layer = layer_of(start)
    if layer is None:
        return []
    chains: dict[Path, list[Path]] = {start: [start]}
    first_lines: dict[Path, int] = {}
    pending = deque([start])
    worst: dict[str, Finding] = {}
    while pending:
        current = pending.popleft()
        for line, target in graph.get(current, []):
            if target in chains:
                continue
            chains[target] = chains[current] + [target]
            first_lines[target] = line if current == start else first_lines[current]
            pending.append(target)
            reached = layer_of(target)
            direct = current == start
            if reached is not None and reached not in ALLOWED[layer] and not direct:
                chain = " -> ".join(str(p) for p in chains[target])
                worst.setdefault(reached, Finding(
                    str(start), first_lines[target], "transitive-include",
                    f"{layer} reaches {reached}: {chain}"))
    return list(worst.values())


def check(root: Path) -> tuple[list[Finding], int]:
    files = cpp_files(root)
    findings = check_table() + check_directories(root)
    graph: Graph = {}
    for path in files:
        graph[path] = []
        for include in includes_of(root / path):
            bad, target = check_include(root, path, include)
            findings += bad
            if target is not None:
                graph[path].append((include.line, target))
                findings += check_edge(path, include.line, target)
    for path in files:
        findings += check_closure(graph, path)
    return findings, len(files)


def main() -> int:
    root = argument_parser(__doc__).parse_args().root.resolve()
    findings, count = check(root)
    return report("layers", findings, f"{count} C++ files")


if __name__ == "__main__":
    sys.exit(main())
