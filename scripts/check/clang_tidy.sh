#!/bin/bash
# clang-tidy over the non-test sources of src/, cli/ and bench/; any warning fails.
# Usage: clang_tidy.sh [--root DIR] [--build DIR]     (TILEWAVE_BUILD_DIR also names the build)
# Files found clean are remembered in BUILD/.clang_tidy_cache/ (see clang_tidy_list.py).
set -u
here=$(cd "$(dirname "$0")" && pwd)

# One file, called by xargs below: shows what clang-tidy says, and stamps the file when clean.
if [ "${1:-}" = "--one" ]; then
  build=$2 root=$3
  source=${4%%$'\t'*} stamp=${4##*$'\t'}
  output=$(clang-tidy --quiet -p "$build/.clang_tidy_cache" \
    --extra-arg=-Wno-unknown-warning-option \
    --extra-arg=-Wno-unused-command-line-argument \
    --extra-arg=-Wno-ignored-optimization-argument "$source" 2>&1)
  status=$?
  if [ $status -eq 0 ]; then
    : >"$stamp"
  else
    noise='warnings? (and [0-9]+ errors? )?generated|^Suppressed|^Use -header'
    grep -vE "$noise" <<<"$output" | sed "s|^$root/||"
  fi
  exit $status
fi

root=$(cd "$here/../.." && pwd)
build=${TILEWAVE_BUILD_DIR:-}
while [ $# -gt 1 ]; do
  case $1 in
    --root) root=$(cd "$2" && pwd) ;;
    --build) build=$2 ;;
    *) echo "clang_tidy: unknown option $1"; exit 2 ;;
  esac
  shift 2
done
build=$(realpath -m "${build:-$root/build}")

if ! command -v clang-tidy >/dev/null; then
  echo "clang_tidy: clang-tidy is not installed"
  exit 2
fi
list=$(/usr/bin/python3 "$here/clang_tidy_list.py" --root "$root" --build "$build") || {
  echo "$list"
  exit 2
}
if [ -z "$list" ]; then
  echo "clang_tidy: ok"
  exit 0
fi
if xargs -d '\n' -P2 -n1 "$here/clang_tidy.sh" --one "$build" "$root" <<<"$list"; then
  echo "clang_tidy: ok"
  exit 0
fi
echo "clang_tidy: warnings above"
exit 1
