"""The program as a user runs it, judged by NumPy and by its exit codes.

usage: cli_test.py PATH_OF_TILEWAVE [unittest arguments]
"""

import json
import os
import pathlib
import pty
import struct
import subprocess
import sys
import tempfile
import unittest

import numpy as np

PROGRAM = ""
RNG = np.random.default_rng(42)


def tilewave(*args, cwd=None):
    return subprocess.run([PROGRAM, *map(str, args)], cwd=cwd, text=True, capture_output=True,
                          timeout=300, check=False)


def s8(*shape):
    return RNG.integers(-128, 128, shape, dtype=np.int8)


def u8(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def exact(a, b):
    return np.matmul(a.astype(np.int64), b.astype(np.int64))


class CliTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.dir = pathlib.Path(self.folder.name)

    def save(self, name, array, version=None):
        path = self.dir / name
        with open(path, "wb") as f:
            np.lib.format.write_array(f, array, version=version)
        return path

    def multiply(self, a, b, *options):
        """Runs matmul on two arrays and returns C."""
        out = self.dir / "C.npy"
        done = tilewave("matmul", self.save("A.npy", a), self.save("B.npy", b), "-o", out, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return np.load(out)

    def refuse(self, code, part, *args):
        """Runs, expects this exit code and one sentence on stderr, and no output file."""
        done = tilewave(*args)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(part, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertFalse((self.dir / "C.npy").exists())
        self.assertEqual([p for p in self.dir.iterdir() if p.name.endswith(".tmp")], [])


class Products(CliTest):
    def test_every_order_version_and_type(self):
        for a, b in ((s8(33, 70), s8(70, 45)), (u8(33, 70), s8(70, 45)), (s8(1, 1), u8(1, 1)),
                     (u8(5, 200), u8(200, 3))):
            for order_a in "CF":
                for order_b in "CF":
                    c = self.multiply(np.asarray(a, order=order_a), np.asarray(b, order=order_b))
                    self.assertEqual(c.dtype, np.int32)
                    np.testing.assert_array_equal(c, exact(a, b))
        a, b = s8(9, 8), s8(8, 7)
        for version in ((1, 0), (2, 0), (3, 0)):
            out = self.dir / "C.npy"
            done = tilewave("matmul", self.save("A.npy", a, version),
                            self.save("B.npy", b, version), "-o", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            np.testing.assert_array_equal(np.load(out), exact(a, b))

    def test_batches_broadcast(self):
        cases = ((s8(3, 10, 20), s8(3, 20, 15)), (s8(3, 10, 20), s8(20, 15)),
                 (s8(10, 20), s8(3, 20, 15)), (s8(1, 10, 20), s8(4, 20, 15)),
                 (s8(1, 10, 20), s8(1, 20, 15)))
        for a, b in cases:
            for order in "CF":
                c = self.multiply(np.asarray(a, order=order), np.asarray(b, order=order))
                np.testing.assert_array_equal(c, exact(a, b))
                self.assertEqual(c.shape, exact(a, b).shape)

    def test_zero_points_and_scales(self):
        a, b = u8(20, 40), s8(40, 30)
        zero_a = RNG.integers(0, 256, 20, dtype=np.uint8)
        scale_a = RNG.random(20, dtype=np.float32)
        scale_b = RNG.random(30, dtype=np.float32)
        bias = RNG.standard_normal(30).astype(np.float32)
        c = self.multiply(a, b, "--out", "f32", "--zero-a", self.save("za.npy", zero_a),
                          "--zero-b", -3, "--scale-a", self.save("sa.npy", scale_a),
                          "--scale-b", self.save("sb.npy", scale_b),
                          "--bias", self.save("bias.npy", bias))
        acc = exact(a.astype(np.int64) - zero_a[:, None], b.astype(np.int64) + 3)
        want = acc.astype(np.float32) * (scale_a[:, None] * scale_b[None, :]) + bias
        np.testing.assert_array_equal(c, want)
        relu = self.multiply(a, b, "--out", "f32", "--zero-a", self.save("za.npy", zero_a),
                             "--zero-b", -3, "--scale-a", self.save("sa.npy", scale_a),
                             "--scale-b", self.save("sb.npy", scale_b), "--activation", "relu",
                             "--bias", self.save("bias.npy", bias))
        np.testing.assert_array_equal(relu, np.maximum(want, 0))

    def test_requantisation_both_ways(self):
        a, b = s8(31, 64), s8(64, 29)
        acc = exact(a, b)
        c = self.multiply(a, b, "--out", "s8", "--shift", 9, "--rounding", "floor")
        np.testing.assert_array_equal(c, np.clip(acc >> 9, -128, 127).astype(np.int8))
        bias = RNG.integers(-5000, 5000, 29, dtype=np.int32)
        scale = (RNG.random(29) * 0.004).astype(np.float32)
        c = self.multiply(a, b, "--out", "u8", "--requant-scale", self.save("s.npy", scale),
                          "--zero-c", 100, "--bias", self.save("bias.npy", bias))
        scaled = np.rint((acc + bias).astype(np.float32) * scale)
        np.testing.assert_array_equal(c, np.clip(scaled + 100, 0, 255).astype(np.uint8))

    def test_bfloat16_is_the_upper_half_of_float32(self):
        a, b = s8(11, 50), s8(50, 13)
        f32 = self.multiply(a, b, "--out", "f32", "--scale-b", "0.0123")
        bf16 = self.multiply(a, b, "--out", "bf16", "--scale-b", "0.0123")
        self.assertEqual(bf16.dtype, np.dtype("V2"))
        bits = f32.view(np.uint32).astype(np.uint64)
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
        np.testing.assert_array_equal(bf16.view(np.uint16), rounded.astype(np.uint16))

    def test_float_inputs_are_quantised_per_row_and_column(self):
        a = RNG.standard_normal((25, 60)).astype(np.float32) * np.logspace(-3, 3, 25,
                                                                          dtype=np.float32)[:, None]
        b = RNG.standard_normal((60, 35)).astype(np.float32)
        c = self.multiply(a, b)
        self.assertEqual(c.dtype, np.float32)

        def quantise(x, axis):
            amax = np.abs(x).max(axis=axis, keepdims=True)
            q = np.clip(np.rint(x * (np.float32(127) / amax)), -127, 127)
            return q.astype(np.int64), amax / np.float32(127)

        qa, sa = quantise(a, 1)
        qb, sb = quantise(b, 0)
        np.testing.assert_array_equal(c, exact(qa, qb).astype(np.float32) * (sa * sb))
        mixed = self.multiply(a, s8(60, 35))
        self.assertEqual(mixed.dtype, np.float32)
        asymmetric = self.multiply(a, b, "--quantise-a", "asymmetric", "--quantise-b", "tensor")
        error = np.abs(asymmetric - a.astype(np.float64) @ b.astype(np.float64))
        step = (a.max() - a.min()) / 255 * np.abs(b).sum(axis=0).max()
        self.assertLess(error.max(), 2 * step)

    def test_check_stats_and_json(self):
        a, b = self.save("A.npy", s8(8, 9)), self.save("B.npy", s8(9, 7))
        done = tilewave("matmul", a, b, "-o", self.dir / "C.npy", "--check", "--stats")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("all 56 elements equal the reference", done.stdout)
        self.assertIn("measured", done.stdout)
        done = tilewave("matmul", a, b, "-o", self.dir / "C.npy", "--check", "--json")
        result = json.loads(done.stdout)
        self.assertTrue(result["ok"])
        self.assertEqual(result["check"], {"elements": 56, "wrong": 0, "max_abs_error": 0})
        self.assertEqual(result["shape"], {"batch": 1, "m": 8, "k": 9, "n": 7})
        self.assertEqual(result["stats"]["parts"][0]["device"], "host")
        self.assertEqual(result["stats"]["parts"][0]["time_kind"], "measured")

    def test_output_may_replace_an_input(self):
        a, b = s8(4, 4), s8(4, 4)
        path = self.save("A.npy", a)
        done = tilewave("matmul", path, self.save("B.npy", b), "-o", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        np.testing.assert_array_equal(np.load(path), exact(a, b))


class Refusals(CliTest):
    def matmul(self, a, b, *options):
        return ["matmul", a, b, "-o", self.dir / "C.npy", *options]

    def test_shapes(self):
        a, b = self.save("A.npy", s8(3, 4)), self.save("B.npy", s8(5, 6))
        self.refuse(3, "the columns of A (4) must equal the rows of B (5)", *self.matmul(a, b))
        self.refuse(3, "every extent must be at least 1",
                    *self.matmul(self.save("A.npy", s8(0, 5)), b))
        self.refuse(3, "has 1 dimensions", *self.matmul(self.save("A.npy", s8(5)), b))
        self.refuse(3, "A is a batch of 2 and B of 3",
                    *self.matmul(self.save("A.npy", s8(2, 4, 5)), self.save("B.npy", s8(3, 5, 6))))

    def test_k_bound(self):
        a, b = s8(1, 131072), s8(131072, 1)
        self.refuse(3, "up to K = 131071",
                    *self.matmul(self.save("A.npy", a), self.save("B.npy", b)))
        a, b = u8(1, 65794), s8(65794, 1)
        self.refuse(3, "up to K = 65793",
                    *self.matmul(self.save("A.npy", a), self.save("B.npy", b)))
        self.refuse(3, "up to K = 33025",
                    *self.matmul(self.save("A.npy", a[:, :33026]), self.save("B.npy", b[:33026]),
                                 "--zero-a", 7))

    def test_hostile_files(self):
        good = self.save("B.npy", s8(3, 3))
        path = self.dir / "A.npy"

        def with_header(descr, shape, data=b"", order=False):
            text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"
            text = text.ljust(117) + "\n"
            path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()
                             + data)
            return path

        cases = ((b"not an npy file at all", "is not a .npy file"), (b"", "truncated"))
        for content, part in cases:
            path.write_bytes(content)
            self.refuse(3, part, *self.matmul(path, good))
        huge = 2**62
        for descr, shape, part in (("'|i1'", "(3, 3)", "truncated"),
                                   ("'|i1'", f"({huge}, {huge})", "overflows"),
                                   ("'|i1'", "(1000000, 1000000)", "truncated"),
                                   ("'|O'", "(3, 3)", "Python objects"),
                                   ("'>f4'", "(3, 3)", "big-endian"),
                                   ("'<f8'", "(3, 3)", "float32"),
                                   ("'|i1'", "(-3, 3)", "A.npy")):
            self.refuse(3, part, *self.matmul(with_header(descr, shape), good))

    def test_paths(self):
        a, b = self.save("A.npy", s8(3, 3)), self.save("B.npy", s8(3, 3))
        self.refuse(4, "missing.npy", *self.matmul(self.dir / "missing.npy", b))
        self.refuse(4, "no-folder", "matmul", a, b, "-o", self.dir / "no-folder" / "C.npy")
        done = tilewave("matmul", self.dir, b, "-o", self.dir / "C.npy")
        self.assertNotEqual(done.returncode, 0)
        done = tilewave("matmul", a, b, "-o", self.dir)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(sorted(p.name for p in self.dir.iterdir()), ["A.npy", "B.npy"])

    def test_devices_and_kernels(self):
        a, b = self.save("A.npy", s8(3, 3)), self.save("B.npy", s8(3, 3))
        self.refuse(4, "no device 'gpu'; expected auto, host, vnpu:PROFILE, xrt[:N]",
                    *self.matmul(a, b, "--device", "gpu"))
        self.refuse(5, "not implemented yet", *self.matmul(a, b, "--device", "vnpu:phoenix"))
        self.refuse(5, "not implemented yet", *self.matmul(a, b, "--device", "xrt:0"))
        self.refuse(4, "no CPU kernel 'x'", *self.matmul(a, b, "--kernel", "x"))

    def test_options_that_do_not_belong_together(self):
        a, b = self.save("A.npy", s8(3, 3)), self.save("B.npy", s8(3, 3))
        for part, options in (
                ("scales of A and B apply to f32 and bf16", ["--scale-a", "0.5"]),
                ("give a shift and rounding, or a requantisation scale", ["--out", "s8"]),
                ("requantisation applies to s8 and u8", ["--shift", "3"]),
                ("expected 0 to 31", ["--out", "s8", "--shift", "32"]),
                ("two ways", ["--out", "s8", "--shift", "3", "--requant-scale", "0.1"]),
                ("belong to --shift", ["--rounding", "floor"]),
                ("belongs to --requant-scale", ["--zero-c", "3"]),
                ("zero point 0 of A is 300", ["--zero-a", "300"]),
                ("must be finite", ["--out", "f32", "--scale-a", "inf"]),
                ("must be finite", ["--out", "f32", "--scale-b", "nan"]),
                ("which is no float32", ["--scale-a", "1..5"])):
            self.refuse(3, part, *self.matmul(a, b, *options))
        self.refuse(5, "gelu needs an f32 or bf16 output",
                    *self.matmul(a, b, "--activation", "gelu"))

    def test_not_finite_floats(self):
        a = np.ones((4, 5), np.float32)
        a[2, 3] = np.nan
        b = self.save("B.npy", s8(5, 5))
        self.refuse(3, "row 2 of A holds NaN (at k = 3)",
                    *self.matmul(self.save("A.npy", a), b))
        a[2, 3] = np.inf
        self.refuse(3, "row 2 of A holds infinity", *self.matmul(self.save("A.npy", a), b))
        self.refuse(3, "column 2 of B holds infinity",
                    *self.matmul(b, self.save("A.npy", a.T.copy())))
        self.refuse(3, "C must be f32 or bf16, not s32",
                    *self.matmul(self.save("A.npy", np.ones((4, 5), np.float32)), b, "--out",
                                 "s32"))

    def test_usage(self):
        for args in ((), ("matmul",), ("frobnicate",),
                     ("matmul", "a", "b", "-o", "c", "--out", "x"),
                     ("random", "3x3", "s9", "-o", "x")):
            done = tilewave(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertIn("tilewave", done.stderr)
        self.refuse(3, "is no shape", "random", "3y3", "s8", "-o", self.dir / "C.npy")

    def test_errors_as_json(self):
        done = tilewave("matmul", self.dir / "x.npy", "b.npy", "-o", self.dir / "C.npy", "--json")
        self.assertEqual(done.returncode, 4)
        error = json.loads(done.stdout)
        self.assertFalse(error["ok"])
        self.assertEqual(error["error"]["code"], "not_found")
        self.assertIn("x.npy", error["error"]["message"])
        done = tilewave("matmul", "--json")
        self.assertEqual(done.returncode, 2)
        self.assertFalse(json.loads(done.stdout)["ok"])


class OtherCommands(CliTest):
    def test_version_and_help(self):
        self.assertRegex(tilewave("--version").stdout, r"^tilewave \d+\.\d+\.\d+\n$")
        self.assertIn("Exit codes", tilewave("--help").stdout)
        self.assertIn("--requant-scale", tilewave("matmul", "--help").stdout)

    def test_devices(self):
        done = tilewave("devices")
        self.assertEqual(done.returncode, 0)
        for name in ("host", "vnpu", "xrt"):
            self.assertIn(name, done.stdout)
        devices = json.loads(tilewave("devices", "--json").stdout)["devices"]
        self.assertEqual([d["usable"] for d in devices], [True, False, False])

    def test_selftest(self):
        done = tilewave("selftest", "--cases", 25, "--seed", 3)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("25 random products", done.stdout)
        result = json.loads(tilewave("selftest", "--cases", 10, "--json").stdout)
        self.assertEqual(result["failures"], [])
        self.assertGreater(result["elements"], 1000)
        self.assertEqual(tilewave("selftest", "--device", "nope").returncode, 4)

    def test_random_is_repeatable_and_full_range(self):
        path = self.dir / "r.npy"
        for kind, dtype in (("s8", np.int8), ("u8", np.uint8), ("f32", np.float32)):
            self.assertEqual(tilewave("random", "300x200", kind, "-o", path).returncode, 0)
            first = np.load(path)
            self.assertEqual(first.dtype, dtype)
            self.assertEqual(first.shape, (300, 200))
            self.assertGreater(len(np.unique(first)), 250)
            tilewave("random", "300x200", kind, "-o", path, "--seed", 1)
            np.testing.assert_array_equal(np.load(path), first)
            tilewave("random", "300x200", kind, "-o", path, "--seed", 2)
            self.assertFalse(np.array_equal(np.load(path), first))
        tilewave("random", "2x3x4", "s8", "-o", path)
        self.assertEqual(np.load(path).shape, (2, 3, 4))

    def test_progress_bar_only_on_a_terminal(self):
        tilewave("random", "3600x3600", "s8", "-o", self.dir / "A.npy")
        args = [PROGRAM, "matmul", str(self.dir / "A.npy"), str(self.dir / "A.npy"), "-o",
                str(self.dir / "C.npy"), "--kernel", "Int8Gemm_portable_1x1x1"]
        try:
            leader, follower = pty.openpty()
        except OSError as error:  # Some containers have no pseudo-terminals.
            self.skipTest(str(error))
        done = subprocess.run(args, stderr=follower, stdout=subprocess.PIPE, timeout=300,
                              check=False)
        os.close(follower)
        drawn = os.read(leader, 1 << 16).decode()
        os.close(leader)
        self.assertEqual(done.returncode, 0)
        self.assertIn("matmul [", drawn)
        self.assertIn("%", drawn)
        self.assertEqual(subprocess.run(args, capture_output=True, check=False).stderr, b"")

    def test_closed_output_is_an_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([PROGRAM, "devices"], stdout=full, stderr=subprocess.PIPE,
                                  check=False)
        self.assertEqual(done.returncode, 6)
        self.assertIn(b"standard output", done.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)
