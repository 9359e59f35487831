#!/bin/bash
# clang-tidy on the units that changed since the newest commit older than four hours (or, where there is none, on those of
# the newest commit), with --all on every unit. Headers are judged with the units that include them. What was clean before and
# did not change since is not judged again (tools/tidy_unit.py).
set -eu -o pipefail
cd "$(dirname "$0")/.."
[ -f build/compile_commands.json ] || { echo "tidy: 'make build' first" >&2; exit 2; }
units() {
  if [ "${1:-}" = --all ] || ! git rev-parse --git-dir >/dev/null 2>&1; then
    find core storage heartbeats jobs ipc pictures daemon cli lib -name '*.cpp'
    return
  fi
  local base
  base=$(git rev-list -1 --before='4 hours ago' HEAD)
  [ -n "$base" ] || base=$(git rev-parse -q --verify HEAD~1 || git rev-parse HEAD)
  git diff --name-only --diff-filter=d "$base" -- core storage heartbeats jobs ipc pictures daemon cli lib | grep '\.cpp$' || true
}
list=$(units "${1:-}" | sort)
[ -n "$list" ] || { echo "tidy: no unit changed"; exit 0; }
echo "tidy: $(echo "$list" | wc -l) units"
echo "$list" | xargs -P "$(nproc)" -n 1 tools/tidy_unit.py
