"""Worker processes of scripts/peers: one per library and number of threads, held while not used."""

import os
import select
import signal
import subprocess

TIMEOUT_S = 300


class Failed(Exception):
    """What a worker said, or how it ended."""


class Process:
    """Sends lines, gets one line back for each."""

    def __init__(self, command: list[str], environment: dict[str, str], cpus: list[int],
                 log: str):
        self.held = False
        self.pending = b""
        with open(log, "ab") as errors:
            self.child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                env={**os.environ, **environment},
                preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        self.log = log

    def ask(self, line: str) -> str:
        """The answer after "ok"; any other one is raised."""
        try:
            os.write(self.child.stdin.fileno(), (line + "\n").encode())
            answer = self._line()
        except BrokenPipeError:
            raise Failed("it has ended; see " + self.log) from None
        word, _, rest = answer.partition(" ")
        if word != "ok":
            raise Failed(answer)
        return rest

    def _line(self) -> str:
        out = self.child.stdout.fileno()
        while b"\n" not in self.pending:
            ready, _, _ = select.select([out], [], [], TIMEOUT_S)
            if not ready:
                self.end()
                raise Failed(f"no answer within {TIMEOUT_S} s")
            some = os.read(out, 65536)
            if not some:
                raise Failed(f"it has ended with {self.child.wait()}; see {self.log}")
            self.pending += some
        line, _, self.pending = self.pending.partition(b"\n")
        return line.decode()

    # A library's threads may spin for a while after a call, waiting for the next one. That is to
    # its advantage, so they may; but not at the cost of the next library.
    def hold(self) -> None:
        if not self.held and self.alive():
            self.child.send_signal(signal.SIGSTOP)
            self.held = True

    def resume(self) -> None:
        if self.held:
            self.child.send_signal(signal.SIGCONT)
            self.held = False

    def thread_times(self) -> dict[str, tuple[int, int]]:
        """Of each thread: nanoseconds it has run, and has waited for a CPU though ready to run.
        Empty where the kernel does not tell."""
        tasks = f"/proc/{self.child.pid}/task"
        found = {}
        try:
            for task in os.listdir(tasks):
                with open(f"{tasks}/{task}/schedstat", encoding="ascii") as file:
                    ran, waited = file.read().split()[:2]
                found[task] = int(ran), int(waited)
        except (OSError, ValueError):
            pass
        return found

    def alive(self) -> bool:
        return self.child.poll() is None

    def end(self) -> None:
        if self.alive():
            self.child.kill()
        self.child.wait()
