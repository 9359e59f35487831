# SPDX-License-Identifier: Apache-2.0
"""Does intake stay as quick while jobs run? Times single submits, each durable, of one client that waits for each answer:
alone; with 10,000 jobs in the queue of each kind of script; and, to tell what of that is the machine's, beside as many bare
processes without any job as the quickest kind takes. Interleaved rounds of one run, medians."""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/support"))

from daemon import Daemon, wait_until  # noqa: E402
from spark import install, safe_folder  # noqa: E402

QUEUED = 10_000
BURST = 4  # that begin at once: the pace comes after them
SCRIPTS = {
    "second": "sleep 1",
    "quick": "exit 0",
    "flood": "timeout 1 yes a line that says nothing, over and over; true",
    "busy": "timeout 1 sh -c 'while :; do :; done'; true",
    "memory": "head -c 200M /dev/zero | tail | wc -c",
    "fork": "for i in 1 2 3 4 5 6 7 8; do setsid sh -c 'trap \"\" TERM; sleep 0.2' & done; sleep 0.1",
}
TELL = {
    "second": "scripts of a second",
    "quick": "scripts of nothing",
    "flood": "scripts that fill stdout for a second",
    "busy": "scripts that take a processor for a second",
    "memory": "scripts that take 200 MB",
    "fork": "scripts that leave eight processes behind",
}
PROCESSES_A_JOB = 2  # the helper and the script


def latencies(daemon, seconds):
    taken, end = [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        daemon.http.submit(event_name="bench", event_src="bench")
        taken.append(time.perf_counter() - began)
    return taken


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1e3


def jobs_by_state(http, state):
    text = http.get("/metrics").body.decode()
    return int(float(next(line.split()[-1] for line in text.splitlines() if line.startswith(f'tocsin_jobs{{state="{state}"}}'))))


@contextmanager
def bare_processes(a_second):
    """Started at this pace by this program, each waited for."""
    stop = threading.Event()

    def run():
        while not stop.wait(1 / a_second):
            os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "exit 0"], {}, setsid=True), 0)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class Bench:
    def __init__(self, folder, given):
        self.folder, self.given = folder, given
        self.spark = install(folder, SCRIPTS)
        self.taken = {name: [] for name in ("alone", "bare", *SCRIPTS)}
        self.rates = {name: [] for name in SCRIPTS}
        self.memory = []

    @contextmanager
    def daemon(self):
        config = f'[jobs]\ndirectories = ["{self.spark}"]\nparallel = {self.given.parallel}\n'
        with tempfile.TemporaryDirectory(dir=self.folder) as place, Daemon(folder=Path(place) / "d", config=config) as daemon:
            daemon.http.check = False
            latencies(daemon, 0.2)
            yield daemon

    def alone(self):
        with self.daemon() as daemon:
            return latencies(daemon, self.given.seconds)

    def jobs(self, script):
        with self.daemon() as daemon:
            daemon.http.ndjson([{"event_name": "e", "event_src": "s", "spark_script": script}] * QUEUED)
            wait_until(lambda: jobs_by_state(daemon.http, "queued") > QUEUED * 0.8, "the queue", 60)
            wait_until(lambda: jobs_by_state(daemon.http, "succeeded") >= BURST, "the first runs", 60)
            done, began = jobs_by_state(daemon.http, "succeeded"), time.monotonic()
            taken = latencies(daemon, self.given.seconds)
            rate = (jobs_by_state(daemon.http, "succeeded") - done) / (time.monotonic() - began)
            assert jobs_by_state(daemon.http, "queued") > 0, "the queue ran empty: use fewer seconds"
            with open(f"/proc/{daemon.process.pid}/statm", encoding="ascii") as file:
                self.memory.append(int(file.read().split()[1]) / 256)
            return taken, rate

    def bare(self, jobs_a_second):
        with self.daemon() as daemon, bare_processes(PROCESSES_A_JOB * jobs_a_second):
            return latencies(daemon, self.given.seconds)

    def round(self):
        self.taken["alone"].append(self.alone())
        for script in self.given.scripts:
            taken, rate = self.jobs(script)
            self.taken[script].append(taken)
            self.rates[script].append(rate)
        if "quick" in self.given.scripts:
            self.taken["bare"].append(self.bare(max(self.rates["quick"][-1], 1)))

    def row(self, label, name):
        cells = []
        for share in (0.5, 0.99):
            base, value = (statistics.median(percentile(values, share) for values in self.taken[which])
                           for which in ("alone", name))
            cells.append(f"p{share * 100:.0f} {value:6.2f} ms ({value / base:.2f} x)")
        print(f"{label:60} {'   '.join(cells)}")

    def tell(self):
        self.row("no jobs", "alone")
        for script in self.given.scripts:
            self.row(f"{TELL[script]}, {statistics.median(self.rates[script]):.0f} a second", script)
        if self.taken["bare"]:
            self.row("bare processes, as many as scripts of nothing", "bare")
        print(f"the daemon takes {statistics.median(self.memory):.0f} MiB with {QUEUED:,} queued")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--scripts", nargs="*", choices=SCRIPTS, default=list(SCRIPTS))
    given = parser.parse_args()
    with safe_folder() as folder:
        bench = Bench(folder, given)
        for _ in range(given.rounds):
            bench.round()
        bench.tell()


if __name__ == "__main__":
    main()
