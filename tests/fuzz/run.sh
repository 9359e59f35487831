#!/bin/bash
# run.sh PROGRAM CORPUS WORK LEAST: the corpus alone first, which has to cover LEAST; then TOCSIN_FUZZ_SECONDS of new inputs.
# Finds are kept in WORK/NAME.finds: a file that ended the program is an input to make a regression test of.
set -eu -o pipefail
PROGRAM=$1 CORPUS=$2 NAME=$(basename "$1")
FOUND=$3/$NAME.corpus FINDS=$3/$NAME.finds
mkdir -p "$FOUND" "$FINDS"
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
LIMITS=(-rss_limit_mb=2048 -timeout=25 -max_len=8192 "-artifact_prefix=$FINDS/")
covered=$("$PROGRAM" "${LIMITS[@]}" -runs=0 "$CORPUS" 2>&1 | tee "$FINDS/corpus.log" | sed -n 's/.*cov: \([0-9]*\).*/\1/p' | tail -1) ||
  { tail -60 "$FINDS/corpus.log"; exit 1; }
echo "$NAME: the corpus covers ${covered:-0} edges"
[ "${covered:-0}" -ge "$4" ] || { echo "fewer than $4: it does not reach the code any more"; exit 1; }
"$PROGRAM" "${LIMITS[@]}" -print_final_stats=1 -max_total_time="${TOCSIN_FUZZ_SECONDS:-10}" "$FOUND" "$CORPUS" >"$FINDS/run.log" 2>&1 ||
  { tail -80 "$FINDS/run.log"; exit 1; }
grep -E 'stat::(number_of_executed|new_units)' "$FINDS/run.log"
