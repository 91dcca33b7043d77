"""`tilewave emit` as a user runs it, and the script that it writes.

usage: emit_test.py PATH_OF_TILEWAVE [unittest arguments]
"""

import os
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
import cli_test  # noqa: E402


class Emission(cli_test.CliTest):
    """Directories for mlir-aie, and their build script with a toolchain that only notes calls."""

    def emit(self, *options, shape="64x128x64", arch="npu1", to="out"):
        return ["emit", shape, "--arch", arch, *options, "-o", self.dir / to]

    def files(self, to="out"):
        root = self.dir / to
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def test_products_share_a_directory(self):
        first = self.json_of(0, *self.emit())
        self.assertTrue(all(f["written"] for f in first["files"]))
        before = self.files()
        self.assertEqual({f["name"]: f["bytes"] for f in first["files"]},
                         {name: len(data) for name, data in before.items()})
        again = self.json_of(0, *self.emit("--batch", 3, shape="100x700x33"))
        self.assertEqual([f["name"] for f in again["files"] if f["written"]],
                         ["batch3-100x700x33.stream.bin", "batch3-100x700x33.txt"])
        after = self.files()
        self.assertEqual({name: after[name] for name in before}, before)
        self.assertEqual(len(after), len(before) + 2)
        self.assertIn(first["configuration"].encode(), after["README.md"])
        self.assertEqual(cli_test.tilewave(*self.emit()).returncode, 0)  # All of it is there.

    def test_nothing_is_replaced(self):
        self.assertEqual(cli_test.tilewave(*self.emit()).returncode, 0)
        before = self.files()
        for options in (["--columns", 2], ["--out", "s8"], ["--tile", "32x32x32"]):
            self.refuse(3, "differs; nothing was written", *self.emit(*options, shape="1x1x1"))
        self.assertEqual(self.files(), before)
        other = self.dir / "other"
        other.mkdir()
        (other / "notes.txt").write_text("mine")
        self.assertEqual(cli_test.tilewave(*self.emit(to="other")).returncode, 0)
        self.assertEqual(self.files("other")["notes.txt"], b"mine")
        (self.dir / "linked").mkdir()
        (self.dir / "linked" / "build.sh").symlink_to(other / "notes.txt")
        self.refuse(3, "differs", *self.emit(to="linked"))
        self.assertEqual((other / "notes.txt").read_text(), "mine")

    def test_paths(self):
        (self.dir / "file").write_text("")
        self.refuse(3, "is no directory", *self.emit(to="file"))
        self.refuse(4, "cannot make directory", *self.emit(to="no/such/parent"))
        self.refuse(3, "looks like an option", "emit", "1x1x1", "--arch", "npu1", "-o", "--json=x")
        self.refuse(3, "-o is empty", "emit", "1x1x1", "--arch", "npu1", "-o", "")

    def test_refusals(self):
        for shape in ("64", "64x64", "1x2x3x4", "0x1x1", "ax1x1", ""):
            self.refuse(3, "expected MxKxN", *self.emit(shape=shape))
        self.refuse(3, "no tile with m = 30", *self.emit("--tile", "30x64x64"))
        self.refuse(3, "at most 65536", *self.emit("--tile", "128x128x128"))
        self.refuse(3, "no k_mt 96", *self.emit("--k-mt", 96))
        self.refuse(3, "npu1 has 1 to 4", *self.emit("--columns", 5))
        self.refuse(3, "expected row, col or packed", *self.emit("--b-layout", "diagonal"))
        self.refuse(3, "--c-buffers is '3'", *self.emit("--c-buffers", 3))
        self.refuse(3, "--cols is for whole_array", *self.emit("--design", "k_stream",
                                                                  "--columns", 1))
        self.refuse(3, "no s8 output", *self.emit("--design", "k_stream", "--out", "s8"))
        self.refuse(3, "--shift is for --out s8", *self.emit("--shift", 3))
        self.refuse(3, "rounds of tasks", *self.emit(shape="1073741824x64x64"))
        self.assertEqual(cli_test.tilewave(*self.emit(arch="npu3")).returncode, 2)
        self.assertEqual(cli_test.tilewave("emit", "1x1x1", "-o", self.dir / "out").returncode, 2)
        self.assertFalse((self.dir / "out").exists())

    def build(self, **environment):
        return subprocess.run([self.dir / "out" / "build.sh"], text=True, capture_output=True,
                              timeout=60, check=False, env={"PATH": os.environ["PATH"],
                                                            **environment})

    def test_build_script(self):
        emitted = cli_test.tilewave(*self.emit("--tile", "32x64x16", arch="npu2"))
        self.assertEqual(emitted.returncode, 0, emitted.stderr)
        log = self.dir / "log"
        for tool in ("aiecc", "clang++"):
            path = self.dir / tool / "bin" / tool
            path.parent.mkdir(parents=True)
            path.write_text(f'#!/bin/sh\necho {tool} "$@" >> {log}\n')
            path.chmod(0o755)
        good = {"MLIR_AIE_DIR": str(self.dir / "aiecc"),
                "PEANO_INSTALL_DIR": str(self.dir / "clang++")}
        done = self.build(**good)
        self.assertEqual(done.returncode, 0, done.stderr)
        clang, aiecc = log.read_text().splitlines()
        self.assertIn("--target=aie2p-none-unknown-elf", clang)
        self.assertIn("-DDIM_M=32 -DDIM_K=64 -DDIM_N=16 -c kernels/aie/tile_kernels.cc "
                      "-o kernels.o", clang)
        self.assertRegex(aiecc, r"--get-xclbin --xclbin-name=[0-9a-f]{16}\.xclbin ")
        self.assertRegex(aiecc, r" design\.mlir$")
        for name in good:
            self.assertIn(f"{name} is not set", self.build(**{**good, name: ""}).stderr)
            self.assertIn(f"{name} has no bin/", self.build(**{**good, name: "/none"}).stderr)
        missing = self.build(**good, KERNELS="none.cc")
        self.assertEqual((missing.returncode, missing.stderr),
                         (1, "build.sh: there is no file of kernels 'none.cc'\n"))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    cli_test.PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
