#!/bin/bash
# The whole project builds with clang++ too, without warnings, and its unit and engine tests pass:
# the same bits from another compiler. Usage: clang_build.sh [--root DIR]
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ "${1:-}" = "--root" ]; then root=$2; fi
cd "$root" || exit 1
if ! command -v clang++ >/dev/null; then
  echo "clang_build: skipped, there is no clang++ here"
  exit 0
fi
cmake --preset clang >/dev/null && cmake --build build-clang || exit 1
for program in unit_tests engine_tests; do
  build-clang/bin/$program --gtest_brief=1 || exit 1
done
echo "clang_build: ok, $(clang++ --version | head -n 1)"
