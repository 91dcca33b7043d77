"""Peak memory of `tilewave matmul` on 4096 x 4096 inputs: below 1.3 times the sum of its files
plus 64 MiB, for every kind of product.

usage: peak_memory.py PATH_OF_TILEWAVE
"""

import os
import pathlib
import subprocess
import sys
import tempfile

SIDE = 4096
MIB = 1 << 20
CASES = (("s8", "s8", []),
         ("s8", "s8", ["--out", "s8", "--shift", "9"]),
         ("f32", "f32", []))


def peak_bytes(args):
    """Runs to the end and returns the peak resident size of that process."""
    process = subprocess.Popen(args, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"failed: {args}")
    return usage.ru_maxrss * 1024


def main():
    program = sys.argv[1]
    failed = 0
    print(f"{'A':>4} {'B':>4}  {'options':<20} {'files':>10} {'limit':>10} {'peak':>10}")
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder) / name for name in ("A.npy", "B.npy", "C.npy")]
        for a, b, options in CASES:
            for seed, (kind, path) in enumerate(((a, files[0]), (b, files[1]))):
                subprocess.run([program, "random", f"{SIDE}x{SIDE}", kind, "-o", path, "--seed",
                                str(seed)], check=True, stdout=subprocess.DEVNULL)
            peak = peak_bytes([program, "matmul", *files[:2], "-o", files[2], *options])
            total = sum(path.stat().st_size for path in files)
            limit = 1.3 * total + 64 * MIB
            failed += peak >= limit
            print(f"{a:>4} {b:>4}  {' '.join(options):<20} {total / MIB:>6.1f} MiB "
                  f"{limit / MIB:>6.1f} MiB {peak / MIB:>6.1f} MiB"
                  f"{'' if peak < limit else '  TOO MUCH'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
