#!/bin/bash
# clang-format over all C++ files of the project, as a check: changes nothing.
# Usage: format.sh [--root DIR]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
if [ "${1:-}" = "--root" ]; then root=$(cd "$2" && pwd); fi

if ! command -v clang-format >/dev/null; then
  echo "format: clang-format is not installed"
  exit 2
fi
cd "$root"
files=$(/usr/bin/python3 -B - "$here" "$root" <<'PYTHON'
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from common import cpp_files
print("\n".join(str(path) for path in cpp_files(Path(sys.argv[2]))))
PYTHON
)
if [ -z "$files" ]; then
  echo "format: ok, 0 C++ files"
  exit 0
fi
if output=$(xargs -d '\n' clang-format --style=file --dry-run -Werror <<<"$files" 2>&1); then
  echo "format: ok, $(wc -l <<<"$files") C++ files"
  exit 0
fi
grep -E ': (error|warning): ' <<<"$output" |
  sed -E 's/^([^:]+:[0-9]+):[0-9]+: error: (.*) \[-Wclang-format-violations\]$/\1: [format] \2/' |
  sort -u -t: -k1,1 || echo "$output"
echo "format: files above differ from clang-format; run: clang-format -i FILE"
exit 1
