"""Which libraries scripts/peers knows, and the environment in which each is at its best."""

import dataclasses
import os

from peers_process import Failed, Process


@dataclasses.dataclass
class Library:
    name: str
    what: str
    command: list[str]
    missing: str = ""  # Why.
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    version: str = ""
    processes: dict[int, Process] = dataclasses.field(default_factory=dict)

    def process(self, threads: int, cpus: list[int], log: str) -> Process:
        found = self.processes.get(threads)
        if found is None or not found.alive():
            count = {name: str(threads) for name in
                     ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
            found = Process(self.command + [str(threads)], {**count, **self.environment},
                            cpus[:threads], log)
            self.processes[threads] = found
            self.version = found.ask("hello")
        return found

    def hold(self) -> None:
        for process in self.processes.values():
            process.hold()

    def end(self) -> None:
        for process in self.processes.values():
            process.end()


# What keeps each library that knows AMX from using it.
VNNI_ALONE = {
    "tilewave": {"PEERS_TILEWAVE_KERNEL": "Int8Gemm_avx512vnni_8x32"},
    "onednn": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"},
    "onednn-omp": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"},
    "mkl": {"MKL_ENABLE_INSTRUCTIONS": "AVX512_E1"},
}
USES_AMX_UNASKED = ("onnxruntime",)


def beside(*roots: str) -> str:
    return ":".join(os.path.join(root, "lib") for root in roots if root)


def known(build: str, roots: dict[str, str], python: str, bench: str) -> list[Library]:
    """Every library, found or missing."""

    def worker(name: str) -> list[str]:
        return [os.path.join(build, "cmake", "bin", "peer_" + name)]

    vnni = os.environ.get("PEERS_INSTRUCTIONS") == "vnni"
    avx512 = "avx512bw" in open("/proc/cpuinfo", encoding="utf-8").read()

    def why(name: str) -> str:
        file = os.path.join(build, "why", name)
        if os.path.exists(file):
            return open(file, encoding="utf-8").read().strip()
        return "its headers or library were not found, or it did not compile"

    found = [
        Library("tilewave", "this project", worker("tilewave"), "it was not built"),
        Library("onednn", "oneDNN, PyPI onednn: SYCL and TBB", worker("onednn"), why("onednn"),
                # Its CPU engine is an OpenCL device, which must be named.
                {"OCL_ICD_FILENAMES": os.path.join(roots["onednn"], "lib", "libintelocl.so"),
                 "LD_LIBRARY_PATH": beside(roots["onednn"])}),
        Library("onednn-omp", "oneDNN, PyPI onednn-cpu-gomp: older, OpenMP",
                worker("onednn_gomp"), why("onednn_gomp"),
                {"OMP_WAIT_POLICY": "active", "LD_LIBRARY_PATH": beside(roots["onednn_gomp"])}),
        Library("mkl", "MKL, PyPI mkl", worker("mkl"), why("mkl"),
                {"MKL_THREADING_LAYER": "INTEL", "MKL_DYNAMIC": "FALSE",
                 "LD_LIBRARY_PATH": beside(roots["mkl"])}),
        Library("onnxruntime", "ONNX Runtime, PyPI onnxruntime",
                [python, os.path.join(bench, "peer_onnxruntime.py")], why("onnxruntime")),
        Library("libxsmm", "libxsmm, Debian libxsmm-dev", worker("libxsmm"), why("libxsmm"),
                {"OMP_WAIT_POLICY": "active"}),
        Library("gemmlowp", "gemmlowp, Debian libgemmlowp-dev", worker("gemmlowp"),
                why("gemmlowp")),
        Library("openblas", "OpenBLAS sgemm on f32 copies, Debian libopenblas-dev",
                worker("openblas"), why("openblas"),
                # An older one does not know new CPUs by name and takes a lesser kernel.
                {"OPENBLAS_CORETYPE": "SkylakeX"} if avx512 else {}),
        Library("naive", "three loops", worker("naive"), "it was not built"),
    ]
    if vnni:
        for library in found:
            library.environment.update(VNNI_ALONE.get(library.name, {}))
            if library.name in USES_AMX_UNASKED:
                library.missing, library.command = "cannot be told not to use AMX", [""]
    for library in found:
        if not os.path.exists(library.command[-1]):
            continue
        try:
            process = Process(library.command + ["1"], library.environment, [min(
                os.sched_getaffinity(0))], os.path.join(build, "log", library.name))
            library.version = process.ask("hello")
            library.missing = ""
            process.end()
        except Failed as failure:
            # What the installation said is the better reason.
            if not os.path.exists(os.path.join(build, "why", library.name)):
                library.missing = f"it does not start: {failure}"
    return found
