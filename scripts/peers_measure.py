"""The measurement of scripts/peers: round by round over the libraries, between probes."""

import os
import statistics
import sys

from peers_cases import Case
from peers_libraries import Library
from peers_process import Failed, Process

PROBE_US = 200
KEPT_ABOVE = 0.9  # Of the peak, in the probes before and after.
# Share of a sample that its threads may have waited for a CPU that something else had, beyond what
# this library's samples always have: threads of its own may stand in each other's way.
DELAYED_BELOW = 0.02
ONE_THREAD_MACS = 64_000_000  # Below it one thread may be faster than several.
ATTEMPTS = 5  # Times the rounds that are wanted.


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Machine:
    """The referee and what it has measured."""

    def __init__(self, build: str, threads: list[int]):
        self.build = build
        self.cpus = sorted(os.sched_getaffinity(0))
        arguments = [os.path.join(build, "cmake", "bin", "referee"), *map(str, self.cpus)]
        self.referee = Process(arguments, {}, self.cpus, os.path.join(build, "log", "referee"))
        self.instruction = self.referee.ask("instruction")
        self.l3_bytes = int(self.referee.ask("cache"))
        self.peak = {t: float(self.referee.ask(f"peak threads={t} milliseconds=1000"))
                     for t in threads}
        # Of AMX, unless nobody is to use it (scripts/peers --instructions).
        self.tile_peak = {t: 0.0 for t in threads}
        if os.environ.get("PEERS_INSTRUCTIONS") != "vnni":
            self.tile_peak = {t: float(self.referee.ask(f"tiles threads={t} milliseconds=500"))
                              for t in threads}
        self.bandwidth = {}
        for t in threads:
            values = map(float, self.referee.ask(f"bandwidth threads={t}").split())
            self.bandwidth[t] = dict(zip(("dram", "l3", "l2"), values))

    def probe(self, threads: int) -> float:
        """Share of the peak. 1 if there is nothing to probe with."""
        if not self.instruction:
            return 1.0
        found = float(self.referee.ask(f"probe threads={threads} microseconds={PROBE_US}"))
        self.peak[threads] = max(self.peak[threads], found)
        return found / self.peak[threads]

    def inputs(self, case: Case) -> str:
        directory = os.path.join(self.build, "data", case.data_key)
        if not os.path.exists(os.path.join(directory, "made")):
            os.makedirs(directory, exist_ok=True)
            self.referee.ask("inputs " + case.words(directory))
            with open(os.path.join(directory, "made"), "w", encoding="utf-8"):
                pass
        return directory


class Entry:
    """One library in one case."""

    def __init__(self, library: Library):
        self.library = library
        self.process: Process | None = None
        self.note = ""
        self.status = "ok"
        self.calls = 1
        self.kept: list[tuple[float, float]] = []  # Nanoseconds per call, share delayed.
        self.attempts = 0

    @property
    def samples(self) -> list[float]:
        least = min((delayed for _, delayed in self.kept), default=0)
        return [time for time, delayed in self.kept if delayed <= least + DELAYED_BELOW]

    def ask(self, line: str) -> str:
        self.process.resume()
        try:
            return self.process.ask(line)
        finally:
            self.process.hold()


def prepare(machine: Machine, case: Case, entry: Entry, directory: str, threads: int) -> None:
    """Until the result is verified. Raises Failed."""
    log_file = os.path.join(machine.build, "log", entry.library.name)
    entry.process = entry.library.process(threads, machine.cpus, log_file)
    answer = entry.ask(f"case {case.words(directory)} copies={case.copies}")
    numerics, _, entry.note = answer.partition(" ")
    numerics = "exact" if case.kind == "gemm" else numerics.removeprefix("numerics=")
    result = os.path.join(machine.build, "data", "result")
    entry.ask(f"verify file={result}")
    machine.referee.ask(f"check {case.words(directory)} file={result} numerics={numerics}")


def one_call(entry: Entry) -> float:
    """Nanoseconds, roughly."""
    one = int(entry.ask("run calls=1"))
    return int(entry.ask("run calls=10")) / 10 if one < 1e6 else one


def settle(machine: Machine, case: Case, library: Library, directory: str) -> Entry:
    """The library ready for the case. Other libraries than tilewave, which is measured as it is
    asked to be, may also leave CPUs unused where that is faster for them: small products."""
    entry = Entry(library)
    prepare(machine, case, entry, directory, case.threads)
    if case.threads == 1 or library.name == "tilewave" or case.macs > ONE_THREAD_MACS:
        return entry
    alone = Entry(library)
    prepare(machine, case, alone, directory, 1)
    times = {id(each): min(one_call(each) for _ in range(3)) for each in (entry, alone)}
    if times[id(alone)] < times[id(entry)]:
        alone.note = (alone.note + "; one thread").removeprefix("; ")
        entry, alone = alone, entry
    alone.ask("drop")
    return entry


def choose_calls(case: Case, entry: Entry, sample_ms: float) -> None:
    one = one_call(entry)
    least = 3 if one < 50e6 else 1
    entry.calls = case.calls or max(least, int(sample_ms * 1e6 / one))


def waited(before: dict, after: dict, threads: int) -> int:
    """Nanoseconds that the threads that did the work waited for a CPU. A library may have others,
    ready to run but not needed."""
    spent = []
    for task, (ran, held) in after.items():
        ran_before, held_before = before.get(task, (0, 0))
        spent.append((ran - ran_before, held - held_before))
    return sum(held for _, held in sorted(spent, reverse=True)[:threads])


def sample(machine: Machine, case: Case, entry: Entry) -> None:
    entry.attempts += 1
    before = machine.probe(case.threads)
    threads = entry.process.thread_times()
    time = int(entry.ask(f"run calls={entry.calls}"))
    delay = waited(threads, entry.process.thread_times(), case.threads)
    after = machine.probe(case.threads)
    if min(before, after) >= KEPT_ABOVE:
        entry.kept.append((time / entry.calls, delay / time))


def measure(machine: Machine, case: Case, libraries: list[Library], rounds: int,
            sample_ms: float) -> list[dict]:
    directory = machine.inputs(case)
    entries = []
    for library in libraries:
        entry = Entry(library)
        try:
            entry = settle(machine, case, library, directory)
            choose_calls(case, entry, sample_ms)
        except Failed as failure:
            entry.status = str(failure)
        entries.append(entry)
    ready = [entry for entry in entries if entry.status == "ok"]

    def wanting() -> list[Entry]:
        return [entry for entry in ready if entry.status == "ok" and len(entry.samples) < rounds
                and entry.attempts < ATTEMPTS * rounds]

    while wanting():
        for entry in wanting():
            try:
                sample(machine, case, entry)
            except Failed as failure:
                entry.status = str(failure)
    for entry in entries:
        try:
            if entry.process is not None and entry.process.alive():
                entry.ask("drop")
        except Failed:
            pass
        if entry.status == "ok" and len(entry.samples) < rounds:
            entry.status = "noisy"
    return rows_of(machine, case, entries)


def rows_of(machine: Machine, case: Case, entries: list[Entry]) -> list[dict]:
    rows = []
    for entry in entries:
        samples = entry.samples
        row = {"suite": case.suite, "shape": case.shape, "types": case.types,
               "threads": case.threads, "prepacked": case.prepacked, "weight_bits": case.b_bits,
               "library": entry.library.name, "version": entry.library.version,
               "gops": None, "pct_peak": None, "ratio_to_best_peer": None, "us": None,
               "gb_s": None, "spread": None, "samples": len(samples), "attempts": entry.attempts,
               "calls": entry.calls, "status": entry.status,
               "verified": entry.status in ("ok", "noisy"), "note": entry.note}
        if samples and row["verified"]:
            median = statistics.median(samples)
            row["us"] = median / 1e3
            row["gops"] = 2 * case.macs / median
            row["gb_s"] = case.bytes / median
            row["pct_peak"] = 100 * row["gops"] / (machine.peak[case.threads] or 1)
            if len(samples) > 1:
                low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
                row["spread"] = (high - low) / median
        rows.append(row)
    best = max((row["gops"] for row in rows if row["gops"] and row["library"] != "tilewave"),
               default=None)
    for row in rows:
        if row["gops"] and best:
            row["ratio_to_best_peer"] = row["gops"] / best
    return rows
