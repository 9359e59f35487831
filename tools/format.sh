#!/bin/bash
# Formats the C++ sources, or with --check says which are not formatted.
set -eu
cd "$(dirname "$0")/.."
sources() { find core storage heartbeats jobs ipc pictures daemon cli lib examples tests bench cmake -name '*.cpp' -o -name '*.hpp' -o -name '*.c' -o -name '*.h' | sort; }
if [ "${1:-}" = --check ]; then
  sources | xargs clang-format-19 --dry-run --Werror || { echo "format: run 'make format'" >&2; exit 1; }
else
  sources | xargs clang-format-19 -i
fi
