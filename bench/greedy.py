# SPDX-License-Identifier: Apache-2.0
"""Does one greedy client slow another down? Times single submits, each durable, of one user who waits for each answer: alone,
and while another user floods the same daemon in several ways; and, to tell what of that is the machine's, while the same
flood goes to another daemon. Interleaved rounds of one run, medians. Takes root: the two are users of their own."""

import argparse
import grp
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "bench")]

from daemon import Daemon, wait_until  # noqa: E402
from house import BUILD  # noqa: E402
from measure import Asked, quantiles  # noqa: E402

GROUP = "users"
GREEDY, MODEST = 64_001, 64_002
AT_MOST = 2.0
EVENT = b'{"event_name":"modest","event_src":"bench","payload":{"value":1}}'
REQUEST = (b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
           % (len(EVENT), EVENT))
FLOODS = {  # connections, events of a request
    "NDJSON of 1,000, 4 connections": (4, 1000),
    "NDJSON of 10,000, 6 connections": (6, 10_000),
    "single events, 32 connections": (32, 1),
}


def latencies(socket, seconds):
    """Milliseconds of each submit; what the modest one runs."""
    asked, taken, end = Asked(socket), [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        asked.socket.sendall(REQUEST)
        asked.answer()
        taken.append((time.perf_counter() - began) * 1e3)
    print(*(f"{value:.4f}" for value in taken))


def as_user(uid):
    return {"user": uid, "group": grp.getgrnam(GROUP).gr_gid, "extra_groups": []}


def modest(daemon, seconds):
    done = subprocess.run([sys.executable, __file__, "--latencies", str(daemon.socket), "--seconds", str(seconds)],
                          capture_output=True, text=True, check=True, **as_user(MODEST))
    return quantiles(map(float, done.stdout.split()))


def stored(daemon):
    return daemon.http.get("/v1/status").json["event_count"]


@contextmanager
def flood(daemon, connections, events, seconds):
    with subprocess.Popen([BUILD / "bench/bench_http_load", daemon.socket, str(connections), str(events), str(seconds)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **as_user(GREEDY)) as process:
        before = stored(daemon)
        wait_until(lambda: stored(daemon) > before + 2 * events, "the flood")
        yield
        assert process.poll() is None, f"the flood was over too soon: {process.stderr.read()}"
        out, err = process.communicate()
        if err:
            sys.exit(f"the flood: {err}")
        print(f"  the flood: {float(out):,.0f} events a second", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--latencies")
    given = parser.parse_args()
    if given.latencies:
        return latencies(given.latencies, given.seconds)
    if os.getuid() != 0:
        return print("not measured: it takes root to be two users")
    results: dict[str, list[tuple[float, float]]] = {}

    def note(name, value):
        print(f"{name}: p50 {value[0]:.2f} p99 {value[1]:.2f} ms", file=sys.stderr)
        results.setdefault(name, []).append(value)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-bench-", dir="/var/tmp")))
        folder.chmod(0o755)
        settings = ["store.max_bytes=64G", f"access.group={GROUP}"]
        asked, other = (stack.enter_context(Daemon(folder=folder / name, settings=settings)) for name in ("a", "b"))
        for daemon in (asked, other):
            daemon.folder.chmod(0o755)
            daemon.http.check = False
        for _ in range(given.rounds):
            note("alone", modest(asked, given.seconds))
            for name, (connections, events) in FLOODS.items():
                for daemon, where in ((asked, ""), (other, ", of another daemon")):
                    with flood(daemon, connections, events, given.seconds + 3):
                        note(name + where, modest(asked, given.seconds))
    alone = [statistics.median(part) for part in zip(*results["alone"])]
    met = True
    print("one submit after the other; medians of the rounds")
    for name, values in results.items():
        p50, p99 = (statistics.median(part) for part in zip(*values))
        over = name in FLOODS and max(p50 / alone[0], p99 / alone[1]) > AT_MOST
        met = met and not over
        print(f"{name:50} p50 {p50:6.2f} ms ({p50 / alone[0]:4.2f} x)   p99 {p99:6.2f} ms ({p99 / alone[1]:4.2f} x)"
              f"{'  over its limit' if over else ''}")
    print(f"beside a flood at most {AT_MOST:g} x of alone; what a flood of another daemon takes is the machine's")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
