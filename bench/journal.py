# SPDX-License-Identifier: Apache-2.0
"""Filters of the daemon beside journalctl on the same entries, in interleaved rounds of one run. journalctl starts anew for each
question, as it does for everybody who asks it; the daemon is asked over its socket. The journal is written by
systemd-journal-remote, from Debian's package of that name."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from client import Http  # noqa: E402
from daemon import Daemon  # noqa: E402
from measure import generated, measured, quantiles  # noqa: E402

WRITER = Path("/lib/systemd/systemd-journal-remote")
BOOT = "_BOOT_ID=" + "0123456789abcdef" * 2
FIELDS = {"event_name": "EVENT_NAME", "event_src": "EVENT_SRC", "scid": "SCID", "severity": "SEVERITY", "event_rule_id": "RULE",
          "environment": "ENVIRONMENT", "summary": "MESSAGE"}


def entry(event, number):
    lines = [f"__REALTIME_TIMESTAMP={event['event_time']}", f"__MONOTONIC_TIMESTAMP={number + 1}", BOOT]
    lines += [f"{FIELDS[key]}={event[key]}" for key in FIELDS]
    lines.append(f"PAYLOAD={json.dumps(event['payload'])}")
    return "\n".join(lines) + "\n\n"


def fill(http, journal, count):
    with subprocess.Popen([WRITER, "-o", journal, "-"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as writer:
        rest, number = b"", 0
        for piece in generated("json", 0, count, count):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                writer.stdin.write(entry(json.loads(line), number))
                number += 1
            answer = http.ndjson([line.decode() for line in lines])
            assert answer.status == 201, answer
            print(f"\r{number:,} of {count:,} events", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def questions(http, journal):
    def theirs(*matches, last=None):
        words = ["journalctl", "-q", "-D", str(journal.parent), "-o", "json", "-r", *matches, *(["-n", str(last)] if last else [])]
        return lambda: subprocess.run(words, capture_output=True, check=True).stdout.count(b"\n")

    def page(**filters):
        return lambda: len(http.get("/v1/events", filters).json["items"])

    def all_of(**filters):
        def read():
            answer = http.get("/v1/events", {"limit": "10000", **filters}, headers={"Accept": "application/x-ndjson"})
            return answer.body.count(b"\n")
        return read

    yield ("page of 100: name and severity", page(event_name="bench.name_77", severity="error"),
           theirs("EVENT_NAME=bench.name_77", "SEVERITY=error", last=100))
    yield ("page of 100: source and scid", page(event_src="detector_123", scid=1_123), theirs("EVENT_SRC=detector_123", "SCID=1123", last=100))
    yield ("page of 100: rule, environment, severity", page(event_rule_id=14, environment="aws", severity="error"),
           theirs("RULE=14", "ENVIRONMENT=aws", "SEVERITY=error", last=100))
    yield "all of a name, read", all_of(event_name="bench.name_77"), theirs("EVENT_NAME=bench.name_77")
    yield ("how many of a name", lambda: http.get("/v1/statistics/totals", {"group_by": "event_name", "event_name": "bench.name_77"}).json["items"][0]["count"],
           theirs("EVENT_NAME=bench.name_77"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if not WRITER.exists():
        sys.exit("systemd-journal-remote is not installed; 'tools/deps.sh bench' installs it")
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-", dir="/var/tmp") as folder:
        journal = Path(folder) / "journal/bench.journal"  # and those that it was before each rotation
        journal.parent.mkdir()
        with Daemon(folder=Path(folder) / "daemon", settings=["store.max_bytes=64G"]) as daemon:
            http = Http(daemon.socket, check=False)
            fill(http, journal, given.events)
            print(f"{given.events:,} events, warm, median [highest] ms{'':12}tocsin           journalctl      ratio")
            for name, ours, theirs in questions(http, journal):
                ours(), theirs()
                mine, other = [], []
                for _ in range(given.rounds):
                    value, took = measured(ours)
                    mine.append(took)
                    wanted, took = measured(theirs)
                    other.append(took)
                (m50, m99), (o50, o99) = quantiles(mine), quantiles(other)
                print(f"{name:<44}{m50:>10.2f} [{m99:.2f}]  {o50:>10.2f} [{o99:.2f}]  {o50 / m50:>8.1f} x"
                      + (f" ({value:,} entries, journalctl gave {wanted:,})" if value != wanted else f" ({value:,} entries)"))
            size = (daemon.state / "store/data.mdb").stat().st_size
        print(f"bytes an event: {size / given.events:.0f} tocsin, {sum(file.stat().st_size for file in journal.parent.iterdir()) / given.events:.0f} journal")


if __name__ == "__main__":
    main()
