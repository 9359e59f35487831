#!/bin/bash
# Durable submits a second over each face, beside raw LMDB and a bare echo on the same face: interleaved rounds of one run, medians.
set -eu -o pipefail
cd "$(dirname "$0")/.."
exec /usr/bin/python3 bench/run.py "$@"
