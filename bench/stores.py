# SPDX-License-Identifier: Apache-2.0
"""Intake beside the stores that people would use instead: raw LMDB, Redis Streams, PostgreSQL and SQLite, each started
privately, with the same events and an index for each dimension where it has indexes. Interleaved rounds of one run, medians;
a round in which raw LMDB is slower than half its best is void. Peers that are not installed are left out, and that is said."""

import argparse
import os
import pwd
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from daemon import Daemon, wait_until  # noqa: E402
from house import BUILD  # noqa: E402

BATCH = 1_000
COLUMNS = "time event_name event_src scid severity event_rule_id event_rule environment event_type summary count payload".split()
INDEXED = "time event_name event_src scid severity event_rule_id environment event_type".split()
POLICY = {
    "raw LMDB": "a flush a transaction of 1,000",
    "reading alone": "the daemon's reader of NDJSON, checks included; no socket, no disk",
    "tocsin": "a flush an answer, requests of 1,000 events",
    "tocsin, a key each": "the same, a unique idempotency key on every event",
    "tocsin, a source each": "the same, a unique source in every event",
    "Redis Streams": "appendfsync everysec, pipelines of 100",
    "PostgreSQL": "COPY of 1,000 rows a transaction, each flushed, an index a dimension",
    "SQLite": "1,000 rows a transaction, WAL, synchronous=FULL, an index a dimension",
}


def row(n):
    """The event of bench/sample.hpp as columns."""
    return (1_700_000_000_000_000 + n, f"bench.name_{n % 200}", f"detector_{n % 1_000}", n % 5_000, "error" if n % 7 == 0 else "info",
            n % 300, "FPA_VOLTAGE > 15", "aws", "standard", f"voltage of panel {n % 64} above its limit", 1,
            f'{{"value":{n % 40}.5,"limit":15,"unit":"V","panel":{n % 64}}}')


def program(name, *words):
    done = subprocess.run([str(BUILD / "bench" / f"bench_{name}"), *map(str, words)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def a_second(events, use):
    begin = time.perf_counter()
    use()
    return events / (time.perf_counter() - begin)


@contextmanager
def server(words, **how):
    """Ends with the bench, whatever happens."""
    with subprocess.Popen(list(map(str, words)), stdin=subprocess.DEVNULL, **how) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL waits for no client then


@contextmanager
def redis(folder):
    socket = folder / "redis.sock"
    words = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "", "--appendonly", "yes",
             "--appendfsync", "everysec", "--logfile", str(folder / "redis.log")]
    with server(words):
        wait_until(socket.exists, "redis")
        fields = [word for key, value in zip(COLUMNS, row(7)) for word in (key, str(value))]
        fields[fields.index("bench.name_7")] = "bench.name___rand_int__"

        def measure(events):
            text = subprocess.run(["redis-benchmark", "-s", str(socket), "-c", "1", "-P", "100", "-r", "200", "-n", str(events), "--csv",
                                  "XADD", "events", "*", *fields], capture_output=True, text=True, check=True).stdout
            title, measured = (line.strip('"').split('","') for line in text.splitlines()[-2:])
            return float(measured[title.index("rps") - len(title)])  # the command before it has commas of its own

        yield measure


@contextmanager
def postgres(folder):
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
    owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    if owner:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    run = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*owner, binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "bench", "-E", "UTF8"], **run)
    words = [*owner, str(binaries / "postgres"), "-D", str(folder / "data"), "-k", str(folder), "-c", "listen_addresses="]
    with (folder / "log").open("w") as log, server(words, cwd=folder, stderr=log):
        psql = [*owner, "psql", "-q", "-h", str(folder), "-U", "bench", "-d", "postgres", "-v", "ON_ERROR_STOP=1"]
        wait_until(lambda: subprocess.run([*psql, "-c", "SELECT 1"], capture_output=True, cwd=folder).returncode == 0, "postgres")
        kinds = {"time": "bigint", "scid": "bigint", "event_rule_id": "bigint", "count": "bigint", "payload": "jsonb"}
        columns = ", ".join(f"{column} {kinds.get(column, 'text')}" for column in COLUMNS)
        indexes = "".join(f"CREATE INDEX ON events ({column});" for column in INDEXED)
        subprocess.run([*psql, "-c", f"CREATE TABLE events (id bigserial PRIMARY KEY, {columns});{indexes}"], **run)
        at = 0

        def measure(events):
            nonlocal at
            script = []
            for first in range(at, at + events, BATCH):
                script.append(f"COPY events ({', '.join(COLUMNS)}) FROM stdin;\n")
                script += ["\t".join(map(str, row(n))) + "\n" for n in range(first, first + BATCH)]
                script.append("\\.\n")
            at += events
            text = "".join(script)
            return a_second(events, lambda: subprocess.run(psql, input=text, text=True, **run))

        yield measure


@contextmanager
def sqlite(folder):
    base = sqlite3.connect(folder / "events.sqlite", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute(f"CREATE TABLE events (id INTEGER PRIMARY KEY, {', '.join(COLUMNS)})")
    for column in INDEXED:
        base.execute(f"CREATE INDEX by_{column} ON events ({column})")
    at = 0

    def measure(events):
        nonlocal at
        batches = [[row(n) for n in range(first, first + BATCH)] for first in range(at, at + events, BATCH)]
        at += events

        def insert():
            for batch in batches:
                base.execute("BEGIN")
                base.executemany(f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})", batch)
                base.execute("COMMIT")
        return a_second(events, insert)

    yield measure
    base.close()


def peers(stack, folder, wanted):
    """name -> measure(events), of those that are installed."""
    known = {"Redis Streams": (redis, shutil.which("redis-server") and shutil.which("redis-benchmark")),
             "PostgreSQL": (postgres, list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) and shutil.which("psql")),
             "SQLite": (sqlite, True)}
    for name, (start, installed) in known.items():
        if not installed:
            print(f"{name} is not installed and left out; 'tools/deps.sh bench' installs it", file=sys.stderr)
        elif not wanted or name in wanted:
            place = folder / name.replace(" ", "")
            place.mkdir()
            place.chmod(0o755)
            yield name, stack.enter_context(start(place))


def rounds(given):
    results: dict[str, list[float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-bench-", dir="/var/tmp")))
        folder.chmod(0o755)
        daemon = stack.enter_context(Daemon(folder=folder / "daemon", settings=["store.max_bytes=64G"]))
        others = dict(peers(stack, folder, given.peers))
        for number in range(given.rounds):
            print(f"round {number + 1} of {given.rounds}", file=sys.stderr)
            with tempfile.TemporaryDirectory(dir=folder) as store:
                results.setdefault("raw LMDB", []).append(program("raw_lmdb", store, BATCH, given.seconds))
            results.setdefault("reading alone", []).append(program("parse", given.seconds))
            for name, kind in (("tocsin", "plain"), ("tocsin, a key each", "keys"), ("tocsin, a source each", "sources")):
                results.setdefault(name, []).append(program("http_load", daemon.socket, 1, BATCH, given.seconds, kind))
            for name, measure in others.items():
                results.setdefault(name, []).append(measure(given.events))
    return results


def tell(results):
    best, given_rounds = max(results["raw LMDB"]), len(results["raw LMDB"])
    good = [i for i, raw in enumerate(results["raw LMDB"]) if raw >= best / 2]
    kept = {name: [values[i] for i in good] for name, values in results.items()}
    middle = {name: statistics.median(values) for name, values in kept.items()}
    print(f"events a second, medians of {len(good)} rounds ({given_rounds - len(good)} void)")
    for name, values in kept.items():
        ratio = f"{middle[name] / middle['raw LMDB']:6.3f} x raw LMDB" if name != "raw LMDB" else ""
        beside = f", tocsin is {middle['tocsin'] / middle[name]:5.1f} x it" if name in ("Redis Streams", "PostgreSQL", "SQLite") else ""
        print(f"{name:24}{middle[name]:12,.0f} [{min(values):,.0f}-{max(values):,.0f}]  {ratio}{beside}")
    for name in kept:
        print(f"{name}: {POLICY[name]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--events", type=int, default=50_000, help="that each peer takes in a round")
    parser.add_argument("--peers", nargs="*")
    tell(rounds(parser.parse_args()))


if __name__ == "__main__":
    main()
