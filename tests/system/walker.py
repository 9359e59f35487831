# SPDX-License-Identifier: Apache-2.0
"""Walks over every method, property and route as whoever runs it: reads a list of steps, tries each, and prints what came of it.
Runs inside a machine, so it needs nothing but the standard library and busctl."""

import http.client
import json
import socket
import subprocess
import sys

SOCKET = "/run/tocsin/tocsin.sock"
NAME = "org.tocsin.EventManager1"


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(SOCKET)


def route(method, target):
    connection = Connection("localhost")
    try:
        connection.request(method, target)
        return str(connection.getresponse().status)
    except PermissionError:
        return "closed"
    finally:
        connection.close()


def bus(*words):
    done = subprocess.run(["busctl", "--json=short", "--timeout=60", "call", NAME, *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    return "ok" if done.returncode == 0 else done.stderr.strip()


TRIES = {"route": route, "bus": bus}

for line in sys.stdin:
    kind, *words = json.loads(line)
    print(json.dumps(TRIES[kind](*words)))
