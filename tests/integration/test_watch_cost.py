# SPDX-License-Identifier: Apache-2.0
"""What 100,000 watches cost the real daemon while nothing is due: no wake-up of their own, and little memory.
TOCSIN_IDLE_SECONDS makes the window longer. A sanitizer keeps what was freed: under one, only the wake-ups are judged."""

import os
import threading
from pathlib import Path

from daemon import Daemon, wait_until

MANY = 100_000
WINDOW_S = float(os.environ.get("TOCSIN_IDLE_SECONDS", "2"))
BYTES = 256  # of the process for each, with what the store and the allocator keep for it
SLACK = 5  # of a window: what other work of the machine does to the daemon's own few timers


def switches(pid):
    """How often the io thread, which is the process's first, went to sleep."""
    text = Path(f"/proc/{pid}/task/{pid}/status").read_text()
    return int(text.split("voluntary_ctxt_switches:")[1].split()[0])


def anonymous_bytes(pid):
    return int(Path(f"/proc/{pid}/status").read_text().split("RssAnon:")[1].split()[0]) * 1024


def in_a_window(pid):
    before = switches(pid)
    threading.Event().wait(WINDOW_S)  # the window itself: nothing is awaited
    return switches(pid) - before


def beat_all(http):
    for first in range(0, MANY, 10_000):
        # In the order of their keys: a commit touches few pages, else those that LMDB keeps would be taken for watches.
        lines = [{"event_name": "heartbeat", "event_src": f"watch-with-name-{i // 10:04}", "scid": i % 10}
                 for i in range(first, first + 10_000)]
        answer = http.ndjson(lines)
        assert answer.status == 201, answer


def test_idle_watches_wake_nobody_and_take_little():
    config = "[heartbeats]\nauto_register = true\ninterval = '30d'\ngrace = '1d'\n"
    with Daemon(config=config) as daemon:
        http, pid = daemon.http, daemon.process.pid
        http.close()
        daemon_alone = max(in_a_window(pid), in_a_window(pid))
        before = anonymous_bytes(pid)
        beat_all(http)
        listed = http.get("/v1/heartbeats", {"limit": 1}).json["items"][0]
        assert listed["state"] == "up" and listed["interval_s"] == 30 * 86_400
        http.close()  # an open connection is looked at once a second
        each = lambda: (anonymous_bytes(pid) - before) / MANY
        if not os.environ.get("TOCSIN_SANITIZE"):
            wait_until(lambda: each() <= BYTES, "memory given back after the burst", 60)
        woken = []
        wait_until(lambda: woken.append(in_a_window(pid)) or woken[-1] <= daemon_alone + SLACK,
                   "quiet with 100,000 watches", 60 + 20 * WINDOW_S)
        print(f"{each():.0f} bytes a watch, {woken[-1]} wake-ups in {WINDOW_S} s, {daemon_alone} without watches")
