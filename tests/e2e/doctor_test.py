"""`tilewave doctor` on this machine, and on recorded ones.

usage: doctor_test.py PATH_OF_TILEWAVE [unittest arguments]
"""

import os
import shutil
import sys
import unittest

sys.dont_write_bytecode = True
import cli_test  # noqa: E402

NPU = "sys/bus/pci/devices/0000:c5:00.1"
CHECKS = ["npu", "kernel", "driver", "firmware", "firmware_protocol", "accel_node", "memlock",
          "xrt", "xrt_plugin", "contexts", "power"]
XRT = "opt/xilinx/xrt/lib"
LIMITS = "Max locked memory         {0:20} {0:20} bytes\n"


class Doctor(cli_test.CliTest):
    """Each recorded system is a folder with what the files of one would say."""

    def put(self, path, text=""):
        path = self.dir / path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text, encoding="ascii")
        return path

    def record(self, device="0x1502", revision="0x00", name="1502_00"):
        """A machine with everything in order."""
        self.put("proc/sys/kernel/osrelease", "6.17.0-8-generic\n")
        self.put("proc/cpuinfo", "model name\t: AMD Ryzen 7 7840HS\n")
        self.put("proc/modules", "amdxdna 163840 0 - Live 0x0\n")
        self.put("proc/self/status", "Uid:\t4999\t4999\t4999\t4999\nGid:\t4999\t4999\t4999\t4999\n"
                 f"Groups:\t27 {os.getegid()}\nCapEff:\t0000000000000000\n")
        self.put("proc/self/limits", LIMITS.format("unlimited"))
        self.put("sys/module/amdxdna/srcversion", "0F3A\n")
        for attribute, text in (("vendor", "0x1022"), ("device", device), ("revision", revision),
                                ("vbnv", "RyzenAI"), ("fw_version", "1.5.5.391"),
                                ("power/runtime_status", "active"), ("accel/accel0/dev", "261:0")):
            self.put(f"{NPU}/{attribute}", text + "\n")
        (self.dir / NPU / "driver").symlink_to("../../drivers/amdxdna")
        self.put(f"lib/firmware/amdnpu/{name}/npu.sbin")
        self.put("dev/accel/accel0").chmod(0o660)
        self.put("etc/group", f"render:x:{os.getegid()}:\n")
        self.put(f"{XRT}/libxrt_coreutil.so.2.19.0")
        self.put(f"{XRT}/libxrt_driver_xdna.so.2.19.0")

    def unbind(self):
        """The driver never started the NPU, or gave up."""
        (self.dir / NPU / "driver").unlink()
        shutil.rmtree(self.dir / NPU / "accel")

    def unload(self):
        self.unbind()
        shutil.rmtree(self.dir / "sys/module")
        (self.dir / "proc/modules").unlink()

    def examine(self, code, usable):
        result = self.json_of(code, "doctor", "--root", self.dir)
        self.assertEqual([c["name"] for c in result["checks"]], CHECKS)
        self.assertEqual(result["usable"], usable, result)
        for check in result["checks"]:
            self.assertIn(check["state"], ("ok", "trouble", "unknown", "not_applicable"))
            self.assertTrue(check["seen"])
            self.assertNotIn("\n", check["seen"] + check["mend"])
            if check["state"] == "trouble":
                self.assertTrue(check["mend"])
            if check["state"] in ("ok", "not_applicable"):
                self.assertEqual(check["mend"], "")
        return {c["name"]: c for c in result["checks"]}

    def trouble(self, name):
        """Expects exactly one check in trouble."""
        checks = self.examine(5, False)
        self.assertEqual([n for n, c in checks.items() if c["state"] == "trouble"], [name])
        return checks[name]

    def test_this_machine(self):
        result = cli_test.tilewave("doctor")
        self.assertIn(result.returncode, (0, 5), result.stderr)
        self.assertEqual(result.stderr, "")
        words = [line.split()[1] for line in result.stdout.splitlines()[:-1] if line[0] != " "]
        self.assertEqual(words, CHECKS)
        if not any(cli_test.pathlib.Path(p, "vendor").read_text().strip() == "0x1022"
                   for p in cli_test.pathlib.Path("/sys/bus/pci/devices").glob("*")):
            self.assertEqual(result.returncode, 0)
            self.assertIn("no AMD NPU on the PCI bus", result.stdout)
            self.assertIn("nothing to mend", result.stdout)

    def test_healthy(self):
        self.record()
        self.assertIn("Phoenix", self.examine(0, True)["npu"]["seen"])
        for revision, name, what in (("0x10", "17f0_10", "Strix (npu2)"),
                                     ("0x11", "17f0_11", "Strix Halo"),
                                     ("0x20", "17f0_20", "Krackan")):
            shutil.rmtree(self.dir)
            self.record("0x17f0", revision, name)
            checks = self.examine(0, True)
            self.assertIn(what, checks["npu"]["seen"])
            self.assertIn(name, checks["firmware"]["seen"])

    def test_no_npu(self):
        self.record()
        self.unload()
        self.put(f"{NPU}/vendor", "0x8086\n")
        checks = self.examine(0, False)
        self.assertEqual(checks["npu"]["state"], "not_applicable")
        self.put("proc/cpuinfo", "model name\t: AMD Ryzen AI 9 HX 370\n")
        self.assertIn("firmware setup", self.trouble("npu")["mend"])

    def test_empty_folder(self):
        checks = self.examine(0, False)
        self.assertEqual({c["state"] for c in checks.values()}, {"unknown"})

    def test_driver_missing(self):
        self.record()
        self.unload()
        self.assertIn("xdna-driver", self.trouble("driver")["mend"])
        self.put("lib/modules/6.17.0-8-generic/kernel/drivers/accel/amdxdna/amdxdna.ko.zst")
        self.assertEqual(self.trouble("driver")["mend"], "sudo modprobe amdxdna")

    def test_firmware(self):
        self.record()
        self.unbind()
        self.assertIn("one source", self.trouble("firmware_protocol")["mend"])
        shutil.rmtree(self.dir / "lib/firmware")
        self.assertIn("linux-firmware", self.trouble("firmware")["mend"])

    def test_permission(self):
        self.record()
        self.put("proc/self/status", "Uid:\t4999\t4999\t4999\t4999\nGid:\t4999\t4999\t4999\t4999\n"
                 "Groups:\t27\nCapEff:\t0000000000000000\n")
        self.assertIn("may not", self.trouble("accel_node")["seen"])
        (self.dir / "dev/accel/accel0").chmod(0o666)
        self.examine(0, True)
        (self.dir / "dev/accel/accel0").unlink()
        self.assertIn("--device /dev/accel/accel0", self.trouble("accel_node")["mend"])

    def test_memlock(self):
        self.record()
        self.put("proc/self/limits", LIMITS.format(8 << 20))
        found = self.trouble("memlock")
        self.assertIn("8 MiB", found["seen"])
        self.assertIn("limits.d", found["mend"])

    def test_xrt(self):
        self.record()
        shutil.rmtree(self.dir / "opt")
        self.trouble("xrt")
        for library in ("libxrt_coreutil", "libxrt_driver_xdna"):
            self.put(f"usr/lib/x86_64-linux-gnu/{library}.so.2.13.0")
        self.assertIn("2.13.0", self.trouble("xrt")["seen"])

    def test_garbage(self):
        self.record()
        files = [p for p in self.dir.rglob("*") if p.is_file() and not p.is_symlink()]
        for path in files:
            path.write_bytes(bytes(range(256)) * 4096)
        self.examine(0, False)
        self.put(f"{NPU}/vendor", "0x1022")
        self.put(f"{NPU}/device", "0x1502")
        self.put(f"{NPU}/revision", "0x00")
        self.examine(0, False)  # Not usable as far as can be seen, but nothing proved wrong.
        text = cli_test.tilewave("doctor", "--root", self.dir).stdout
        self.assertTrue(text.replace("\n", "").isprintable(), text)
        for path in files:
            path.unlink()
            os.mkfifo(path)
        self.examine(0, False)
        for path in files:
            path.unlink()
            path.symlink_to(path.name)
        self.examine(0, False)

    def test_text(self):
        self.record()
        self.put("proc/self/limits", LIMITS.format(8 << 20))
        done = cli_test.tilewave("doctor", "--root", self.dir)
        self.assertEqual(done.returncode, 5)
        lines = done.stdout.splitlines()
        index = next(i for i, line in enumerate(lines) if line.startswith("trouble "))
        self.assertIn("memlock", lines[index])
        self.assertRegex(lines[index + 1], "^ +mend: ")
        self.assertIn("1 point to mend", lines[-1])

    def test_bad_root(self):
        self.refuse(4, "is no folder", "doctor", "--root", self.dir / "none")
        self.refuse(4, "is no folder", "doctor", "--root", self.put("file"))
        self.refuse(4, "is no folder", "doctor", "--root", "")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    cli_test.PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
