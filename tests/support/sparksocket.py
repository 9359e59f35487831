# SPDX-License-Identifier: Apache-2.0
"""What systemd does for tocsin-spark.socket (Accept=yes) and tocsin-spark@.service (StandardInput=socket, DynamicUser=yes): a
helper for each connection, with the connection as its standard input, as another user where the test runs as root."""

import os
import socket
import subprocess
import threading

from house import tool

NOBODY = 65534


class SparkSocket:
    def __init__(self, path, temporary, environment=None):
        self.path, self.temporary = str(path), str(temporary)
        self.environment = dict(environment or {})
        self.helpers = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o600)
        self.listener.listen(64)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.helpers.append(self._start(connection))
            self.helpers = [h for h in self.helpers if h.poll() is None]

    def _start(self, connection):
        other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        return subprocess.Popen([str(tool("tocsin-spark"))], stdin=connection, stdout=subprocess.DEVNULL,
                                env={"PATH": "/usr/bin:/bin", "TMPDIR": self.temporary, **self.environment}, **other)

    def hello(self):
        """What a helper says first: (pid, release, what is not limited)."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.connect(self.path)
            packet = client.recv(65536)
        assert packet[:2] == bytes([2, 6]), packet
        strings, at = [], 6
        while at < len(packet):
            size = int.from_bytes(packet[at:at + 4], "little")
            strings.append(packet[at + 4:at + 4 + size].decode())
            at += 4 + size
        return (int.from_bytes(packet[2:6], "little"), *strings)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)
        for helper in self.helpers:
            helper.wait(30)
        os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
