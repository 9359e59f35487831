# SPDX-License-Identifier: Apache-2.0
"""Does intake stay as quick while jobs run? Times single submits, each durable, without jobs and with 10,000 in the queue
and some running, in interleaved rounds of one run; prints p50 and p99 of both, their ratios, and how fast jobs went."""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/support"))

from daemon import Daemon, wait_until  # noqa: E402
from spark import install, safe_folder  # noqa: E402

QUEUED = 10_000


def latencies(daemon, count):
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        daemon.http.submit(event_name="bench", event_src="bench")
        taken.append(time.perf_counter() - began)
    return taken


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1e3


def jobs_by_state(http, state):
    text = http.get("/metrics").body.decode()
    return int(float(next(line.split()[-1] for line in text.splitlines() if line.startswith(f'tocsin_jobs{{state="{state}"}}'))))


def one(folder, spark, parallel, count, with_jobs):
    """One daemon of its own: (latencies, jobs a second, RSS in MiB)."""
    config = f'[jobs]\ndirectories = ["{spark}"]\nparallel = {parallel}\n'
    with tempfile.TemporaryDirectory(dir=folder) as place, Daemon(folder=Path(place) / "d", config=config) as daemon:
        daemon.http.check = False
        latencies(daemon, 100)
        if with_jobs:
            daemon.http.ndjson([{"event_name": "e", "event_src": "s", "spark_script": "quick"}] * QUEUED)
            wait_until(lambda: jobs_by_state(daemon.http, "queued") > QUEUED * 0.8, "the queue", 60)
        done, began = jobs_by_state(daemon.http, "succeeded"), time.monotonic()
        taken = latencies(daemon, count)
        rate = (jobs_by_state(daemon.http, "succeeded") - done) / (time.monotonic() - began)
        left = jobs_by_state(daemon.http, "queued")
        assert not with_jobs or left > 0, "the queue ran empty: use fewer submits"
        with open(f"/proc/{daemon.process.pid}/statm") as file:
            return taken, rate, int(file.read().split()[1]) / 256


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--submits", type=int, default=2000)
    parser.add_argument("--parallel", type=int, default=2)
    given = parser.parse_args()
    idle, busy, rates, memory = [], [], [], []
    with safe_folder() as folder:
        spark = install(folder, {"quick": "exit 0"})
        for _ in range(given.rounds):
            idle.append(one(folder, spark, given.parallel, given.submits, False)[0])
            taken, rate, mib = one(folder, spark, given.parallel, given.submits, True)
            busy.append(taken)
            rates.append(rate)
            memory.append(mib)
    for share in (0.5, 0.99):
        without = statistics.median(percentile(values, share) for values in idle)
        beside = statistics.median(percentile(values, share) for values in busy)
        print(f"p{share * 100:.0f}: {without:.2f} ms without jobs, {beside:.2f} ms beside them, ratio {beside / without:.2f}")
    print(f"jobs: {statistics.median(rates):.0f} a second, the daemon {statistics.median(memory):.0f} MiB with {QUEUED} queued")


if __name__ == "__main__":
    main()
