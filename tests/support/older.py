# SPDX-License-Identifier: Apache-2.0
"""Clients of older systems as their people ran them: curl lines of their documents, and a small library for their scripts."""

import json
import subprocess

from client import UnixConnection

SWITCHES = ["compat.event_manager=true", "compat.event_tracker=true", "compat.api_monitor=true", "compat.healthchecks=true"]


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


def ask(daemon, method, target, body=None, headers=None) -> Reply:
    """One request on a connection of its own; a dict is sent as JSON, as requests.post(json=…) does."""
    headers = {"User-Agent": "python-requests/2.32.3", "Accept": "*/*", **(headers or {})}
    if isinstance(body, dict):
        body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    connection = UnixConnection(daemon.socket)
    connection.request(method, target, body=body, headers=headers)
    response = connection.getresponse()
    reply = Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    connection.close()
    return reply


def curl(daemon, *words, input=None, check=True) -> subprocess.CompletedProcess:
    """A curl line as documents have it; only the address of the socket comes to it."""
    done = subprocess.run(["curl", "-sS", "--unix-socket", daemon.socket, *map(str, words)], input=input, capture_output=True)
    assert not check or done.returncode == 0, done.stderr
    return done
