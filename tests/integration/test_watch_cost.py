# SPDX-License-Identifier: Apache-2.0
"""What 100,000 watches cost the real daemon while nothing is due: no wake-up of their own, and little memory.
TOCSIN_IDLE_SECONDS makes the window longer."""

import os
import threading
from pathlib import Path

from daemon import Daemon, wait_until

MANY = 100_000
WINDOW_S = float(os.environ.get("TOCSIN_IDLE_SECONDS", "2"))
SLACK = 10  # of a window: what other work of the machine does to the daemon's own few timers


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


def beat_all(http, number):
    for first in range(0, MANY, 10_000):
        lines = [{"event_name": "heartbeat", "event_src": f"watch-with-name-{i % 10_000:04}", "scid": number + i // 10_000}
                 for i in range(first, first + 10_000)]
        answer = http.ndjson(lines)
        assert answer.status == 201, answer


def test_idle_watches_wake_nobody_and_take_little():
    config = "[heartbeats]\nauto_register = true\ninterval = '30d'\ngrace = '1d'\n"
    with Daemon(config=config) as daemon:
        http, pid = daemon.http, daemon.process.pid
        beat_all(http, 0)  # the first ones grow arenas and buffers, too
        quiet = wait_until(lambda: in_a_window(pid) + 1, "a first window")
        before = anonymous_bytes(pid)
        daemon_alone = min(in_a_window(pid), quiet)
        beat_all(http, 1_000)
        listed = http.get("/v1/heartbeats", {"limit": 1}).json["items"][0]
        assert listed["state"] == "up" and listed["interval_s"] == 30 * 86_400
        wait_until(lambda: in_a_window(pid) <= daemon_alone + SLACK, "quiet with 200,000 watches", 60 + 20 * WINDOW_S)
        grown = (anonymous_bytes(pid) - before) / MANY
        print(f"{grown:.0f} bytes of memory for each further watch, {daemon_alone} wake-ups in {WINDOW_S} s")
        assert grown <= 400, "with what the allocator keeps to itself"
