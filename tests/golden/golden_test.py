"""The MLIR of some designs, compared byte for byte with the files beside this one.

usage: golden_test.py PATH_OF_TILEWAVE compare | verify | write

compare  fails if `tilewave emit` prints anything else
verify   runs aie-opt on the files; exits with 2 (skipped) if there is none on PATH
write    replaces the files by what is printed now: for changes that are meant; review the diff
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

GOLDEN = pathlib.Path(__file__).resolve().parent
SKIPPED = 2

# The product does not matter: the configuration is the same for all.
DESIGNS = {
    "whole_array-npu1-2col.mlir": ["--arch", "npu1", "--columns", 2, "--tile", "32x64x32",
                                   "--k-mt", 128, "--b-layout", "row", "--c-buffers", 2],
    "whole_array-npu2-1col.mlir": ["--arch", "npu2", "--columns", 1, "--out", "s8"],
    "k_stream-npu1.mlir": ["--arch", "npu1", "--design", "k_stream"],
    "packed_tile-npu1.mlir": ["--arch", "npu1", "--design", "packed_tile", "--tile", "16x16x16"],
}


def printed(program, options):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        subprocess.run([program, "emit", "100x200x300", *map(str, options), "-o", str(out)],
                       check=True, capture_output=True, timeout=60)
        return (out / "design.mlir").read_bytes()


def compare(program):
    different = [name for name, options in DESIGNS.items()
                 if (GOLDEN / name).read_bytes() != printed(program, options)]
    unknown = sorted({p.name for p in GOLDEN.glob("*.mlir")} - set(DESIGNS))
    for name in different:
        print(f"{name}: 'tilewave emit' prints another text; see golden_test.py on 'write'")
    for name in unknown:
        print(f"{name}: is of no design")
    return 1 if different or unknown else 0


def verify():
    aie_opt = shutil.which("aie-opt")
    if aie_opt is None:
        print("skipped: no aie-opt on PATH")
        return SKIPPED
    failed = 0
    for name in DESIGNS:
        done = subprocess.run([aie_opt, str(GOLDEN / name), "-o", "/dev/null"], text=True,
                              capture_output=True, timeout=300, check=False)
        if done.returncode != 0:
            print(f"{name}: aie-opt refuses it:\n{done.stderr}")
            failed = 1
    return failed


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in ("compare", "verify", "write"):
        sys.exit(__doc__)
    program, action = sys.argv[1:]
    if action == "compare":
        return compare(program)
    if action == "verify":
        return verify()
    for name, options in DESIGNS.items():
        (GOLDEN / name).write_bytes(printed(program, options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
