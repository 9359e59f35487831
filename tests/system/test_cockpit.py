# SPDX-License-Identifier: Apache-2.0
"""Cockpit's own bridge reaches the daemon, with the rights of who logged in; and with root's where Cockpit was given them."""

import json
import subprocess

import pytest
from installation import MEMBER, SOCKET, STRANGER, install
from machine import Machine

BRIDGE = "cockpit-bridge"


@pytest.fixture(scope="module")
def machine(login_root, staged):
    with Machine(login_root) as booted:
        install(booted, staged)
        yield booted


class Bridge:
    """A session: frames of LENGTH\\nCHANNEL\\nPAYLOAD over standard input and output; control messages have no channel."""

    def __init__(self, machine, user):
        self.process = machine.spawn(BRIDGE, user=user, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.channels = 0
        assert self.read()[1]["command"] == "init"
        self.send("", {"command": "init", "version": 1, "host": "localhost"})

    def send(self, channel, payload):
        text = f"{channel}\n{json.dumps(payload) if isinstance(payload, dict) else payload}".encode()
        self.process.stdin.write(f"{len(text)}\n".encode() + text)
        self.process.stdin.flush()

    def read(self):
        length = self.process.stdout.readline()
        assert length, "the bridge ended"
        channel, _, payload = self.process.stdout.read(int(length)).partition(b"\n")
        return channel.decode(), json.loads(payload) if not channel else payload.decode()

    def http(self, method, path):
        """As cockpit.http() does it: the first message of the channel is the head, the rest the body."""
        self.channels += 1
        name, messages = f"c{self.channels}", []
        self.send("", {"command": "open", "channel": name, "payload": "http-stream1", "unix": SOCKET, "method": method,
                       "path": path, "headers": {}})
        self.send("", {"command": "done", "channel": name})
        while True:
            channel, payload = self.read()
            if channel == name:
                messages.append(payload)
            elif not channel and payload.get("channel") == name and payload["command"] == "close":
                return payload.get("problem"), json.loads(messages[0])["status"] if messages else None, "".join(messages[1:])

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


@pytest.fixture()
def session(machine):
    opened = []

    def start(user):
        opened.append(Bridge(machine, user))
        return opened[-1]
    yield start
    for one in opened:
        one.close()


def test_a_member_reads_and_is_told_the_command_for_the_rest(session):
    member = session(MEMBER)
    problem, status, body = member.http("GET", "/v1/status")
    assert (problem, status) == (None, 200) and json.loads(body)["version"]
    _, status, body = member.http("POST", "/v1/reload")
    assert status == 403 and "tocsinctl reload" in json.loads(body)["detail"], body


def test_with_administrative_access_everything(session):
    """The bridge that Cockpit starts beside the person's own, as root."""
    _, status, _ = session(None).http("POST", "/v1/reload")
    assert status == 200


def test_a_stranger_gets_no_connection(session):
    problem, status, _ = session(STRANGER).http("GET", "/v1/status")
    assert problem and status is None
