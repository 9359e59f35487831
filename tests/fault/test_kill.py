# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random instants while four clients submit over both faces: what was acknowledged is there, whole, once."""

import json
import os
import random
import subprocess
import threading

from bus import PrivateBus
from daemon import Daemon, wait_until
from house import tool
from load import start_clients

ROUNDS = int(os.environ.get("TOCSIN_ROUNDS", "25"))
SEED = int(os.environ.get("TOCSIN_SEED", "20261"))
WAYS = ("http_single", "http_ndjson", "dbus_single", "dbus_json")
PAUSE = threading.Event()


def stored(daemon):
    """Every event of the closed store, and the store's own check of itself."""
    done = subprocess.run([tool("store_check"), "--list", daemon.state / "store"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line for line in lines if "unique_index" in line]


def verify(daemon, acknowledged):
    events = stored(daemon)
    by_index = {}
    for event in events:
        assert event["unique_index"] not in by_index, f"index {event['unique_index']} stands twice"
        by_index[event["unique_index"]] = event
    for index, name in acknowledged.items():
        assert index in by_index, f"acknowledged event {index} ({name}) is gone"
        assert by_index[index]["event_name"] == name
        assert json.loads(by_index[index]["payload"])["twin"] == name, f"event {index} is not whole"
    names = [e["event_name"] for e in events if e["event_src"].startswith("client")]
    assert len(names) == len(set(names)), "an event stands twice under two indexes"


def run_round(daemon, number, randomness, acknowledged):
    daemon.start()
    clients, stop = start_clients(daemon, WAYS, first_number=number * 10)
    wait_until(lambda: sum(len(c.acknowledged) for c in clients) > randomness.randrange(1, 200), "the first answers")
    PAUSE.wait(randomness.random() * 0.25)  # the instant of the kill is the test's random input
    daemon.kill()
    stop.set()
    for client in clients:
        client.join(30)
        assert not client.is_alive()
        assert client.unexpected is None, client.unexpected
        acknowledged.update({index: name for index, (name, _) in client.acknowledged.items()})


def test_no_acknowledged_event_is_lost():
    randomness = random.Random(SEED)
    acknowledged: dict[int, str] = {}
    with PrivateBus() as bus:
        # A small tail makes checkpoints frequent, so that kills hit them too.
        daemon = Daemon(bus=bus, settings=["store.tail_events=500"])
        try:
            for number in range(ROUNDS):
                run_round(daemon, number, randomness, acknowledged)
                if number % 5 == 0 or number == ROUNDS - 1:
                    verify(daemon, acknowledged)
            daemon.start()
            last = max(acknowledged)
            answer = daemon.http.get(f"/v1/events/{last}")
            assert answer.json["event_name"] == acknowledged[last]
            assert daemon.http.submit(event_name="after", event_src="test") > last, "an index was used again"
            assert len(acknowledged) > ROUNDS * len(WAYS)
        finally:
            daemon.close()
