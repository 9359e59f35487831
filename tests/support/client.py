# SPDX-License-Identifier: Apache-2.0
"""A plain HTTP client on a Unix socket. Every answer is checked against docs/openapi.json, unless a test says otherwise."""

import http.client
import json
import socket
from urllib.parse import urlencode

import openapi


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get("code")

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


class Http:
    """One keep-alive connection; reconnects after the server closed it."""

    def __init__(self, socket_path, check=True):
        self.socket_path = socket_path
        self.check = check
        self.connection = UnixConnection(socket_path)

    def request(self, method, target, body=None, headers=None, check=None) -> Answer:
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        try:
            self.connection.request(method, target, body=body, headers=headers)
            response = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.connection.close()
            self.connection.request(method, target, body=body, headers=headers)
            response = self.connection.getresponse()
        answer = Answer(response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read())
        if self.check if check is None else check:
            openapi.check(method, target, answer)
        return answer

    def get(self, path, params=None, **kw) -> Answer:
        target = path + ("?" + urlencode(params, doseq=True) if params else "")
        return self.request("GET", target, **kw)

    def post(self, path, body=None, **kw) -> Answer:
        return self.request("POST", path, body, **kw)

    def submit(self, **fields) -> int:
        answer = self.post("/v1/events", fields)
        assert answer.status in (200, 201), answer
        return answer.json["unique_index"]

    def ndjson(self, lines, **kw) -> Answer:
        body = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n"
        return self.post("/v1/events", body, headers={"Content-Type": "application/x-ndjson"}, **kw)

    def events(self, **params) -> list[dict]:
        """Every matching event, through all pages."""
        found, cursor = [], None
        while True:
            answer = self.get("/v1/events", {**params, **({"cursor": cursor} if cursor else {})})
            assert answer.status == 200, answer
            found += answer.json["items"]
            cursor = answer.json.get("next")
            if not cursor:
                return found

    def close(self):
        self.connection.close()


class Stream:
    """A reader of server-sent events: items() yields (id, event, data), comments are skipped."""

    def __init__(self, socket_path, target="/v1/stream", headers=None, timeout=30):
        self.connection = UnixConnection(socket_path, timeout)
        self.connection.request("GET", target, headers=headers or {})
        self.response = self.connection.getresponse()
        self.retry = None

    def next(self):
        fields = {}
        while True:
            line = self.response.readline()
            if not line:
                raise EOFError("the stream ended")
            line = line.decode().rstrip("\n")
            if line == "":
                if "data" in fields:
                    return fields.get("id"), fields.get("event", "message"), json.loads(fields["data"])
                fields = {}
            elif line.startswith("retry:"):
                self.retry = int(line.split(":", 1)[1])
            elif not line.startswith(":"):
                key, _, value = line.partition(": ")
                fields[key] = value

    def close(self):
        self.connection.close()
