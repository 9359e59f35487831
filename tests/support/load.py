# SPDX-License-Identifier: Apache-2.0
"""Clients that submit as fast as they can and remember what was acknowledged, over both faces and in every way."""

import json
import socket
import threading
import time

from client import Http
from dbusclient import Client, DBusError, dictionary


class Submitter(threading.Thread):
    """One client. `acknowledged` maps index → (event name, time.monotonic_ns() when the answer was there)."""

    def __init__(self, daemon, way, number, stop, burst=20):
        super().__init__(daemon=True)
        self.target, self.way, self.number, self.stop_flag, self.burst = daemon, way, number, stop, burst
        self.acknowledged: dict[int, tuple[str, int]] = {}
        self.sent = 0
        self.unexpected = None

    def _event(self):
        self.sent += 1
        name = f"load-{self.number}-{self.sent}"
        return {"event_name": name, "event_src": f"client{self.number}", "scid": self.sent,
                "idempotency_key": name, "payload": {"twin": name, "filler": "x" * (self.sent % 300)}}

    def _note(self, indexes, events):
        now = time.monotonic_ns()
        for index, event in zip(indexes, events):
            self.acknowledged[index] = (event["event_name"], now)

    def run(self):
        try:
            getattr(self, "_" + self.way)()
        except (OSError, EOFError, ConnectionError, TimeoutError, socket.timeout, ValueError) as error:
            self.ended = error  # the daemon was killed: what was not answered is not acknowledged
        except Exception as error:  # noqa: BLE001 - reported by the test
            import http.client
            import jeepney
            # The bus answers for a daemon that was killed: nobody acknowledged anything.
            by_the_bus = isinstance(error, DBusError) and error.name.startswith("org.freedesktop.DBus.Error.")
            if not by_the_bus and not isinstance(error, (http.client.HTTPException, jeepney.io.common.RouterClosed)):
                self.unexpected = error

    def _http_single(self):
        http = Http(self.target.socket, check=False)
        while not self.stop_flag.is_set():
            event = self._event()
            answer = http.post("/v1/events", event)
            assert answer.status in (200, 201), answer  # 200: sent again on a new connection, and known
            self._note([answer.json["unique_index"]], [event])

    def _http_ndjson(self):
        http = Http(self.target.socket, check=False)
        while not self.stop_flag.is_set():
            events = [self._event() for _ in range(self.burst)]
            answer = http.ndjson(events)
            assert answer.status in (200, 201) and answer.json["count"] == self.burst, answer
            if answer.json["last"] - answer.json["first"] + 1 == self.burst:
                self._note(range(answer.json["first"], answer.json["last"] + 1), events)

    def _http_array(self):
        http = Http(self.target.socket, check=False)
        while not self.stop_flag.is_set():
            events = [self._event() for _ in range(self.burst)]
            answer = http.post("/v1/events", events)
            assert answer.status in (200, 201), answer
            self._note(answer.json["unique_indexes"], events)

    def _dbus_single(self):
        client = Client(self.target.bus)
        while not self.stop_flag.is_set():
            event = self._event()
            self._note([client.submit(**event)], [event])

    def _dbus_json(self):
        client = Client(self.target.bus)
        while not self.stop_flag.is_set():
            events = [self._event() for _ in range(self.burst)]
            body = "\n".join(map(json.dumps, events)).encode()
            first, last, count = client.call("Events", "SubmitJson", "ay", body)
            assert count == self.burst
            if last - first + 1 == count:
                self._note(range(first, last + 1), events)

    def _dbus_batch(self):
        client = Client(self.target.bus)
        while not self.stop_flag.is_set():
            events = [self._event() for _ in range(self.burst)]
            indexes, = client.call("Events", "SubmitBatch", "aa{sv}", [dictionary(e) for e in events])
            self._note(indexes, events)


def start_clients(daemon, ways, first_number=0):
    stop = threading.Event()
    clients = [Submitter(daemon, way, first_number + i, stop) for i, way in enumerate(ways)]
    for client in clients:
        client.start()
    return clients, stop
