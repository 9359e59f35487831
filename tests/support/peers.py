# SPDX-License-Identifier: Apache-2.0
"""What may stand between a client and the daemon, or in its place: one that loses answers, and one that says what it is told."""

import os
import socket
import threading


class Listener:
    """Serves each connection in a thread of its own."""

    def __init__(self, path):
        self.path = str(path)
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.server.bind(self.path)
        self.server.listen(64)
        self.threads, self.open = [], set()
        self.lock = threading.Lock()
        self.threads.append(threading.Thread(target=self._accept))
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self.threads.append(thread)
            thread.start()

    def _serve(self, connection):
        try:
            self.serve(connection)
        except OSError:
            pass  # the other side left
        finally:
            self.open.discard(connection)
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(20)


def read_message(stream):
    """One HTTP message with a Content-Length, or b'' at the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.read(1)
        if not byte:
            return b""
        head += byte
    length = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return head + stream.read(length[0] if length else 0)


class Interceptor(Listener):
    """Hands requests on to the daemon; of its answers the next ones, until `lose`, are dropped with the connection."""

    def __init__(self, path, daemon_socket, lose=0, on_loss=lambda: None):
        self.daemon_socket, self.lose, self.lost, self.on_loss = str(daemon_socket), lose, 0, on_loss
        super().__init__(path)

    def serve(self, connection):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
            daemon.connect(self.daemon_socket)
            requests, answers = connection.makefile("rb"), daemon.makefile("rb")
            while request := read_message(requests):
                daemon.sendall(request)
                answer = read_message(answers)
                with self.lock:
                    lose = self.lost < self.lose
                    self.lost += lose
                if lose:
                    self.on_loss()
                    return
                connection.sendall(answer)


class Scripted(Listener):
    """Answers each request with the next of the given texts; None closes. Keeps the requests."""

    def __init__(self, path, answers):
        self.answers, self.requests = list(answers), []
        super().__init__(path)

    def serve(self, connection):
        stream = connection.makefile("rb")
        while request := read_message(stream):
            with self.lock:
                self.requests.append(request)
                answer = self.answers.pop(0) if self.answers else None
            if answer is None:
                return
            connection.sendall(answer)


def http(status, body, *headers):
    body = body.encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
