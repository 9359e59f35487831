# SPDX-License-Identifier: Apache-2.0
"""Two users of one daemon: a flood of one does not make the other wait for its backlog. Counts, no times."""

import grp
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from daemon import Daemon, wait_until

GROUP = "users"
GREEDY, MODEST = 64_001, 64_002
LINES = 400_000
SINGLES = 20
pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="it takes root to be two users")

# Prints the answers, one a line. NDJSON of `count` lines in one request; or as many requests of one event.
SUBMIT = """
import socket, sys
path, kind, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
if kind == "ndjson":
    bodies = [b"".join(b'{"event_name":"many","event_src":"s","scid":%d}\\n' % i for i in range(1000)) * (count // 1000)]
else:
    bodies = [b'{"event_name":"single","event_src":"s"}'] * count
type = b"application/x-ndjson" if kind == "ndjson" else b"application/json"
with socket.socket(socket.AF_UNIX) as peer:
    peer.settimeout(300)
    peer.connect(path)
    for body in bodies:
        peer.sendall(b"POST /v1/events HTTP/1.1\\r\\nHost: l\\r\\nContent-Type: %b\\r\\nContent-Length: %d\\r\\n\\r\\n%b"
                     % (type, len(body), body))
        answer = b""
        while not answer.endswith(b"}"):
            answer += peer.recv(65536)
        print(answer.partition(b"\\r\\n\\r\\n")[2].decode())
"""


# Arrays on twelve connections until an answer is a refusal, which is printed.
FLOOD = """
import http.client, socket, sys, threading
body = b"[" + b",".join([b'{"event_name":"many","event_src":"s"}'] * 5000) + b"]"
refused = []

class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(300)
        self.sock.connect(sys.argv[1])

def run():
    while not refused:
        connection = Connection("l")
        connection.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 429:
            refused.append(answer.headers["Retry-After"])
        connection.close()

threads = [threading.Thread(target=run) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(refused[0])
"""


def start(uid, *words):
    return subprocess.Popen([sys.executable, "-c", *map(str, words)], stdout=subprocess.PIPE, text=True, user=uid,
                            group=grp.getgrnam(GROUP).gr_gid, extra_groups=[])


def submit(daemon, uid, kind, count):
    return start(uid, SUBMIT, daemon.socket, kind, count)


def answers_of(process):
    out, _ = process.communicate(timeout=300)
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture()
def daemon():
    with tempfile.TemporaryDirectory(prefix="tocsin-test-") as folder:
        os.chmod(folder, 0o755)
        place = Path(folder) / "daemon"
        with Daemon(folder=place, settings=[f"access.group={GROUP}"]) as running:
            place.chmod(0o755)
            yield running


def stored(daemon):
    return daemon.http.get("/v1/status").json["event_count"]


def test_nobody_waits_for_the_backlog_of_another(daemon):
    floods = [submit(daemon, GREEDY, "ndjson", LINES) for _ in range(4)]
    wait_until(lambda: stored(daemon) > 2_000, "the flood")
    indexes = [answer["unique_index"] for answer in answers_of(submit(daemon, MODEST, "single", SINGLES))]
    assert any(process.poll() is None for process in floods), "the flood was over too soon; nothing is said by this"
    answers = [answers_of(process)[0] for process in floods]
    # One that began when the others had a backlog already may have been told to come back.
    assert any(answer.get("count") == LINES for answer in answers), answers
    assert all(answer.get("count") == LINES or answer.get("code") == "LimitExceeded" for answer in answers), answers
    # Each was sent when the one before was answered: what was kept between them is what one of them waited for, and
    # what came while its sender did nothing.
    between = [later - earlier - 1 for earlier, later in zip(indexes, indexes[1:])]
    assert statistics.median(between) < 5_000, between
    assert {event["origin"]["uid"] for event in daemon.http.events(event_name="single")} == {MODEST}


def test_what_each_sends_keeps_its_order(daemon):
    floods = [submit(daemon, uid, "ndjson", 20_000) for uid in (GREEDY, MODEST)]
    assert [answers_of(process)[0]["count"] for process in floods] == [20_000, 20_000]
    scids: dict[int, list[int]] = {GREEDY: [], MODEST: []}
    for event in daemon.http.events(event_name="many", order="index", limit=10_000):
        scids[event["origin"]["uid"]].append(event["scid"])
    assert scids[GREEDY] == scids[MODEST] == list(range(1000)) * 20


def metric(daemon, name):
    lines = daemon.http.get("/metrics").body.decode().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(name))


def test_who_floods_is_told_to_come_back_and_named_in_the_log(daemon):
    modest = submit(daemon, MODEST, "single", 1_000_000)
    try:
        wait_until(lambda: stored(daemon) > 10, "the modest one")
        flood = start(GREEDY, FLOOD, daemon.socket)
        out, _ = flood.communicate(timeout=120)
        assert 1 <= int(out) <= 2, out
    finally:
        modest.kill()
        modest.communicate()
    told = sum(metric(daemon, f'tocsin_suppressed_total{{reason="{reason}"}}') for reason in ("rate", "queue"))
    assert told >= 1
    assert daemon.http.events(event_name="intake.suppressed") == [], "it is told when the minute is over"
    daemon.restart()  # or when the daemon stops
    events = daemon.http.events(event_name="intake.suppressed")
    assert [event["payload"]["uid"] for event in events] == [GREEDY], "the modest one was refused"
    payload = events[0]["payload"]
    assert payload["rate"] + payload["queue"] == told and payload["datagram"] == 0
    assert payload["since"] <= payload["until"] and events[0]["severity"] == "warning"
