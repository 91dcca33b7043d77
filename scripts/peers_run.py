"""Runs the comparison that scripts/peers has built.

usage: see scripts/peers --help
"""

import argparse
import dataclasses
import datetime
import fnmatch
import json
import os
import subprocess
import sys

import peers_cases
import peers_libraries
import peers_table
from peers_measure import Machine, log, measure


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/peers", description="Builds and runs tilewave side by side with other "
        "libraries: interleaved, medians, every result verified in full.")
    parser.add_argument("--quick", action="store_true",
                        help="one thread, prepacked, short samples; a few minutes")
    parser.add_argument("--suite", choices=peers_cases.SUITES + ("all",), default="gemm")
    parser.add_argument("--threads", default="", help="1, 2 or all (both); default all, quick: 1")
    parser.add_argument("--rounds", type=int, default=9, help="samples per line, at least 9")
    parser.add_argument("--sample-ms", type=float, default=0, help="time of one sample")
    parser.add_argument("--only-shape", action="append", metavar="PATTERN",
                        help="for example '*4096*' or 64x64x64; may be repeated")
    parser.add_argument("--only-library", action="append", metavar="NAME")
    parser.add_argument("--only-types", metavar="PATTERN", help="for example 's8*'")
    parser.add_argument("--form", choices=("prepacked", "call"), help="of the weights")
    parser.add_argument("--instructions", choices=("all", "vnni"), default="all",
                        help="vnni: nobody uses AMX, as on a CPU that has AVX512-VNNI alone; "
                        "leaves out those that cannot be told")
    parser.add_argument("--weight-bits", type=int, choices=(7, 8), default=8,
                        help="7: bytes of B within -64..63, with which libraries that add pairs of "
                        "products in 16 bits are right, too (CPUs without VNNI)")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--plot", metavar="FILE", help=".svg or .png")
    for hidden in ("build", "root", "python", "onednn", "onednn-gomp", "mkl", "command"):
        parser.add_argument("--internal-" + hidden, default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rounds < 9:
        parser.error("--rounds: medians of fewer than 9 samples say too little")
    if options.threads not in ("", "1", "2", "all"):
        parser.error("--threads: 1, 2 or all")
    return options


def chosen(options: argparse.Namespace) -> list[peers_cases.Case]:
    words = options.threads or ("1" if options.quick else "all")
    most = len(os.sched_getaffinity(0))
    threads = [1, 2] if words == "all" else [int(words)]
    threads = [t for t in threads if t <= most]
    suites = peers_cases.SUITES if options.suite == "all" else (options.suite,)
    quick = options.quick and options.form != "call"
    found = [case for suite in suites for case in peers_cases.cases(suite, threads, quick)]
    if options.only_shape:
        found = [case for case in found
                 if any(fnmatch.fnmatchcase(case.shape, p) for p in options.only_shape)]
    if options.only_types:
        found = [case for case in found if fnmatch.fnmatchcase(case.types, options.only_types)]
    found = [case if case.kind == "heads" else
             dataclasses.replace(case, b_bits=options.weight_bits) for case in found]
    if options.form:
        found = [case for case in found if case.prepacked == (options.form == "prepacked")]
    return found


def cpu_model() -> str:
    model, family = "unknown CPU", ""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                model = value.strip()
            if key.strip() == "cpu family":
                family = value.strip()
        # AMD's families: 25 is Zen 3 and Zen 4 (with VNNI: Zen 4), 26 is Zen 5.
    text = " ".join(open("/proc/cpuinfo", encoding="utf-8").read().split())
    if "AuthenticAMD" in text and family == "26":
        model += " (Zen 5)"
    elif "AuthenticAMD" in text and family == "25" and "avx512_vnni" in text:
        model += " (Zen 4)"
    return model


def header(options: argparse.Namespace, machine: Machine) -> dict:
    git = subprocess.run(["git", "-C", options.internal_root, "describe", "--always", "--dirty"],
                         capture_output=True, text=True, check=False)
    return {
        "command": options.internal_command or "scripts/peers",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": git.stdout.strip() or "unknown",
        "machine": f"{cpu_model()}, {len(machine.cpus)} CPUs",
        "instruction": machine.instruction,
        "peak_gops": machine.peak,
        "tile_peak_gops": machine.tile_peak,
        "bandwidth_gb_s": machine.bandwidth,
        "rounds": options.rounds,
        "weight_bits": options.weight_bits,
    }


def print_header(head: dict) -> None:
    for key in ("command", "machine", "commit", "date"):
        print(f"{key + ':':<10}{head[key]}")
    if not head["instruction"]:
        print("peak:     not known: no dot product instruction that the probe knows")
    if head["weight_bits"] < 8:
        print(f"weights:  within {head['weight_bits']} bits, with which no library saturates")
    for threads, peak in head["peak_gops"].items():
        rates = head["bandwidth_gb_s"][threads]
        tiles = head["tile_peak_gops"][threads]
        of_tiles = f", {tiles:,.0f} (tdpbssd)" if tiles else ""
        print(f"{threads} thread{'s' if threads > 1 else ' '}: peak {peak:,.0f} GOP/s "
              f"({head['instruction']}){of_tiles}; read {rates['dram']:.0f} GB/s from DRAM, "
              f"each thread {rates['l3']:.0f} from L3, {rates['l2']:.0f} from L2")


def best_peak(machine: Machine, threads: int) -> float:
    return max(machine.peak[threads], machine.tile_peak[threads]) or 1


def ceilings(found: list[peers_cases.Case], machine: Machine) -> dict[tuple, float]:
    """Microseconds of the product at peak and then of the bytes at the speed of L3, or of DRAM
    where they do not fit."""
    result = {}
    for case in found:
        rates = machine.bandwidth[case.threads]
        fits = case.bytes < 0.75 * machine.l3_bytes
        rate = rates["l3"] * case.threads if fits else rates["dram"]
        product = 2 * case.macs / best_peak(machine, case.threads)
        result[(case.suite, case.shape, case.threads)] = (product + case.bytes / rate) / 1e3
    return result


def print_ceilings(found: list[peers_cases.Case], machine: Machine, result: dict) -> None:
    lines = []
    for case in found:
        if case.suite == "layers":
            product = 2 * case.macs / best_peak(machine, case.threads) / 1e3
            all_us = result[(case.suite, case.shape, case.threads)]
            lines.append([case.shape, str(case.threads), f"{product:.0f}",
                          f"{case.bytes / 1e6:.1f}", f"{all_us - product:.0f}", f"{all_us:.0f}"])
    if lines:
        print("\nlayers, the ceiling: the product at the measured peak, then operands and f32 "
              "result moved once at the measured bandwidth")
        print(peers_table.grid(["shape", "threads", "product us", "MB", "bytes us", "us"], lines))


def main() -> int:
    options = arguments()
    os.environ["PEERS_INSTRUCTIONS"] = options.instructions  # The referee and the rest read it.
    build = options.internal_build
    for folder in ("log", "data"):
        os.makedirs(os.path.join(build, folder), exist_ok=True)
    found = chosen(options)
    if not found:
        sys.exit("scripts/peers: no case is left of those options")
    roots = {name: getattr(options, "internal_" + name) for name in
             ("onednn", "onednn_gomp", "mkl")}
    libraries = peers_libraries.known(build, roots, options.internal_python,
                                      os.path.join(options.internal_root, "bench", "peers"))
    if options.only_library:
        unknown = set(options.only_library) - {lib.name for lib in libraries}
        if unknown:
            sys.exit(f"scripts/peers: no library {', '.join(sorted(unknown))}; there are "
                     + ", ".join(lib.name for lib in libraries))
        libraries = [lib for lib in libraries if lib.name in options.only_library]
    machine = Machine(build, sorted({case.threads for case in found}))
    head = header(options, machine)
    print_header(head)
    for library in libraries:
        state = f"missing: {library.missing}" if library.missing else library.version
        print(f"{library.name:<12} {library.what}: {state}")
    present = [library for library in libraries if not library.missing]
    limits = ceilings(found, machine)
    print_ceilings(found, machine, limits)
    rows = []
    sample_ms = options.sample_ms or (5 if options.quick else 12)
    try:
        for i, case in enumerate(found):
            log(f"[{i + 1}/{len(found)}] {case.suite} {case.shape} {case.types} "
                f"{case.threads} thread(s) {'prepacked' if case.prepacked else 'packed in call'}")
            rows += measure(machine, case, present, options.rounds, sample_ms)
    except KeyboardInterrupt:
        log("stopped; what has been measured follows")
    finally:
        for library in libraries:
            library.end()
    # The best probe may have come late; all percentages are of the same peak.
    for row in rows:
        if row["gops"] and machine.peak[row["threads"]]:
            row["pct_peak"] = 100 * row["gops"] / machine.peak[row["threads"]]
    head["libraries"] = {lib.name: lib.version or f"missing: {lib.missing}" for lib in libraries}
    report(options, head, rows, limits)
    return 1 if any(row["status"].startswith("wrong") for row in rows) else 0


def report(options: argparse.Namespace, head: dict, rows: list[dict], limits: dict) -> None:
    print("\n" + peers_table.tables(rows, limits))
    print(f"\nmedians of {head['rounds']} samples, measured; one operation is a multiply or an "
          "add; ratio: tilewave to the best peer; -: no such call; ~: fewer samples than wanted "
          "came from a quiet machine; spread: (p75 - p25) / median of tilewave's")
    peaks = ", ".join(f"{t} thread{'s' if t > 1 else ''} {peak:,.0f} GOP/s"
                      for t, peak in head["peak_gops"].items())
    print(f"peak of the percentages, the best probe of the whole run: {peaks}")
    for row in rows:
        if not row["verified"] and not row["status"].startswith("unsupported"):
            print(f"{row['library']}, {row['shape']} {row['types']}: {row['status']}")
    reference = os.path.join(options.internal_root, "bench", "peers", "reference_table.json")
    beside = peers_table.against_reference(rows, reference, head["machine"])
    if beside and head["weight_bits"] == 8:
        print("\n" + beside)
    sys.stdout.flush()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({**head, "rows": rows}, file, indent=1)
    if options.plot:
        data = os.path.join(options.internal_build, "plot.json")
        with open(data, "w", encoding="utf-8") as file:
            json.dump({**head, "rows": rows}, file)
        script = os.path.join(options.internal_root, "scripts", "peers_plot.py")
        if subprocess.run([options.internal_python, script, data, options.plot],
                          check=False).returncode != 0:
            log("scripts/peers: no plot was made; it needs matplotlib")


if __name__ == "__main__":
    sys.exit(main())
