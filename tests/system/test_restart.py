# SPDX-License-Identifier: Apache-2.0
"""systemd stops, restarts, kills and misses the daemon while clients submit: no acknowledged event is lost, no client
is turned away, nothing is left behind."""

import itertools
import os
import signal
import socket
import time

import pytest
from daemon import wait_until
from installation import SERVICE, SOCKET, configured, drop_in, host_pid, http, is_active, load, main_pid
from processes import Process

FIRST_NUMBERS = itertools.count(100, 100)  # of the clients of each test, so that they are told apart
STOP_S = 30                                # TimeoutStopSec= of the unit
PRIME = {"event_name": "first", "event_src": "test"}


@pytest.fixture()
def process(machine):
    return Process.of(host_pid(machine, main_pid(machine)))


@pytest.fixture()
def busy(machine):
    with load(machine, next(FIRST_NUMBERS)) as clients:
        yield clients


def goes_on(clients):
    """Every client gets new answers."""
    before = [len(client.acknowledged) for client in clients.clients]

    def answered(client, known):
        assert client.is_alive(), client.unexpected
        return len(client.acknowledged) > known

    wait_until(lambda: all(map(answered, clients.clients, before)), "answers for every client", 60)


def restarts(machine) -> int:
    return int(machine.properties(SERVICE, "NRestarts")["NRestarts"])


def socket_identity(machine):
    status = os.stat(machine.path(SOCKET))
    return status.st_dev, status.st_ino


def running_as(machine, user):
    uid = machine.exec("id", "-u", user).stdout.strip()
    code = ("import os, sys\nfor pid in filter(str.isdigit, os.listdir('/proc')):\n"
            "    try:\n"
            "        if os.stat('/proc/' + pid).st_uid == int(sys.argv[1]): print(pid, open(f'/proc/{pid}/comm').read())\n"
            "    except OSError: pass\n")
    return machine.exec("python3", "-c", code, uid).stdout.split()


def test_a_hanging_daemon_is_killed_and_started_again(machine):
    with drop_in(machine, "[Service]\nWatchdogSec=2\n"), load(machine, next(FIRST_NUMBERS)) as clients:
        cursor, before = machine.journal_cursor(SERVICE), restarts(machine)
        hanging = Process.of(host_pid(machine, main_pid(machine)))
        hanging.signal(signal.SIGSTOP)
        wait_until(lambda: restarts(machine) > before and is_active(machine), "the restart", 60)
        assert not hanging.alive()
        said = machine.journal_text("--after-cursor", cursor, "--unit", SERVICE)
        assert "Watchdog timeout" in said and "'watchdog'" in said
        goes_on(clients)


def test_a_busy_daemon_keeps_the_watchdog_content(machine):
    with drop_in(machine, "[Service]\nWatchdogSec=2\n"), load(machine, next(FIRST_NUMBERS)) as clients:
        before, pid, pings = restarts(machine), main_pid(machine), set()

        def pinged():
            pings.add(machine.properties(SERVICE, "WatchdogTimestampMonotonic")["WatchdogTimestampMonotonic"])
            return len(pings) > 4

        wait_until(pinged, "more pings than two periods take")
        goes_on(clients)
        assert (restarts(machine), main_pid(machine)) == (before, pid)


def test_a_killed_daemon_comes_back_and_nobody_is_turned_away(machine, busy, process):
    identity, before = socket_identity(machine), restarts(machine)
    process.signal(signal.SIGKILL)
    wait_until(lambda: not process.alive(), "its death")
    # It is down now, or just coming back; a connection waits for it.
    answer = http(machine).post("/v1/events", PRIME)
    assert answer.status == 201
    wait_until(lambda: restarts(machine) > before and is_active(machine), "the restart", 60)
    goes_on(busy)
    assert socket_identity(machine) == identity


def test_a_crash_loop_never_fails_the_socket(machine):
    identity, before = socket_identity(machine), restarts(machine)
    for number in range(1, 8):  # more than the five in 10 s that systemd allows by itself
        Process.of(host_pid(machine, main_pid(machine))).signal(signal.SIGKILL)
        wait_until(lambda n=number: restarts(machine) >= before + n and is_active(machine), "the restart", 60)
    assert machine.properties("tocsind.socket", "ActiveState")["ActiveState"] == "active"
    assert socket_identity(machine) == identity
    assert http(machine).post("/v1/events", PRIME).status == 201


def test_connections_made_while_it_is_down_are_served(machine):
    machine.systemctl("stop", "tocsind.socket", SERVICE)
    machine.systemctl("start", "tocsind.socket")
    waiting = [http(machine) for _ in range(20)]
    for one in waiting:
        one.connection.connect()
    for one in waiting:
        assert one.post("/v1/events", PRIME).status == 201
        one.close()


def test_restarts_under_load_lose_nothing_and_the_socket_stays(machine, busy):
    identity = socket_identity(machine)
    for _ in range(20):
        old = main_pid(machine)
        machine.systemctl("restart", SERVICE)
        assert is_active(machine) and main_pid(machine) != old
        goes_on(busy)
        assert socket_identity(machine) == identity
    assert machine.properties(SERVICE, "Result")["Result"] == "success"


def test_a_stop_is_quick_and_complete(machine):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.connect(str(machine.path(SOCKET)))
    listener.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")  # a stream is open, and never ends by itself
    assert listener.recv(100)
    cursor, begin = machine.journal_cursor(SERVICE), time.monotonic()
    machine.systemctl("stop", SERVICE)
    took = time.monotonic() - begin
    assert took < STOP_S
    assert machine.properties(SERVICE, "Result", "ActiveState") == {"Result": "success", "ActiveState": "inactive"}
    assert "stopped" in machine.journal_text("--after-cursor", cursor, "--unit", SERVICE)
    assert running_as(machine, "tocsin") == []
    assert machine.path(SOCKET).exists(), "the socket is systemd's, and stays"
    listener.close()
    machine.systemctl("stop", "tocsind.socket", "tocsin-spark.socket")
    assert sorted(os.listdir(machine.path("/run/tocsin"))) == []
    machine.systemctl("start", SERVICE)
    assert sorted(os.listdir(machine.path("/run/tocsin"))) == ["notify", "spark.sock", "tocsin.sock"]


def test_a_daemon_that_cannot_stop_is_ended(machine, process):
    with drop_in(machine, "[Service]\nTimeoutStopSec=2\n"):
        hanging = Process.of(host_pid(machine, main_pid(machine)))
        hanging.signal(signal.SIGSTOP)
        machine.systemctl("stop", SERVICE)
        assert not hanging.alive() and running_as(machine, "tocsin") == []


# ---- reload ----

def test_a_broken_file_fails_loudly_and_changes_nothing(machine, client):
    with configured(machine, "[heartbeats]\nauto_register = true\n"):
        assert client.post("/v1/heartbeats/one").json["state"] == "up"
        pid, cursor = main_pid(machine), machine.journal_cursor(SERVICE)
        machine.write("/etc/tocsin/conf.d/test.toml", "[heartbeats]\nauto_register = false\nintervall = '1s'\n")
        refused = machine.systemctl("reload", SERVICE, check=False)
        assert refused.returncode != 0
        said = machine.journal_text("--after-cursor", cursor, "--unit", SERVICE)
        assert "/etc/tocsin/conf.d/test.toml:3" in said and "intervall" in said, said
        assert is_active(machine) and main_pid(machine) == pid
        assert client.post("/v1/heartbeats/two").json["state"] == "up", "what was in effect still is"
        machine.write("/etc/tocsin/conf.d/test.toml", "[heartbeats]\nauto_register = false\n")
        machine.systemctl("reload", SERVICE)
        assert client.post("/v1/heartbeats/three").json["state"] == "new" and main_pid(machine) == pid
    assert machine.properties(SERVICE, "ActiveState")["ActiveState"] == "active"


def test_a_broken_file_at_the_start_is_said_once_and_mended_by_a_start(machine):
    machine.write("/etc/tocsin/conf.d/broken.toml", "[store\n")
    try:
        cursor = machine.journal_cursor(SERVICE)
        assert machine.systemctl("restart", SERVICE, check=False).returncode != 0
        state = machine.properties(SERVICE, "ExecMainStatus", "SubState")
        assert state == {"ExecMainStatus": "2", "SubState": "failed"}
        said = machine.journal_text("--after-cursor", cursor, "--unit", SERVICE)
        assert said.count("/etc/tocsin/conf.d/broken.toml:1") == 1, said
    finally:
        machine.path("/etc/tocsin/conf.d/broken.toml").unlink()
    machine.systemctl("start", SERVICE)
    assert http(machine).post("/v1/events", PRIME).status == 201


def test_clients_of_a_daemon_that_cannot_start_are_refused_in_the_end(machine):
    machine.write("/etc/tocsin/conf.d/broken.toml", "[store\n")
    waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        machine.systemctl("stop", SERVICE)
        waiting.connect(str(machine.path(SOCKET)))
        wait_until(lambda: machine.properties("tocsind.socket", "ActiveState")["ActiveState"] == "failed",
                   "the refusal", 60)
        with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
            http(machine).connection.connect()
        assert not is_active(machine)
    finally:
        waiting.close()
        machine.path("/etc/tocsin/conf.d/broken.toml").unlink()
    machine.systemctl("reset-failed", "tocsind.*")
    machine.systemctl("start", SERVICE)
    assert http(machine).post("/v1/events", PRIME).status == 201
