#!/bin/bash
# Durable submits a second over each face, beside raw LMDB and a bare echo on the same face; the same beside the stores that
# people would use instead; how quick intake stays while jobs run; queries and counts beside SQLite and journalctl. Interleaved
# rounds of one run, medians. With --keep the results replace bench/RESULTS.md.
set -u -o pipefail
cd "$(dirname "$0")/.."
status=0

part() {
  local name="$1"
  shift
  printf '\n## %s\n\n```\n' "$name"
  /usr/bin/python3 "$@" || status=$?
  printf '```\n'
}

all() {
  echo "# What was measured"
  echo
  echo "Commit $(git rev-parse --short HEAD 2>/dev/null || cat VERSION), $(date -u +%F), $(nproc) processors ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1))," \
    "$(awk '/MemTotal/{printf "%.0f", $2/1048576}' /proc/meminfo) GiB, Linux $(uname -r). \`bench/run.sh --keep\` writes this page."
  part "Faces" bench/run.py
  part "Intake beside other stores" bench/peers.py
  part "Intake while many follow" bench/followers.py
  part "Intake while jobs run" bench/jobs.py
  part "One beside a greedy client" bench/greedy.py
  part "What grows and what does not" bench/scale.py
  part "Queries beside SQLite and PostgreSQL" bench/queries.py
  [ -x /lib/systemd/systemd-journal-remote ] && part "Queries beside journalctl" bench/journal.py
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
