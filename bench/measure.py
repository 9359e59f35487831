# SPDX-License-Identifier: Apache-2.0
"""What several benches share: the daemon asked over a bare socket, so that little of what is measured is the client's, and
events of 30 days (bench_generate)."""

import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from house import BUILD  # noqa: E402

BEGIN_S, DAYS = 1_767_225_600, 30  # of bench_generate
PIECE = 1 << 20


class Asked:
    """One keep-alive connection; an answer is given as its bytes."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(300)
        self.socket.connect(str(path))

    def get(self, path, params, accept="application/json"):
        self.socket.sendall(f"GET {path}?{urlencode(params)} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n".encode())
        return self.answer()

    def answer(self):
        text = b""
        while (end := text.find(b"\r\n\r\n")) < 0:
            text += self.more()
        head, body = text[:end].decode(), bytearray(text[end + 4:])
        if "transfer-encoding: chunked" in head.lower():
            while not body.endswith(b"0\r\n\r\n"):
                body += self.more()
        else:
            length = next(int(line.split(":")[1]) for line in head.lower().splitlines() if line.startswith("content-length:"))
            while len(body) < length:
                body += self.more()
        if head.split()[1][0] != "2":
            sys.exit(f"{head}\n{body.decode()}")
        return bytes(body)

    def more(self):
        text = self.socket.recv(PIECE)
        if not text:
            sys.exit("the daemon closed the connection")
        return text

    def stream(self, pieces):
        """One NDJSON body of any length."""
        self.socket.sendall(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            self.socket.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.socket.sendall(b"0\r\n\r\n")
        return self.answer()


def generated(form, first, count, total):
    """What bench_generate writes, in pieces."""
    with subprocess.Popen([BUILD / "bench/bench_generate", form, *map(str, (first, count, total))], stdout=subprocess.PIPE) as process:
        while piece := process.stdout.read(PIECE):
            yield piece
    if process.returncode != 0:
        sys.exit("bench_generate failed")


def measured(use):
    begin = time.perf_counter()
    value = use()
    return value, (time.perf_counter() - begin) * 1_000


def quantiles(times):
    times = sorted(times)
    return statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))]


def quiet(daemon):
    """Until no block is being made: the processor is used no more."""
    stat = Path(f"/proc/{daemon.process.pid}/stat")
    used, since = -1, 0
    while since < 10:
        now = sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13]))
        since = since + 1 if now == used else 0
        used = now
        threading.Event().wait(0.05)
