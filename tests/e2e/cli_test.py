"""The program as a user runs it, judged by NumPy and by its exit codes.

usage: cli_test.py PATH_OF_TILEWAVE [unittest arguments]
"""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import resource
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np

sys.dont_write_bytecode = True
from gemm_stream import gemm_stream  # noqa: E402

PROGRAM = ""
RNG = np.random.default_rng(42)
SANITIZED = bool(os.environ.get("TILEWAVE_SANITIZED"))


def tilewave(*args, cwd=None, **more):
    return subprocess.run([PROGRAM, *map(str, args)], cwd=cwd, text=True, capture_output=True,
                          timeout=300, check=False, **more)


def with_limit(which, value):
    """For preexec_fn: lowers one limit of the new process."""
    return lambda: resource.setrlimit(which, (value, value))


def wait_until_open(process, path):
    """Returns when the process has something open whose name begins so (also a nameless file), or
    has ended."""
    while process.poll() is None:
        folder = pathlib.Path(f"/proc/{process.pid}/fd")
        with contextlib.suppress(OSError):  # One was closed meanwhile, or the process has ended.
            if any(os.readlink(fd).startswith(str(path)) for fd in folder.iterdir()):
                return


def wait_until_filling(process):
    """Returns when the process has touched 20 MB, or has ended."""
    while process.poll() is None:
        pages = pathlib.Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[1]
        if int(pages) * resource.getpagesize() > 20e6:
            return


def read_terminal(leader):
    """What is written until the other side is closed; unread, it would stop the writer."""
    text = b""
    with contextlib.suppress(OSError):
        while part := os.read(leader, 1 << 16):
            text += part
    return text.decode()


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

    def matmul(self, a, b, *options):
        return ["matmul", a, b, "-o", self.dir / "C.npy", *options]

    def refuse(self, code, part, *args):
        """Runs, expects this exit code and one sentence on stderr, and no output file."""
        done = tilewave(*args)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(part, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertFalse((self.dir / "C.npy").exists())
        self.assertEqual([p for p in self.dir.iterdir() if p.name.endswith(".tmp")], [])

    def json_of(self, code, *args, **more):
        """Runs with --json, expects this exit code and exactly one object on stdout."""
        done = tilewave(*args, "--json", **more)
        self.assertEqual(done.returncode, code, done.stderr)
        result = json.loads(done.stdout)  # Refuses a second object.
        self.assertEqual(result["ok"], code == 0)
        return result


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

    def test_parameters_per_matrix_of_one_column_or_row(self):
        a, b = s8(4, 6, 5), s8(4, 5, 1)
        scale = RNG.random(4, dtype=np.float32)
        want = exact(a, b).astype(np.float32) * scale[:, None, None]
        for shape in ((4,), (4, 1)):
            c = self.multiply(a, b, "--out", "f32", "--scale-b",
                              self.save("s.npy", scale.reshape(shape)))
            np.testing.assert_array_equal(c, want)
        a, b = s8(4, 1, 5), s8(4, 5, 6)
        zero = s8(4, 1)
        c = self.multiply(a, b, "--zero-a", self.save("z.npy", zero))
        np.testing.assert_array_equal(c, exact(a.astype(np.int64) - zero[:, :, None], b))

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
    def test_shapes(self):
        a, b = self.save("A.npy", s8(3, 4)), self.save("B.npy", s8(5, 6))
        self.refuse(3, "the columns of A (4) must equal the rows of B (5)", *self.matmul(a, b))
        self.refuse(3, "every extent must be at least 1",
                    *self.matmul(self.save("A.npy", s8(0, 5)), b))
        self.refuse(3, "has 1 dimensions", *self.matmul(self.save("A.npy", s8(5)), b))
        self.refuse(3, "A is a batch of 2 and B of 3",
                    *self.matmul(self.save("A.npy", s8(2, 4, 5)), self.save("B.npy", s8(3, 5, 6))))

    def test_k_bound(self):
        a, b, both = s8(1, 131072), s8(131072, 1), ["--zero-a", 7, "--zero-b", 3]
        for most, options in ((131071, []), (65793, both[:2]), (65793, both[2:]), (33025, both)):
            beyond = [self.save("A.npy", a[:, :most + 1]), self.save("B.npy", b[:most + 1])]
            self.refuse(3, f"up to K = {most}", *self.matmul(*beyond, *options))

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
        self.refuse(3, "is a directory; expected a .npy file", *self.matmul(self.dir, b))
        self.refuse(3, f"cannot write '{self.dir}': Is a directory", "matmul", a, b, "-o", self.dir)
        self.assertEqual(sorted(p.name for p in self.dir.iterdir()), ["A.npy", "B.npy"])

    def test_devices_and_kernels(self):
        a, b = self.save("A.npy", s8(3, 3)), self.save("B.npy", s8(3, 3))
        self.refuse(4, "no device 'gpu'; expected auto, host, vnpu:PROFILE, xrt[:N]",
                    *self.matmul(a, b, "--device", "gpu"))
        self.refuse(4, "phoenix-pyxrt", *self.matmul(a, b, "--device", "vnpu:birman"))
        self.refuse(5, "not implemented yet", *self.matmul(a, b, "--device", "xrt:0"))
        self.refuse(4, "no CPU kernel 'x'", *self.matmul(a, b, "--kernel", "x"))

    def test_options_that_do_not_belong_together(self):
        a, b = self.save("A.npy", s8(3, 3)), self.save("B.npy", s8(3, 3))
        for part, options in (
                ("scales of A and B apply to f32 and bf16", ["--scale-a", "0.5"]),
                ("give a shift and rounding, or a requantisation scale", ["--out", "s8"]),
                ("requantisation applies to s8 and u8", ["--shift", "3"]),
                ("--shift is '32'; expected an integer from 0 to 31",
                 ["--out", "s8", "--shift", "32"]),
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

    def test_empty_texts(self):
        a, b = self.save("A.npy", s8(3, 3)), self.save("B.npy", s8(3, 3))
        for option in ("--zero-a", "--zero-b", "--scale-a", "--scale-b", "--requant-scale"):
            self.refuse(3, f"{option} is empty; expected a number or a .npy file",
                        *self.matmul(a, b, option, ""))
        for part, options in (("--bias is empty", ["--bias", ""]),
                              ("--zero-a is empty", ["--zero-a="]),
                              ("--kernel is empty", ["--kernel", ""]),
                              ("--shift is empty", ["--shift", "", "--out", "s8"]),
                              ("--zero-c is empty", ["--zero-c", "", "--out", "s8",
                                                     "--requant-scale", "1"])):
            self.refuse(3, part, *self.matmul(a, b, *options))
        self.refuse(3, "A is empty", *self.matmul("", b))
        self.refuse(3, "B is empty", *self.matmul(a, ""))
        self.refuse(3, "--output is empty", "matmul", a, b, "-o", "")
        self.refuse(3, "--output is empty", "random", "3x3", "s8", "-o", "")
        self.refuse(3, "--seed is empty", "random", "3x3", "s8", "-o", self.dir / "C.npy",
                    "--seed", "")
        self.refuse(3, "--cases is empty", "selftest", "--cases", "")

    def test_quantising_integers(self):
        a, b = self.save("A.npy", s8(3, 3)), self.save("B.npy", u8(3, 3))
        self.refuse(3, "--quantise-a applies to float32 inputs, A is s8",
                    *self.matmul(a, b, "--quantise-a", "vector"))
        self.refuse(3, "--quantise-b applies to float32 inputs, B is u8",
                    *self.matmul(a, b, "--quantise-b", "tensor"))

    def test_numbers(self):
        a, b = self.save("A.npy", s8(3, 3)), self.save("B.npy", s8(3, 3))
        random = ["random", "3x3", "s8", "-o", self.dir / "C.npy"]
        for option, most in (("--shift", 31), ("--threads", 1024), ("--retries", 100)):
            for text in ("0x3", "+-3", "3.0", "-1", "1e1", " 3", "", str(most + 1)):
                given = f"'{text}'" if text else "empty"
                self.refuse(3, f"{option} is {given}; expected an integer from 0 to {most}",
                            *self.matmul(a, b, "--out", "s8", option, text))
        for text in ("0x3", "2147483648", "++1"):
            self.refuse(3, f"--zero-c is '{text}'; expected an integer from -2147483648 to",
                        *self.matmul(a, b, "--out", "s8", "--requant-scale", "1", "--zero-c", text))
        for text in ("-1", "0x3", str(2**64)):
            for command in (random, ["selftest"]):
                self.refuse(3, f"--seed is '{text}'; expected an integer from 0 to {2**64 - 1}",
                            *command, "--seed", text)
        for text in ("0", "1000001", "0x3"):
            self.refuse(3, f"--cases is '{text}'; expected an integer from 1 to 1000000",
                        "selftest", "--cases", text)
        self.refuse(3, "--zero-a is '+-1'", *self.matmul(a, b, "--zero-a", "+-1"))
        self.refuse(3, "is no shape", "random", "+4x+4", *random[2:])
        self.assertEqual(self.json_of(0, *random, "--seed", "010")["seed"], 10)  # Not octal.
        self.assertEqual(self.json_of(0, *random, "--seed", 2**64 - 1)["seed"], 2**64 - 1)

    def test_control_characters_stay_off_the_terminal(self):
        b = self.save("B.npy", s8(3, 3))
        self.refuse(4, "x\\x0a\\x1b[31m\\x7f.npy: no such file",
                    *self.matmul(self.dir / "x\n\x1b[31m\x7f.npy", b))
        self.refuse(4, "no device '\\x1bc'", *self.matmul(b, b, "--device", "\x1bc"))
        error = self.json_of(4, *self.matmul("x\n.npy", b))["error"]
        self.assertIn("x\n.npy", error["message"])

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
        error = self.json_of(4, *self.matmul(self.dir / "x.npy", "b.npy"))["error"]
        self.assertEqual(error["code"], "not_found")
        self.assertIn("x.npy", error["message"])
        self.assertEqual(self.json_of(2, "matmul")["error"]["code"], "invalid_argument")
        error = self.json_of(3, "random", "3x3", "s8", "-o", cwd=self.dir)["error"]
        self.assertIn("'--json', which begins with '-' (a file of that name: ./--json)",
                      error["message"])
        self.assertEqual(list(self.dir.iterdir()), [])

    @unittest.skipIf(SANITIZED, "sanitizers cannot run below a limit on addresses")
    def test_memory_that_cannot_be_had(self):
        def out_of_memory(what, *args):
            error = self.json_of(6, *args, cwd=self.dir,
                                 preexec_fn=with_limit(resource.RLIMIT_AS, 4 << 30))["error"]
            self.assertEqual(error["code"], "resource_exhausted")
            self.assertEqual(error["message"], f"{what} of memory, which cannot be had")
            self.assertFalse((self.dir / "C.npy").exists())

        out_of_memory("R.npy needs 931 GiB", "random", "1000000x1000000", "s8", "-o", "R.npy")
        self.save("column.npy", s8(65536, 1))
        self.save("row.npy", s8(1, 65536))
        out_of_memory("C needs 16.0 GiB", "matmul", "column.npy", "row.npy", "-o", "C.npy")
        with open(self.dir / "A.npy", "wb") as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": "|i1", "fortran_order": False, "shape": (2**20, 2**20)})
            file.truncate(file.tell() + 2**40)  # A hole.
        out_of_memory("A.npy needs 1.00 TiB", "matmul", "A.npy", "row.npy", "-o", "C.npy")


class OutputFiles(CliTest):
    def names(self):
        return sorted(p.name for p in self.dir.iterdir())

    def test_mode_of_a_replaced_file_stays(self):
        path = self.dir / "R.npy"
        for mode in (0o640, 0o600):
            path.touch()
            path.chmod(mode)
            self.assertEqual(tilewave("random", "3x3", "s8", "-o", path).returncode, 0)
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), mode)
            self.assertEqual(np.load(path).shape, (3, 3))

    def test_standard_streams_are_not_replaced(self):
        log = self.dir / "log.txt"
        for fd, stream, name in ((1, "stdout", "output"), (2, "stderr", "error")):
            for path in (f"/dev/{stream}", f"/proc/self/fd/{fd}", log):
                log.write_text("before\n", encoding="utf-8")
                with open(log, "a", encoding="utf-8") as file:
                    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: file}
                    done = subprocess.run([PROGRAM, "random", "3x3", "s8", "-o", path], text=True,
                                          check=False, **streams)
                self.assertEqual(done.returncode, 3)
                said = log.read_text(encoding="utf-8").removeprefix("before\n")
                said += done.stderr or ""
                self.assertEqual(said, f"tilewave: cannot write '{path}': it is this program's own "
                                       f"standard {name}\n")
        with open(log, encoding="utf-8") as file:
            done = tilewave("random", "3x3", "s8", "-o", log, stdin=file)
        self.assertEqual(done.returncode, 3)
        self.assertIn("own standard input", done.stderr)
        self.assertEqual(self.names(), ["log.txt"])

    def test_limit_on_the_size_of_files(self):
        done = tilewave("random", "1000x1000", "s8", "-o", "R.npy", cwd=self.dir,
                        preexec_fn=with_limit(resource.RLIMIT_FSIZE, 100000))
        self.assertEqual(done.returncode, 6)
        self.assertEqual(done.stderr, "tilewave: cannot write 'R.npy': File too large\n")
        self.assertEqual(self.names(), [])

    def test_interrupted_runs_leave_nothing(self):
        try:
            os.close(os.open(self.dir, os.O_TMPFILE | os.O_WRONLY))
        except OSError as error:
            self.skipTest(f"no files without a name here: {error}")
        size = "4000x8000" if SANITIZED else "8000x16000"
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            for _ in range(6):
                with subprocess.Popen([PROGRAM, "random", size, "s8", "-o", self.dir / "R.npy"],
                                      stdout=subprocess.PIPE) as process:
                    wait_until_open(process, self.dir)
                    process.send_signal(number)
                if process.returncode == -number:
                    self.assertIn(self.names(), ([], ["R.npy"]))  # Nothing, or all of it.
                    break
                # It was done before the signal came: then the file is whole, and we try again.
                self.assertEqual(process.returncode, 0)
                self.assertEqual(self.names(), ["R.npy"])
                (self.dir / "R.npy").unlink()
            else:
                self.skipTest("each run was over before it could be killed")


@unittest.skipIf(SANITIZED, "seconds of real work take minutes under a sanitizer")
class Progress(CliTest):
    """A bar is drawn by what takes over a second, so work is made to: it is stopped for a while."""

    def make(self, name, shape):
        self.assertEqual(tilewave("random", shape, "s8", "-o", self.dir / name).returncode, 0)

    def start(self, *args, **streams):
        return subprocess.Popen([PROGRAM, *map(str, args)], cwd=self.dir,
                                **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams})

    def drawn_by(self, *args, pause_when=None):
        """What a run writes to a terminal on stderr; pause_when(process) waits for a moment."""
        try:
            leader, follower = pty.openpty()
        except OSError as error:  # Some containers have no pseudo-terminals.
            self.skipTest(str(error))
        with self.start(*args, stderr=follower) as process, \
                concurrent.futures.ThreadPoolExecutor() as pool:
            os.close(follower)
            drawn = pool.submit(read_terminal, leader)
            if pause_when is not None:
                pause_when(process)
                process.send_signal(signal.SIGSTOP)
                time.sleep(1.2)
                for _ in range(20):  # Slowly, so that the thread that draws gets its turn.
                    process.send_signal(signal.SIGCONT)
                    time.sleep(0.001)
                    process.send_signal(signal.SIGSTOP)
                    time.sleep(0.001)
                process.send_signal(signal.SIGCONT)
            process.communicate()
        self.assertEqual(process.returncode, 0)
        os.close(leader)
        return drawn.result()

    def test_products_and_checks(self):
        self.make("A.npy", "3600x3600")
        self.make("B.npy", "1600x1600")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            product = pool.submit(self.drawn_by, "matmul", "A.npy", "A.npy", "-o", "C.npy",
                                  "--kernel", "Int8Gemm_portable_1x1")
            check = ("matmul", "B.npy", "B.npy", "-o", "D.npy", "--check")
            checked = pool.submit(self.drawn_by, *check)
            self.assertEqual(self.start(*check).communicate()[1], b"")  # Not a terminal.
        self.assertRegex(product.result(), r"matmul \[=* *\] +\d+ %")
        self.assertRegex(checked.result(), r"check \[=+ *\] +[1-9]\d* %")

    def test_files(self):
        self.make("A.npy", "1000x131000")
        self.make("B.npy", "131000x1")
        random = ("random", "1000x131000", "s8", "-o")
        moments = {
            "fill F.npy": (*random, "F.npy", wait_until_filling),
            "read A.npy": ("matmul", "A.npy", "B.npy", "-o", "C.npy",
                           lambda p: wait_until_open(p, self.dir / "A.npy"))}
        for label, (*args, when) in moments.items():
            with self.subTest(label):
                for _ in range(6):
                    text = self.drawn_by(*args, pause_when=when)
                    if text:
                        break
                else:
                    # Reading lasts some tens of milliseconds; a busy machine can miss it each
                    # time, which says nothing about the bar. Filling lasts long enough. Writing
                    # cannot be told from filling from outside; its counter has a unit test.
                    if not label.startswith("fill"):
                        self.skipTest(f"'{label}' was over each time before it could be paused")
                self.assertRegex(text, rf"{label} \[=* *\] +\d+ %")
        self.assertEqual(self.drawn_by(*random, "J.npy", "--json", pause_when=wait_until_filling),
                         "")


class VirtualNpu(CliTest):
    """Designs, modes and explanations; all times here are simulated or predicted."""

    def test_every_design_and_mode_is_exact(self):
        a, b = s8(70, 150), s8(150, 45)
        for design, tile in (("packed_tile", 16), ("packed_tile", 32), ("packed_tile", 64),
                             ("k_stream", 64)):
            for mode in ("sequential", "wave", "runlist"):
                for extra in ([], ["--pool", 3, "--sync-each"], ["--no-interleave"]):
                    c = self.multiply(a, b, "--device", "vnpu:phoenix", "--design", design,
                                      "--tile", tile, "--mode", mode, *extra)
                    np.testing.assert_array_equal(c, exact(a, b))

    def test_statistics_are_simulated_and_repeatable(self):
        a, b = self.save("A.npy", s8(100, 90)), self.save("B.npy", s8(90, 80))
        runs = [self.json_of(0, *self.matmul(a, b, "--device", "vnpu:phoenix-pyxrt"))["stats"]
                for _ in range(2)]
        part = runs[0]["parts"][0]
        self.assertEqual(part["time_kind"], "simulated")
        self.assertEqual(part["device"], "vnpu:phoenix-pyxrt")
        self.assertEqual(part["launches"], 1)
        self.assertEqual(runs[0]["phases_us"], runs[1]["phases_us"])
        self.assertAlmostEqual(sum(runs[0]["phases_us"].values()), part["time_us"], places=1)

    def test_a_profile_from_a_file(self):
        a, b = self.save("A.npy", s8(9, 9)), self.save("B.npy", s8(9, 9))
        text = (pathlib.Path(__file__).parents[2] / "profiles" / "phoenix.json").read_text()
        mine = self.dir / "mine.json"
        mine.write_text(text)
        done = tilewave(*self.matmul(a, b, "--device", f"vnpu:{mine}", "--check"))
        self.assertEqual(done.returncode, 0, done.stderr)
        (self.dir / "C.npy").unlink()
        profile = json.loads(text)
        for value, part in ((-3, "constant launch.latency_us (us) is -3"),
                            (1e12, "plausible is"), ("x", "launch.latency_us")):
            profile["constants"]["launch.latency_us"]["value"] = value
            mine.write_text(json.dumps(profile))
            self.refuse(3, part, *self.matmul(a, b, "--device", f"vnpu:{mine}"))
        del profile["constants"]["launch.latency_us"]
        mine.write_text(json.dumps(profile))
        self.refuse(3, "constant launch.latency_us (us) is missing",
                    *self.matmul(a, b, "--device", f"vnpu:{mine}"))
        mine.write_text(text[:1000])
        self.refuse(3, "mine.json", *self.matmul(a, b, "--device", f"vnpu:{mine}"))
        self.refuse(4, "none.json", *self.matmul(a, b, "--device", f"vnpu:{self.dir}/none.json"))

    def test_names_and_numbers_are_refused_by_what_is_expected(self):
        a, b = self.save("A.npy", s8(9, 9)), self.save("B.npy", s8(9, 9))
        for part, options in (
                ("unknown design 'x'; expected one of: packed_tile, k_stream", ["--design", "x"]),
                ("unknown mode 'x'; expected one of: sequential, wave, runlist", ["--mode", "x"]),
                ("--mode is empty", ["--mode", ""]),
                ("k_stream has no tile 16x16x16", ["--design", "k_stream", "--tile", 16]),
                ("--tile is '0'", ["--tile", 0]),
                ("--pool is '-1'", ["--pool", -1]),
                ("--pool is '1e3'", ["--pool", "1e3"]),
                ("one buffer set cannot serve mode wave", ["--buffers", "one", "--mode", "wave"])):
            self.refuse(3, part, *self.matmul(a, b, "--device", "vnpu:phoenix", *options))
        self.refuse(3, "--tile is for an NPU", *self.matmul(a, b, "--tile", 16))
        self.refuse(3, "needs a profile", *self.matmul(a, b, "--device", "vnpu"))

    def test_the_reports_suite(self):
        plot = self.dir / "report.svg"
        result = self.json_of(0, "bench", "--suite", "report", "--plot", plot)
        rows = result["rows"]
        self.assertEqual({row["size"] for row in rows}, {64, 128, 512})
        for row in rows:
            for key in ("design", "tile", "kernel_model", "mode", "buffers", "launches",
                        "total_us", "phases_us", "report_us", "deviation", "exact",
                        "max_abs_error", "wrong_share"):
                self.assertIn(key, row)
            self.assertAlmostEqual(sum(row["phases_us"].values()), row["total_us"],
                                   delta=1e-6 * row["total_us"] + 1)
            self.assertEqual(row["exact"], row["wrong_share"] == 0)
            # The report's own arithmetic, and only that, is wrong.
            self.assertEqual(row["exact"], row["tile"] != 16)
            if row["report_us"] is not None:
                self.assertLess(abs(row["deviation"]), 0.08 if row["buffers"] != "per_tile" else .1)
        self.assertEqual(sum(row["report_us"] is not None for row in rows), 7)
        self.assertTrue(plot.read_text().startswith("<svg") or "<svg" in plot.read_text()[:200])
        self.refuse(3, "expected vnpu:PROFILE", "bench", "--suite", "report", "--device", "host")
        self.refuse(4, "phoenix-pyxrt", "bench", "--suite", "report", "--device", "vnpu:x")
        self.refuse(3, "expected vnpu:PROFILE", "bench", "--suite", "report", "--device", "")
        self.assertEqual(tilewave("bench", "--suite", "other").returncode, 2)

    def test_explanations_add_up(self):
        for shape in ("512x512x512", "1x1x1", "1500x512x77"):
            for device in ("vnpu:phoenix", "vnpu:phoenix-pyxrt"):
                result = self.json_of(0, "explain", shape, "--device", device)
                for strategy in result["strategies"]:
                    terms = strategy["terms_us"]
                    self.assertAlmostEqual(sum(terms.values()), strategy["total_us"], places=3)
                    self.assertEqual(terms[strategy["wall"]], max(terms.values()))
                self.assertIn("Four slips", tilewave("explain", shape, "--device", device).stdout)
        self.assertGreater(self.json_of(0, "explain", "64x512x64")["lossy"]["wrong"], 0)
        huge = tilewave("explain", "16777216x131071x16777216")
        self.assertEqual(huge.returncode, 0)
        self.assertNotIn("(-", huge.stdout)
        for shape in ("512", "512x512", "1x2x3x4", "0x1x1", "ax1x1", "-1x1x1", ""):
            self.refuse(3, "expected MxKxN", "explain", shape)
        self.refuse(3, "no profile to explain with", "explain", "2x2x2", "--device", "host")


class Streams(CliTest):
    GEMM = gemm_stream(256, 256, 256, 32, 32, 32)

    def file(self, content, name="insts.bin"):
        path = self.dir / name
        path.write_bytes(content)
        return path

    def test_a_published_stream(self):
        # The file that mlir-aie compiled: what the formulas give is the same to the byte.
        self.assertEqual(hashlib.md5(self.GEMM).hexdigest(), "b6e7c0305e3d529bc574df69b689ec4b")
        stream = self.json_of(0, "stream", "decode", self.file(self.GEMM))
        self.assertEqual(stream["header"],
                         {"version": "0.1", "npu": "npu1", "generation": 3, "rows": 6,
                          "columns": 4, "ops": 68, "bytes": 2592})
        self.assertEqual(len(stream["ops"]), 68)
        self.assertEqual(stream["ops"][2]["word"], 28)
        # Every element of C is written once, and no byte beside it.
        written = np.zeros(256 * 256, int)
        tasks = [task for task in stream["tasks"] if task["kind"] == "task"]
        self.assertEqual(len(tasks), 20)
        for task in tasks:
            pattern = task["pattern"]
            if task["direction"] == "MM2S":
                self.assertEqual(task["channel"], pattern["argument"])
                self.assertEqual(task["executions"], 8)
                continue
            (s0, s1, s2), (t0, t1, t2) = pattern["sizes"], pattern["steps_words"]
            words = np.add.outer(np.add.outer(np.arange(s2) * t2, np.arange(s1) * t1),
                                 np.arange(s0) * t0).ravel()
            for execution in range(task["executions"]):
                np.add.at(written, pattern["offset_bytes"] // 4 + words
                          + execution % pattern["iteration_size"]
                          * pattern["iteration_step_words"], 1)
        self.assertEqual(set(written), {1})
        self.assertEqual(sum(task["kind"] == "wait" for task in stream["tasks"]), 4)

    def test_text_is_as_good_as_binary(self):
        words = struct.unpack(f"<{len(self.GEMM) // 4}I", self.GEMM)
        binary = tilewave("stream", "decode", self.file(self.GEMM)).stdout
        self.assertIn("buffer 0 + 16384 B: 32 rows x 64 B, step 512 B, in 8 blocks, step 64 B, "
                      "repeated 8 times\n", binary)
        for end in ("\n", "\r\n"):
            text = "".join(f"{word:08X}{end}" for word in words)
            path = self.file(text.encode(), "insts.txt")
            self.assertEqual(tilewave("stream", "decode", path).stdout, binary)

    def test_files_that_are_no_streams(self):
        def refuse(code, part, content):
            self.refuse(code, part, "stream", "decode", self.file(content))
        refuse(3, "is truncated: it has 0 words", b"")
        refuse(3, "has 2591 bytes; expected whole words", self.GEMM[:-1])
        refuse(3, "insts.bin: the instruction stream has 2588 bytes; its header says 2592",
               self.GEMM[:-4])
        refuse(5, "is of version 2.1", b"\2" + self.GEMM[1:])
        refuse(3, "for generation 9", self.GEMM[:2] + b"\x09" + self.GEMM[3:])
        refuse(5, "at word 4 of the instruction stream is 0x02 (a block set), whose layout",
               self.GEMM[:16] + b"\2" + self.GEMM[17:])
        refuse(3, "line 2 is 'not a word'", b"06030100\nnot a word\n")
        refuse(3, "line 1 is '0x060301'", b"0x060301\n")
        refuse(3, "line 1 is '\\x80", bytes(range(128, 256)))
        self.refuse(4, "no such file", "stream", "decode", self.dir / "none")
        self.refuse(3, "is a directory; expected an instruction stream", "stream", "decode",
                    self.dir)
        self.refuse(2, "see tilewave --help", "stream")
        self.refuse(2, "see tilewave --help", "stream", "decode")


class OtherCommands(CliTest):
    def test_version_and_help(self):
        self.assertRegex(tilewave("--version").stdout, r"^tilewave \d+\.\d+\.\d+\n$")
        self.assertIn("Exit codes", tilewave("--help").stdout)
        text = tilewave("matmul", "--help").stdout
        self.assertIn("--requant-scale", text)
        for choices in ("none,relu,gelu,silu", "s32,s8,u8,f32,bf16", "vector,tensor,asymmetric"):
            self.assertEqual(text.count(choices), 1)
        self.assertNotIn("silu or", text)
        self.assertNotIn("or silu", text)

    def test_version_and_help_as_json(self):
        version = tilewave("--version").stdout.split()[1]
        self.assertEqual(self.json_of(0, "--version"), {"ok": True, "version": version})
        for args in (["--help"], ["matmul", "--help"]):
            self.assertEqual(self.json_of(0, *args), {"ok": True, "help": tilewave(*args).stdout})

    def test_devices(self):
        done = tilewave("devices")
        self.assertEqual(done.returncode, 0)
        for name in ("host", "vnpu", "xrt"):
            self.assertIn(name, done.stdout)
        devices = json.loads(tilewave("devices", "--json").stdout)["devices"]
        self.assertEqual([d["usable"] for d in devices], 7 * [True] + [False])

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

    def test_closed_output_is_an_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([PROGRAM, "devices"], stdout=full, stderr=subprocess.PIPE,
                                  check=False)
        self.assertEqual(done.returncode, 6)
        self.assertIn(b"standard output", done.stderr)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
