# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random instants while older events go to make room for newer ones: what must stay is there, the store is sound,
and every event that was acknowledged is counted, stored or not."""

import http.client
import json
import os
import random
import subprocess
import threading

from client import Http
from daemon import Daemon
from house import tool

ROUNDS = int(os.environ.get("TOCSIN_ROUNDS", "25"))
SEED = int(os.environ.get("TOCSIN_SEED", "20262"))
CAP = 16 << 20
BATCH = 100
CRITICAL_EACH = 50
CRITICAL_MOST = 5_000  # a small part of the cap, however many rounds there are: beyond it the oldest may go
PAUSE = threading.Event()


class Flood(threading.Thread):
    """Batches of large info events with a small critical one now and then; what of it was acknowledged."""

    def __init__(self, daemon, rng, critical_left):
        super().__init__(daemon=True)
        self.critical_left = critical_left
        self.path, self.rng = daemon.socket, random.Random(rng.random())
        self.events, self.critical, self.unexpected = 0, [], None
        self.enough = threading.Event()

    def batch(self):
        wanted = len(self.critical) < self.critical_left
        events = []
        for i in range(BATCH):
            critical = wanted and i % CRITICAL_EACH == 0
            events.append({"event_name": "flood", "event_src": "flood", "severity": "critical" if critical else "info",
                           "summary": self.rng.randbytes(16 if critical else 900).hex()})
        return events

    def run(self):
        try:
            client = Http(self.path, check=False)
            while True:
                events = self.batch()
                answer = client.post("/v1/events", events)
                if answer.status == 503:
                    continue
                assert answer.status == 201, answer
                self.events += BATCH
                self.critical += [i for i, e in zip(answer.json["unique_indexes"], events) if e["severity"] == "critical"]
                if self.events >= 30 * BATCH:
                    self.enough.set()
        except (OSError, EOFError, ValueError, http.client.HTTPException):
            pass  # the daemon was killed
        except Exception as error:  # noqa: BLE001 - reported by the test
            self.unexpected = error
        finally:
            self.enough.set()


def sound(daemon):
    done = subprocess.run([tool("tocsinctl"), "verify", "--json", daemon.state], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_what_must_stay_survives():
    rng = random.Random(SEED)
    acknowledged, critical, seen = 0, [], None
    with Daemon(settings=[f"store.max_bytes={CAP}", "store.tail_events=1000"]) as daemon:
        for number in range(ROUNDS):
            flood = Flood(daemon, rng, CRITICAL_MOST - len(critical))
            flood.start()
            assert flood.enough.wait(60)
            PAUSE.wait(rng.random() * 0.3)  # the instant of the kill is the test's random input
            daemon.kill()
            flood.join(30)
            assert not flood.is_alive() and flood.unexpected is None, flood.unexpected
            acknowledged += flood.events
            critical += flood.critical
            if number % 5 == 0 or number == ROUNDS - 1:
                seen = sound(daemon)
            daemon.start()
        assert seen["expired_count"] > 0, "nothing had to go: send more"
        assert seen["event_count"] + seen["expired_count"] == seen["last_index"]
        for index in critical:
            assert daemon.http.get(f"/v1/events/{index}").status == 200, f"critical event {index} is gone"
        counted = daemon.http.get("/v1/statistics/totals", {"group_by": "event_name", "event_name": "flood"}).json["items"]
        # A batch that was kept when the daemon died before it could say so is counted, too.
        assert acknowledged <= counted[0]["count"] <= acknowledged + ROUNDS * BATCH
