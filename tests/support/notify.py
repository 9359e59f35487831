# SPDX-License-Identifier: Apache-2.0
"""The other end of sd_notify: collects what the daemon tells its service manager."""

import socket
import tempfile
import threading
from pathlib import Path


class NotifySocket:
    def __init__(self):
        self._dir = tempfile.TemporaryDirectory(prefix="tocsin-notify-")
        self.path = str(Path(self._dir.name) / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._changed = threading.Condition()
        self.messages: list[str] = []
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self):
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if data == b"close":
                return
            with self._changed:
                self.messages += data.decode().splitlines()
                self._changed.notify_all()

    def mark(self) -> int:
        """A place in the messages: wait(since=mark) sees only what comes after."""
        with self._changed:
            return len(self.messages)

    def wait(self, prefix: str, deadline_s: float = 30, since: int = 0, alive=lambda: True) -> str:
        """The first message that starts so; fails at the deadline or when `alive` says that nobody will send it."""
        import time

        end = time.monotonic() + deadline_s
        with self._changed:
            while True:
                for message in self.messages[since:]:
                    if message.startswith(prefix):
                        return message
                left = end - time.monotonic()
                if left <= 0 or not alive():
                    raise TimeoutError(f"no {prefix} within {deadline_s} s; got {self.messages[-20:]}")
                self._changed.wait(min(left, 0.2))

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"close", self.path)
        self._thread.join()
        self._socket.close()
        self._dir.cleanup()
