#!/bin/bash
# Durable submits a second over each face, beside raw LMDB and a bare echo on the same face; then how quick intake stays while
# jobs run, then queries and counts beside SQLite. Interleaved rounds of one run, medians.
set -eu -o pipefail
cd "$(dirname "$0")/.."
status=0
/usr/bin/python3 bench/run.py "$@" || status=$?
/usr/bin/python3 bench/jobs.py || status=$?
/usr/bin/python3 bench/queries.py || status=$?
exit $status
