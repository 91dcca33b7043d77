"""`tilewave bench` on the whole array, and products that it computes, as a user runs them.

usage: whole_array_test.py PATH_OF_TILEWAVE [unittest arguments]
"""

import os
import sys
import unittest

sys.dont_write_bytecode = True
import cli_test  # noqa: E402
import numpy as np  # noqa: E402


class Bench(cli_test.CliTest):
    """Rows of one product, and the published figures."""

    def row(self, *options):
        rows = self.json_of(0, "bench", "--design", "whole_array", *options)["rows"]
        self.assertEqual(len(rows), 1)
        return rows[0]

    def test_a_row_with_data_is_exact(self):
        for options in (["--shape", "100x77x130"], ["--shape", "33x65x97", "--out", "s8"],
                        ["--shape", "70x90x50", "--batch", 3, "--b-layout", "col"],
                        ["--shape", "70x90x50", "--device", "vnpu:krackan", "--cols", 3]):
            row = self.row(*options)
            self.assertIs(row["exact"], True)
            self.assertEqual(row["launches"], 1)
            self.assertEqual(row["design"], "whole_array")
            self.assertEqual(row["time_kind"], "simulated")
            self.assertAlmostEqual(sum(row["terms_us"].values()), row["simulated_us"],
                                   delta=0.01 * row["simulated_us"])
            self.assertFalse(row["lossy"])

    def test_a_published_configuration_is_timed(self):
        row = self.row("--device", "vnpu:phoenix", "--shape", "4032x4032x4032", "--tile",
                       "112x112x112", "--k-mt", 448, "--b-layout", "col", "--cols", 4, "--stack",
                       1024, "--c-buffers", 1, "--c-type", "output", "--out", "s8",
                       "--kernel-model", "chess", "--timing-only")
        self.assertIsNone(row["exact"])
        self.assertTrue(row["lossy"])
        self.assertEqual(row["tile"], "112x112x112")
        self.assertLess(abs(row["tops"] / 6.52 - 1), 0.06)
        self.assertAlmostEqual(row["tops"], 2 * 4032**3 / row["simulated_us"] / 1e6, places=6)
        # Every kernel model and output type that a publication could name.
        for model in ("chess", "peano-mm", "scalar16"):
            for out in ("s8", "s16", "s32"):
                for c_type in ("int32", "output"):
                    row = self.row("--shape", "256x256x256", "--kernel-model", model, "--out", out,
                                   "--c-type", c_type, "--timing-only", "--device", "vnpu:strix")
                    self.assertGreater(row["simulated_us"], 0)
        self.row("--shape", "256x256x256", "--kernel-model", "ours", "--timing-only")

    def test_what_cannot_be_is_refused_by_name(self):
        bench = ["bench", "--design", "whole_array", "--shape", "512x512x512"]
        for code, part, options in (
                (5, "is for timing only", ["--out", "s8", "--c-type", "output"]),
                (3, "the nearest is 112", ["--tile", "110x64x64"]),
                (3, "data memory", ["--tile", "128x128x128"]),
                (3, "on 5 columns; npu1 has 1 to 4", ["--cols", 5]),
                (3, "expected a multiple", ["--k-mt", 100]),
                (4, "no kernel model 'gcc'; expected one of", ["--kernel-model", "gcc"]),
                (3, "is no virtual NPU", ["--device", "host"]),
                (3, "--k-mt is 'x'", ["--k-mt", "x"]),
                (3, "expected N, or MxKxN", ["--tile", "64x64"]),
                (3, "unknown 'fast'", ["--device", "vnpu:phoenix:fast"]),
                (4, "no constant 'ddr.speed'", ["--device", "vnpu:phoenix:ddr.speed=3"]),
                (3, "ddr.read_gbps = -3", ["--device", "vnpu:phoenix:ddr.read_gbps=-3"])):
            self.refuse(code, part, *bench, *options)
        self.refuse(3, "expected MxKxN", "bench", "--design", "whole_array")
        self.refuse(3, "expected MxKxN", "bench", "--design", "whole_array", "--shape", "0x1x1")
        self.refuse(3, "whole_array only", "bench", "--design", "k_stream", "--shape", "1x1x1")
        self.refuse(3, "whole_array only", "bench")
        self.refuse(3, "--suite runs its own", "bench", "--suite", "published", "--shape", "1x1x1")

    def test_the_published_suite(self):
        result = self.json_of(0, "bench", "--suite", "published")
        self.assertGreaterEqual(len(result["rows"]), 20)
        errors = sorted(abs(row["simulated"] / row["published"] - 1) for row in result["rows"])
        self.assertLessEqual(errors[-1], 0.15)
        self.assertLessEqual(result["median_error"], 0.06)
        self.assertAlmostEqual(errors[-1], result["worst_error"])
        text = cli_test.tilewave("bench", "--suite", "published").stdout
        self.assertIn("never run on silicon", text)
        self.assertIn("Left out", text)


class Products(cli_test.CliTest):
    """matmul in one launch, judged by NumPy."""

    def test_ragged_products(self):
        a = cli_test.s8(3, 101, 203)
        b = cli_test.s8(3, 203, 57)
        expected = cli_test.exact(a, b)
        for device in ("vnpu:phoenix", "vnpu:krackan"):
            for options in ([], ["--tile", "16x32x16", "--k-mt", 64, "--cols", 2],
                            ["--b-layout", "row", "--c-buffers", 2]):
                c = self.multiply(a, b, "--device", device, "--design", "whole_array", *options)
                np.testing.assert_array_equal(c, expected)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    cli_test.PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
