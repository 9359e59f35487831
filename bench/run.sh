#!/bin/bash
# Durable submits a second over each face, beside raw LMDB and a bare echo on the same face; the same beside the stores that
# people would use instead; how quick intake stays while jobs run; queries and counts beside SQLite and journalctl. Interleaved
# rounds of one run, medians. With --keep the results replace bench/RESULTS.md.
set -u -o pipefail
cd "$(dirname "$0")/.."
status=0
over=""
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# A figure over its limit is told, here and at the end; a measurement that did not come to its end is a failure.
part() {
  local name="$1" ended
  shift
  printf '\n## %s\n\n```\n' "$name"
  /usr/bin/python3 "$@" | tee "$said"
  ended=${PIPESTATUS[0]}
  printf '```\n'
  if grep -q 'over its limit' "$said"; then
    over="$over$(grep 'over its limit' "$said" | sed "s/^/* $name: /")"$'\n'
  elif [ "$ended" -ne 0 ]; then
    status=$ended
  fi
}

all() {
  echo "# What was measured"
  echo
  echo "Commit $(git rev-parse --short HEAD 2>/dev/null || cat VERSION), $(date -u +%F), $(nproc) processors ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1))," \
    "$(awk '/MemTotal/{printf "%.0f", $2/1048576}' /proc/meminfo) GiB, Linux $(uname -r). \`bench/run.sh --keep\` writes this page."
  part "Faces" bench/run.py
  part "Intake beside other stores" bench/stores.py
  part "Intake while many follow" bench/followers.py
  part "Intake while jobs run" bench/jobs.py
  part "One beside a greedy client" bench/greedy.py
  [ "$(id -u)" -eq 0 ] && part "The installed service" bench/installed.py
  part "What grows and what does not" bench/scale.py
  part "Queries beside SQLite and PostgreSQL" bench/queries.py
  [ -x /lib/systemd/systemd-journal-remote ] && part "Queries beside journalctl" bench/journal.py
  [ -z "$over" ] || printf '\n## Over their limits\n\n%s' "$over"
  return "$status"
}

if [ "${1:-}" = --keep ]; then
  all | tee bench/RESULTS.new
  status=${PIPESTATUS[0]}
  mv bench/RESULTS.new bench/RESULTS.md
else
  all || status=$?
fi
exit "$status"
