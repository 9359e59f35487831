# SPDX-License-Identifier: Apache-2.0
"""Queries and counts of the daemon beside SQLite and PostgreSQL with an index per dimension, on the same events of 30 days, one
in a thousand of them late by up to 30 days. Every question is asked again and again with other values, each store in turn; what
they count is compared. The daemon answers over its socket and in JSON, SQLite within this process, PostgreSQL by the time
psql tells. Before all events are there, the daemon is asked once with a tenth of them: what grows?"""

import argparse
import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measure import BEGIN_S, DAYS, ROOT, Asked, generated, measured, quantiles, quiet

sys.path.insert(0, str(ROOT / "tests/support"))

from daemon import Daemon, wait_until  # noqa: E402
from stores import server  # noqa: E402

COLUMNS = "id time event_name event_src scid severity event_rule_id environment body".split()
INDEXED = COLUMNS[1:-1]
NUMBERS = {"id", "time", "scid", "event_rule_id"}
NEWEST = "ORDER BY time DESC, id DESC LIMIT 100"
BLOCK = 65_536
GROWTH_US = 5  # that a query may take longer for each block more


def moment(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Page:
    """First page of 100. Answers are compared by the index of each event."""

    def __init__(self, name, limit_ms, filters, where):
        self.name, self.limit_ms, self.filters, self.where = name, limit_ms, filters, where

    def ask(self, daemon, i):
        return daemon.get("/v1/events", self.filters(i))

    def read(self, body):
        return [event["unique_index"] for event in json.loads(body)["items"]]

    def sql(self, i):
        return f"SELECT id, body FROM events WHERE {self.where(i)} {NEWEST}"

    def rows(self, rows):
        return [int(row[0]) for row in rows]


class Sums:
    """Counts by a dimension, or by hour. Answers are compared by value."""

    def __init__(self, name, limit_ms, path, params, key, select, where):
        self.name, self.limit_ms, self.path, self.params, self.key, self.select, self.where = name, limit_ms, path, params, key, select, where

    def ask(self, daemon, i):
        return daemon.get(self.path, self.params(i))

    def read(self, body):
        items = json.loads(body)["items"]
        return sorted((str(item[self.key]), item["count"]) for item in items if not str(item[self.key]).startswith("daemon."))

    def sql(self, i):
        return f"SELECT {self.select}, count(*) FROM events WHERE {self.where(i)} GROUP BY 1"

    def rows(self, rows):
        return sorted((hour_text(key) if self.key == "hour" else str(key), int(count)) for key, count in rows)


def hour_text(hours):
    return time.strftime("%Y-%m-%dT%H:00:00.000000Z", time.gmtime(int(hours) * 3_600))


def day_of(i):
    begin = BEGIN_S + (i % DAYS) * 86_400
    return begin, begin + 86_400


def odd_range(i):
    """Begins and ends within an hour."""
    begin = BEGIN_S + (i % 9) * 86_400 + 1_234 * (i + 1) % 86_400
    return begin, begin + (3 + i % 17) * 86_400 + 777


def between(span):
    return f"time >= {span[0] * 1_000_000} AND time < {span[1] * 1_000_000}"


def times(span):
    return {"since": moment(span[0]), "until": moment(span[1])}


def questions():
    totals, hourly = "/v1/statistics/totals", "/v1/statistics/hourly"
    yield Page("page: name, severity", 5, lambda i: {"event_name": f"bench.name_{i % 200}", "severity": "error"},
               lambda i: f"event_name='bench.name_{i % 200}' AND severity='error'")
    yield Page("page: source, scid", 5, lambda i: {"event_src": f"detector_{i % 1000}", "scid": i % 1000 + 1000},
               lambda i: f"event_src='detector_{i % 1000}' AND scid={i % 1000 + 1000}")
    yield Page("page: source, environment", 5, lambda i: {"event_src": f"detector_{i % 1000}", "environment": "aws"},
               lambda i: f"event_src='detector_{i % 1000}' AND environment='aws'")
    yield Page("page: name, source, a day", 20, lambda i: {"event_name": f"bench.name_{i % 200}", "event_src": f"detector_{i % 200 + 400}", **times(day_of(i))},
               lambda i: f"event_name='bench.name_{i % 200}' AND event_src='detector_{i % 200 + 400}' AND {between(day_of(i))}")
    yield Page("page: rule, environment, severity", 20, lambda i: {"event_rule_id": i % 300, "environment": "onprem", "severity": "error"},
               lambda i: f"event_rule_id={i % 300} AND environment='onprem' AND severity='error'")
    yield Page("page: prefix of 100 names, scid", 20, lambda i: {"event_name": "bench.name_1*", "scid": 100 + i % 100 + 200 * (i % 25)},
               lambda i: f"event_name >= 'bench.name_1' AND event_name < 'bench.name_2' AND scid={100 + i % 100 + 200 * (i % 25)}")
    yield Page("page: prefix of 100 names", 20, lambda i: {"event_name": "bench.name_1*"},
               lambda i: "event_name >= 'bench.name_1' AND event_name < 'bench.name_2'")
    yield Page("page: before a moment", 5, lambda i: {"until": moment(odd_range(i)[1])}, lambda i: f"time < {odd_range(i)[1] * 1_000_000}")
    yield Sums("a name by hour, 30 days", 0.5, hourly, lambda i: {"event_name": f"bench.name_{i % 200}", "limit": 1_000, **times((BEGIN_S, BEGIN_S + DAYS * 86_400))},
               "hour", "time / 3600000000", lambda i: f"event_name='bench.name_{i % 200}'")
    for key in ("severity", "environment", "event_name", "event_src"):
        yield Sums(f"by {key}, any range", 5, totals, lambda i, key=key: {"group_by": key, **times(odd_range(i))}, key, key, lambda i: between(odd_range(i)))
    yield Sums("how many of a name", 5, totals, lambda i: {"group_by": "event_name", "event_name": f"bench.name_{i % 200}"},
               "event_name", "event_name", lambda i: f"event_name='bench.name_{i % 200}'")
    yield Sums("errors of an environment by severity", None, totals, lambda i: {"group_by": "severity", "severity": "error", "environment": "aws"},
               "severity", "severity", lambda i: "severity='error' AND environment='aws'")
    yield Sums("errors by name", None, totals, lambda i: {"group_by": "event_name", "severity": "error"},
               "event_name", "event_name", lambda i: "severity='error'")


class Sqlite:
    name = "SQLite"

    def __init__(self, path):
        self.base = sqlite3.connect(path)
        self.base.execute("PRAGMA journal_mode=WAL")
        self.base.execute("PRAGMA cache_size=-2000000")

    def fill(self, count):
        self.base.execute(f"CREATE TABLE events ({', '.join(c + (' INTEGER PRIMARY KEY' if c == 'id' else ' INTEGER' if c in NUMBERS else ' TEXT') for c in COLUMNS)})")
        rest = b""
        for piece in generated("columns", 0, count, count):
            *lines, rest = (rest + piece).split(b"\n")
            self.base.executemany(f"INSERT INTO events VALUES ({', '.join('?' * len(COLUMNS))})", (line.decode().split("\t") for line in lines))
        for column in INDEXED:
            self.base.execute(f"CREATE INDEX by_{column} ON events ({column})")
        self.base.execute("ANALYZE")
        self.base.commit()

    def ask(self, sql):
        rows, took = measured(lambda: self.base.execute(sql).fetchall())
        return rows, took


class Postgres:
    name = "PostgreSQL"
    mark = "##done##"

    def __init__(self, psql):
        self.words = psql
        self.psql = subprocess.Popen([*psql, "-A", "-t", "-F", "\t"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.run("\\timing on")

    def run(self, command):
        self.psql.stdin.write(f"{command}\n\\echo {self.mark}\n")
        self.psql.stdin.flush()
        lines = []
        while (line := self.psql.stdout.readline().rstrip("\n")) != self.mark:
            if line == "" and self.psql.poll() is not None:
                sys.exit("psql ended")
            lines.append(line)
        return lines

    def fill(self, count):
        kinds = ", ".join(f"{c} {'bigint' if c in NUMBERS else 'text'}" for c in COLUMNS)
        copy = subprocess.Popen([*self.words, "-c", f"CREATE TABLE events ({kinds})", "-c", "COPY events FROM stdin WITH (FORMAT csv, DELIMITER E'\\t', QUOTE E'\\x01')"],
                                stdin=subprocess.PIPE)
        for piece in generated("columns", 0, count, count):
            copy.stdin.write(piece)
        copy.stdin.close()
        assert copy.wait() == 0
        for column in ["id", *INDEXED]:
            self.run(f"CREATE INDEX ON events ({column});")
        self.run("VACUUM ANALYZE events;")

    def ask(self, sql):
        lines = self.run(sql + ";")
        took = [line for line in lines if line.startswith("Time: ")]
        return [line.split("\t") for line in lines if line and not line.startswith("Time: ")], float(took[-1].split()[1])

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


@contextmanager
def postgres(folder):
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
    owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    folder.mkdir()
    folder.chmod(0o755)
    if owner:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    quiet_run = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*owner, binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "bench", "-E", "UTF8", "--locale=C"], **quiet_run)
    words = [*owner, str(binaries / "postgres"), "-D", str(folder / "data"), "-k", str(folder), "-c", "listen_addresses=", "-c", "shared_buffers=2GB",
             "-c", "maintenance_work_mem=512MB", "-c", "work_mem=64MB", "-c", "fsync=off", "-c", "max_wal_size=8GB"]
    with (folder / "log").open("w") as log, server(words, cwd=folder, stderr=log):
        psql = [*owner, "psql", "-q", "-X", "-h", str(folder), "-U", "bench", "-d", "postgres", "-v", "ON_ERROR_STOP=1"]
        wait_until(lambda: subprocess.run([*psql, "-c", "SELECT 1"], capture_output=True, cwd=folder).returncode == 0, "postgres")
        store = Postgres(psql)
        yield store
        store.close()


def others(stack, folder, wanted):
    if "sqlite" in wanted:
        yield Sqlite(folder / "events.sqlite")
    if "postgres" in wanted:
        if list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) and shutil.which("psql"):
            yield stack.enter_context(postgres(folder / "postgres"))
        else:
            print("PostgreSQL is not installed and left out; 'tools/deps.sh bench' installs it", file=sys.stderr)


def asked(asker, rounds):
    """question -> (median, 99 of 100) in ms"""
    taken = {}
    for question in questions():
        question.ask(asker, 0)
        taken[question.name] = quantiles([measured(lambda i=i: question.ask(asker, i))[1] for i in range(rounds)])
    return taken


def compare(asker, store, rounds, before):
    """`before`: events that the daemon had before the first of these."""
    taken = {}
    for question in questions():
        times_taken = []
        store.ask(question.sql(0))
        for i in range(rounds):
            rows, took = store.ask(question.sql(i))
            times_taken.append(took)
            ours = question.read(question.ask(asker, i))
            if question.rows(rows) != (ours if isinstance(question, Sums) else [index - before for index in ours]):
                sys.exit(f"{question.name}: {store.name} and the daemon do not agree: {[r for r in question.rows(rows) if r not in ours][:3]} and {[o for o in ours if o not in question.rows(rows)][:3]}")
        taken[question.name] = quantiles(times_taken)
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200, help="of the daemon's questions")
    parser.add_argument("--peer-rounds", type=int, default=5)
    parser.add_argument("--peers", nargs="*", default=["sqlite", "postgres"])
    given = parser.parse_args()
    tenth = given.events // 10
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-bench-", dir="/var/tmp")))
        folder.chmod(0o755)
        daemon = stack.enter_context(Daemon(folder=folder / "daemon", settings=["store.max_bytes=64G"]))
        asker = Asked(daemon.socket)
        before = json.loads(asker.stream(generated("json", 0, tenth, given.events)))["first"] - 1
        quiet(daemon)
        small = asked(asker, given.rounds)
        asker.stream(generated("json", tenth, given.events - tenth, given.events))
        quiet(daemon)
        large = asked(asker, given.rounds)
        size = (daemon.state / "store/data.mdb").stat().st_size
        beside = {}
        for store in others(stack, folder, given.peers):
            print(f"filling {store.name}", file=sys.stderr)
            store.fill(given.events)
            beside[store.name] = compare(asker, store, given.peer_rounds, before)
        tell(given, small, large, beside)
        print(f"bytes an event: {size / given.events:.0f}")


def tell(given, small, large, beside):
    blocks = (given.events - given.events // 10) / BLOCK
    print(f"{given.events:,} events, warm, median [99 of 100] ms, {given.rounds} times each; and with a tenth of them")
    print(f"{'':38}{'all':>8}{'':>10}{'at most':>9}{'a tenth':>9}{'growth':>18}" + "".join(f"{name:>22}" for name in beside))
    for name, (median, high) in large.items():
        limit = next(q.limit_ms for q in questions() if q.name == name)
        grown = (median - small[name][0]) * 1_000 / blocks
        line = f"{name:38}{median:8.2f} [{high:7.2f}]{limit if limit else '':>9}{small[name][0]:9.2f}{median / small[name][0]:6.1f} x {grown:4.1f} us/b"
        for store in beside:
            theirs = beside[store][name][0]
            line += f"{theirs:11.2f} {theirs / median:7.1f} x"
        print(line + ("  over its limit" if limit and high > limit else ""))


if __name__ == "__main__":
    main()
