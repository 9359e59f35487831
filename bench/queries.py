# SPDX-License-Identifier: Apache-2.0
"""Queries and counts of the daemon beside SQLite with an index per dimension, on the same events, in interleaved rounds of one
run. How many events: TOCSIN_BENCH_EVENTS, 1,000,000 without it."""

import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from client import Http  # noqa: E402
from daemon import Daemon, wait_until  # noqa: E402

EVENTS = int(os.environ.get("TOCSIN_BENCH_EVENTS", "1000000"))
ROUNDS = 20
BATCH = 10_000
BEGIN_S = 1_767_225_600  # 2026-01-01T00:00:00Z; an event every 2.592 s makes 30 days of a million
STEP_S = 30 * 86_400 / EVENTS
DAY_S = 86_400
COLUMNS = "event_name event_src scid severity event_rule_id environment".split()


def make(n):
    """The benchmark's event (bench/sample.hpp), in order of time but for one in a thousand."""
    late = (n * 7_919 % (30 * DAY_S)) if n % 1_000 == 0 else 0
    return {"event_name": f"bench.name_{n % 200}", "event_src": f"detector_{n % 1_000}", "scid": n % 5_000,
            "severity": "error" if n % 7 == 0 else "info", "event_rule_id": n % 300, "event_rule": "FPA_VOLTAGE > 15",
            "environment": "aws" if n % 3 else "onprem", "event_time": (BEGIN_S + n * STEP_S - late) * 1_000_000 // 1,
            "summary": f"voltage of panel {n % 64} above its limit",
            "payload": {"value": n % 40 + 0.5, "limit": 15, "unit": "V", "panel": n % 64}}


def fill(http, base):
    base.execute(f"CREATE TABLE events (id INTEGER PRIMARY KEY, time INTEGER, {', '.join(COLUMNS)}, body TEXT)")
    for column in ["time", *COLUMNS]:
        base.execute(f"CREATE INDEX by_{column} ON events ({column})")
    base.commit()
    for first in range(0, EVENTS, BATCH):
        events = [make(n) for n in range(first, min(first + BATCH, EVENTS))]
        for event in events:
            event["event_time"] = int(event["event_time"])
        answer = http.ndjson([json.dumps(e) for e in events])
        assert answer.status == 201, answer
        rows = [(e["event_time"], *(e[c] for c in COLUMNS), json.dumps(e)) for e in events]
        base.executemany(f"INSERT INTO events (time, {', '.join(COLUMNS)}, body) VALUES ({', '.join('?' * 8)})", rows)
        base.commit()
        print(f"\r{first + len(events):,} of {EVENTS:,} events", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    base.execute("ANALYZE")


def questions(http, base):
    """(name, the daemon's way, SQLite's way)"""
    def page(**filters):
        return lambda: len(http.get("/v1/events", filters).json["items"])

    def rows(where, order="ORDER BY time DESC, id DESC LIMIT 100"):
        return lambda: len(base.execute(f"SELECT id, body FROM events WHERE {where} {order}").fetchall())

    def totals(key, **filters):
        return lambda: sum(i["count"] for i in http.get("/v1/statistics/totals", {"group_by": key, **filters}).json["items"])

    def sums(key, where="1"):
        return lambda: sum(c for _, c in base.execute(f"SELECT {key}, count(*) FROM events WHERE {where} GROUP BY {key}"))

    day = BEGIN_S + 10 * DAY_S
    since, until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(day)), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(day + DAY_S))
    between = f"time >= {day * 1_000_000} AND time < {(day + DAY_S) * 1_000_000}"
    yield "page: name and severity", page(event_name="bench.name_77", severity="error"), rows("event_name='bench.name_77' AND severity='error'")
    yield "page: source and scid", page(event_src="detector_123", scid=1_123), rows("event_src='detector_123' AND scid=1123")
    yield "page: rule, environment, severity", page(event_rule_id=14, environment="aws", severity="error"), rows("event_rule_id=14 AND environment='aws' AND severity='error'")
    yield "page: prefix of 100 names", page(event_name="bench.name_1*", scid=4_100), rows("event_name >= 'bench.name_1' AND event_name < 'bench.name_2' AND scid=4100")
    yield "page: a name in a day", page(event_name="bench.name_5", since=since, until=until), rows(f"event_name='bench.name_5' AND {between}")
    yield "sums of all by severity", totals("severity", until="2026-06-01T00:00:00Z"), sums("severity")
    yield "sums of a day by environment", totals("environment", since=since, until=until), sums("environment", between)
    yield "sums of errors by name", totals("event_name", severity="error"), sums("event_name", "severity='error'")
    yield ("a name by hour of a day", lambda: sum(http.get(f"/v1/statistics/histogram/bench.name_5/{since[:10].replace('-', '')}").json["counts"]),
           lambda: sum(c for _, c in base.execute(f"SELECT time / 3600000000, count(*) FROM events WHERE event_name='bench.name_5' AND {between} GROUP BY 1")))


def measured(use):
    begin = time.perf_counter()
    value = use()
    return value, (time.perf_counter() - begin) * 1_000


def quantiles(times):
    times = sorted(times)
    return statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))]


def main():
    with tempfile.TemporaryDirectory() as folder, Daemon(folder=Path(folder) / "daemon", settings=["store.max_bytes=64G"]) as daemon:
        http = Http(daemon.socket, check=False)
        base = sqlite3.connect(Path(folder) / "events.sqlite")
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=NORMAL")
        fill(http, base)
        wait_until(lambda: http.get("/v1/status").status == 200 and not sealing(daemon), "blocks to be sealed", 300)
        print(f"{EVENTS:,} events, warm, median [p99] ms{'':34}tocsin            SQLite      ratio")
        for name, ours, theirs in questions(http, base):
            ours(), theirs()
            mine, other = [], []
            for _ in range(ROUNDS):
                value, took = measured(ours)
                mine.append(took)
                wanted, took = measured(theirs)
                other.append(took)
                assert value == wanted, (name, value, wanted)
            (m50, m99), (o50, o99) = quantiles(mine), quantiles(other)
            print(f"{name:<44}{m50:>10.2f} [{m99:.2f}]  {o50:>10.2f} [{o99:.2f}]  {o50 / m50:>8.1f} x")
        size = (daemon.state / "store/data.mdb").stat().st_size
        print(f"bytes an event: {size / EVENTS:.0f} tocsin, {(Path(folder) / 'events.sqlite').stat().st_size / EVENTS:.0f} SQLite")


def sealing(daemon):
    """CPU is used while nobody asks."""
    stat = Path(f"/proc/{daemon.process.pid}/stat")
    before = sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13]))
    begin = time.monotonic()
    while time.monotonic() - begin < 1:
        time.sleep(0.1)
    return sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13])) - before > 5


if __name__ == "__main__":
    main()
