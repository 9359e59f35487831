# SPDX-License-Identifier: Apache-2.0
"""What following costs intake: NDJSON over one connection, alone and beside 1,000 streams whose filter one event in a thousand
matches, which all read what they get. Interleaved rounds of one run on one daemon, medians."""

import argparse
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/support"))

from daemon import Daemon  # noqa: E402
from house import BUILD  # noqa: E402

FOLLOWERS = 1_000
LEAST = 0.9  # of what intake does alone


class Followers:
    """All read by one thread, as a busy client would."""

    def __init__(self, path, filter_):
        self.selector, self.sockets, self.bytes = selectors.DefaultSelector(), [], 0
        for _ in range(FOLLOWERS):
            one = socket.socket(socket.AF_UNIX)
            one.connect(str(path))
            one.sendall(f"GET /v1/stream?{filter_} HTTP/1.1\r\nHost: l\r\n\r\n".encode())
            head = one.recv(1 << 16)  # a stream takes no room among the connections, once it is one
            if not head.startswith(b"HTTP/1.1 200"):
                sys.exit(head.decode())
            one.setblocking(False)
            self.selector.register(one, selectors.EVENT_READ)
            self.sockets.append(one)
        self.open = FOLLOWERS
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while not self.stop.is_set():
            for key, _ in self.selector.select(0.2):
                data = key.fileobj.recv(1 << 16)
                self.bytes += len(data)
                if not data:
                    self.selector.unregister(key.fileobj)
                    self.open -= 1

    def close(self):
        self.stop.set()
        self.thread.join()
        for one in self.sockets:
            one.close()
        return self.open, self.bytes


def intake(daemon, seconds):
    words = [BUILD / "bench/bench_http_load", daemon.socket, 1, 1000, seconds]
    done = subprocess.run([*map(str, words)], capture_output=True, text=True)
    if done.returncode != 0 or done.stderr:
        sys.exit(done.stderr)
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    alone, beside, heard = [], [], []
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-", dir="/var/tmp") as folder:
        with Daemon(folder=Path(folder) / "d", settings=["store.max_bytes=64G"]) as daemon:
            daemon.http.check = False
            for _ in range(options.rounds):
                alone.append(intake(daemon, options.seconds))
                followers = Followers(daemon.socket, "event_name=bench.name_7&scid=1007&event_src=detector_7")
                beside.append(intake(daemon, options.seconds))
                still, got = followers.close()
                assert still == FOLLOWERS, f"{FOLLOWERS - still} streams ended"
                heard.append(got)
    ratio = statistics.median(beside) / statistics.median(alone)
    for name, values in (("alone", alone), (f"beside {FOLLOWERS:,} followers of a filter", beside)):
        print(f"{name:40} {statistics.median(values):10,.0f} events/s [{min(values):,.0f}-{max(values):,.0f}]")
    print(f"{ratio:.2f} x; each follower was sent {statistics.median(heard) / FOLLOWERS / 1024:,.0f} KiB in a round")
    return 0 if ratio >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
