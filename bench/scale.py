# SPDX-License-Identifier: Apache-2.0
"""What does not grow with what is stored: memory, the start after kill -9 with a full tail, the wait of a submit while a block
is sealed; and what does, bytes of the disk. Absolute figures of one run, and ratios of one round where there is a limit."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from daemon import Daemon  # noqa: E402
from house import BUILD  # noqa: E402
from measure import quiet  # noqa: E402

BATCH = 10_000
LINE_BYTES = 299.3  # of bench/sample.hpp, on average
TAIL = 65_536
STARTS = 5
SEALS = 10
ENOUGH = 400  # submits without a seal, a round


def memory_mib(daemon):
    """Of the process itself: without the pages of mapped files."""
    for line in Path(f"/proc/{daemon.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


class Most(threading.Thread):
    """The highest value of what is looked at again and again."""

    def __init__(self, look):
        super().__init__()
        self.look, self.value, self.over = look, 0.0, threading.Event()

    def run(self):
        while not self.over.wait(0.05):
            self.value = max(self.value, self.look())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def stored(http):
    return http.get("/v1/status").json["last_index"]


def load(daemon, seconds):
    subprocess.run([str(BUILD / "bench/bench_http_load"), str(daemon.socket), "1", str(BATCH), str(seconds)], check=True, capture_output=True)


def fill(daemon, count):
    begin = time.perf_counter()
    before = stored(daemon.http)
    while (there := stored(daemon.http)) < count:
        print(f"\r{there:,} of {count:,} events", end="", file=sys.stderr, flush=True)
        load(daemon, 2)
    print(file=sys.stderr)
    return (there - before) / (time.perf_counter() - begin)


def many(count):
    """Lines as others than this program's clients send: text that is not alike."""
    return [json.dumps({"event_name": f"bench.name_{n % 200}", "event_src": f"detector_{n % 1_000}", "scid": n % 5_000, "summary": f"line {n}"})
            for n in range(count)]


def submits(daemon, enough):
    taken = []
    while not enough(taken):
        begin = time.perf_counter()
        daemon.http.submit(event_name="bench", event_src="bench")
        taken.append((time.perf_counter() - begin) * 1e3)
    return taken


def p99(values):
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def while_sealing(daemon):
    """(without, during): milliseconds of single submits; a full tail is sealed in about the time given to the second."""
    lines = many(BATCH)
    without, during = [], []
    for _ in range(SEALS):
        quiet(daemon)
        without += submits(daemon, lambda taken: len(taken) >= ENOUGH)
        for first in range(0, TAIL, BATCH):
            daemon.http.ndjson(lines[:min(BATCH, TAIL - first)])
        end = time.perf_counter() + 0.15
        during += submits(daemon, lambda _: time.perf_counter() > end)
    return without, during


def starts(daemon):
    """Milliseconds from the start to READY, after kill -9 with a nearly full tail."""
    lines = many(BATCH)
    took = []
    for _ in range(STARTS):
        for _ in range(0, TAIL - BATCH, BATCH):
            daemon.http.ndjson(lines)
        daemon.kill()
        begin = time.perf_counter()
        daemon.start()
        took.append((time.perf_counter() - begin) * 1e3)
        daemon.http.check = False
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-", dir="/var/tmp") as folder:
        with Daemon(folder=Path(folder) / "daemon", settings=["store.max_bytes=64G"]) as daemon:
            daemon.http.check = False
            with Most(lambda: memory_mib(daemon)) as most:
                rate = fill(daemon, given.events)
            quiet(daemon)
            count = stored(daemon.http)
            size = (daemon.state / "store/data.mdb").stat().st_size
            print(f"events stored: {count:,}, {rate:,.0f} a second in requests of {BATCH:,}, blocks made beside")
            print(f"memory without mapped files: {most.value:.1f} MiB at most while they came, {memory_mib(daemon):.1f} MiB after (at most 48)")
            print(f"disk: {size / count:.1f} bytes an event, indexes and counters included: {size / count / LINE_BYTES:.2f} x what was sent (at most 0.35)")
            without, during = while_sealing(daemon)
            print(f"single submits, p99: {p99(without):.2f} ms, while a block is made {p99(during):.2f} ms: "
                  f"{p99(during) / p99(without):.2f} x (at most 3); p50 {statistics.median(without):.2f} and {statistics.median(during):.2f} ms")
            took = starts(daemon)
            print(f"READY after kill -9, tail nearly full: {statistics.median(took):.0f} ms, at most {max(took):.0f} (at most 100)")


if __name__ == "__main__":
    main()
