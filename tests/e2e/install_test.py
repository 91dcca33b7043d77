"""What other projects do with tilewave: install it and find it, or add its folder.

usage: install_test.py BUILD_DIRECTORY SOURCE_DIRECTORY CMAKE
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
CMAKE = sys.argv[3]

CPP = """
#include "tilewave/engine.h"

int main() {
  const int8_t a[2] = {3, 4};
  const int8_t b[2] = {5, 6};
  int32_t c[1] = {0};
  tilewave::Result<tilewave::Engine> engine = tilewave::Engine::Create({});
  if (!engine.ok()) return 1;
  const tilewave::Status status = engine->Run({.a = tilewave::RowMajor(a, 1, 2),
                                               .b = tilewave::RowMajor(b, 2, 1),
                                               .c = tilewave::RowMajor(c, 1, 1)});
  return status.ok() && c[0] == 39 ? 0 : 2;
}
"""

C = """
#include <stdio.h>
#include "tilewave/c.h"

int main(void) {
  tw_engine* engine = NULL;
  if (tw_engine_create(NULL, &engine) != TW_OK) return 1;
  tw_engine_destroy(engine);
  puts(tw_version());
  return 0;
}
"""

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C CXX)
{tilewave}
add_executable(in_cpp main.cc)
target_link_libraries(in_cpp PRIVATE tilewave::tilewave)
add_executable(in_c main.c)
target_link_libraries(in_c PRIVATE tilewave::tilewave)
"""


def run(*command):
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True,
                          timeout=300, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


class InstallTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.dir = pathlib.Path(self.scratch.name)

    def configure(self, tilewave, *options):
        user = self.dir / "user"
        user.mkdir()
        (user / "CMakeLists.txt").write_text(PROJECT.format(tilewave=tilewave))
        (user / "main.cc").write_text(CPP)
        (user / "main.c").write_text(C)
        run(CMAKE, "-S", user, "-B", user / "build", *options)
        return user / "build"

    def test_found_where_it_was_installed(self):
        prefix = self.dir / "prefix"
        run(CMAKE, "--install", BUILD, "--prefix", prefix)
        build = self.configure("find_package(tilewave 0.1 REQUIRED)",
                               f"-DCMAKE_PREFIX_PATH={prefix}")
        run(CMAKE, "--build", build)
        run(build / "in_cpp")
        version = run(build / "in_c").strip()
        self.assertEqual(run(prefix / "bin" / "tilewave", "--version").split()[-1], version)

    def test_as_a_subdirectory_it_brings_no_tests(self):
        build = self.configure(f"add_subdirectory({SOURCE} tilewave)")
        targets = run(CMAKE, "--build", build, "--target", "help")
        self.assertIn("in_cpp", targets)
        for unwanted in ("unit_tests", "engine_bench", "quantised_layer", "tilewave_main"):
            self.assertNotIn(unwanted, targets)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
