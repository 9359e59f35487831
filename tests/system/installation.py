# SPDX-License-Identifier: Apache-2.0
"""Tocsin put into a machine as a package does it: files of `cmake --install`, users and directories, units."""

import os
import subprocess
import threading
from contextlib import contextmanager
from types import SimpleNamespace

from client import Http
from daemon import wait_until
from house import BUILD
from load import Submitter
from machine import Machine

UNITS = ("tocsind.service", "tocsind.socket", "tocsin-spark.socket", "tocsin-spark@.service",
         "tocsin-failure@.service")
SERVICE, SOCKET = "tocsind.service", "/run/tocsin/tocsin.sock"
MEMBER, STRANGER = "member", "stranger"
NAME, ROOT = "org.tocsin.EventManager1", "/org/tocsin/EventManager1"
WAYS = ("http_single", "http_ndjson", "dbus_single", "dbus_json")


def stage(folder):
    """What a package would hold."""
    done = subprocess.run(["cmake", "--install", str(BUILD), "--strip"], env={**os.environ, "DESTDIR": str(folder)},
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "usr/sbin/tocsind").exists(), f"configure {BUILD} again: its prefix is not /usr"


def install(machine: Machine, staged):
    machine.copy_tree(staged)
    machine.exec("systemd-sysusers")
    machine.exec("systemd-tmpfiles", "--create", "tocsin.conf")
    machine.systemctl("daemon-reload")
    machine.systemctl("reload", "dbus.service")  # it looked up the policy's users before there were any
    machine.systemctl("enable", "--now", SERVICE)
    machine.add_user(MEMBER, "tocsin")
    machine.add_user(STRANGER)


# ---- its faces, from outside as root, from inside as anybody ----

def http(machine, check=True) -> Http:
    return Http(machine.path(SOCKET), check=check)


def faces(machine):
    """What the clients of tests/support ask of a daemon."""
    return SimpleNamespace(socket=machine.path(SOCKET),
                           bus=SimpleNamespace(address=f"unix:path={machine.path('/run/dbus/system_bus_socket')}"))


def curl(machine, target, *words, user=None, check=True):
    return machine.exec("curl", "--silent", "--show-error", "--max-time", "60", "--unix-socket", SOCKET, *words,
                        f"http://localhost{target}", user=user, check=check)


def ctl(machine, *words, user=None, check=True, input=None):
    return machine.exec("tocsinctl", *words, user=user, check=check, input=input)


def busctl(machine, interface, method, *arguments, user=None, check=True, path=ROOT):
    full = interface if "." in interface else f"{NAME}.{interface}"
    return machine.exec("busctl", "--json=short", "call", NAME, path, full, method, *arguments, user=user, check=check)


# ---- its unit ----

def main_pid(machine) -> int:
    return int(machine.properties(SERVICE, "MainPID")["MainPID"])


def is_active(machine) -> bool:
    return machine.properties(SERVICE, "ActiveState")["ActiveState"] == "active"


def host_pid(machine, pid) -> int:
    """The number outside of a process that has `pid` inside."""
    namespace = os.readlink(f"/proc/{machine.leader.pid}/ns/pid")
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{entry}/ns/pid") == namespace:
                with open(f"/proc/{entry}/status", encoding="utf-8") as status:
                    numbers = next(line for line in status if line.startswith("NSpid:")).split()
                if int(numbers[-1]) == pid:
                    return int(entry)
        except (FileNotFoundError, ProcessLookupError, PermissionError, StopIteration):
            continue
    raise ProcessLookupError(pid)


def commands(machine) -> list[str]:
    """The command line of every process."""
    code = ("import glob\nfor path in glob.glob('/proc/[0-9]*/cmdline'):\n"
            "    try: print(open(path).read().replace(chr(0), ' ').strip())\n    except OSError: pass\n")
    return machine.exec("python3", "-c", code).stdout.splitlines()


@contextmanager
def drop_in(machine, text, unit=SERVICE):
    """The unit with these lines added, restarted; and without them afterwards."""
    path = f"/run/systemd/system/{unit}.d/test.conf"
    machine.write(path, text)
    machine.systemctl("daemon-reload")
    machine.systemctl("restart", SERVICE)
    try:
        yield
    finally:
        machine.path(path).unlink()
        machine.systemctl("daemon-reload")
        machine.systemctl("restart", SERVICE)


@contextmanager
def configured(machine, text, name="test"):
    """A file in conf.d, in effect; and gone afterwards."""
    path = f"/etc/tocsin/conf.d/{name}.toml"
    machine.write(path, text)
    machine.systemctl("reload", SERVICE)
    try:
        yield
    finally:
        machine.path(path).unlink(missing_ok=True)
        machine.systemctl("reload-or-restart", SERVICE)


# ---- load that outlives the daemon ----

class Persistent(Submitter):
    """Connects again whenever its connection broke. What was not answered is not acknowledged."""

    def run(self):
        while not self.stop_flag.is_set() and self.unexpected is None:
            super().run()


@contextmanager
def load(machine, first_number):
    """Clients on both faces while the body runs; afterwards everything that was acknowledged must be there."""
    stop = threading.Event()
    clients = [Persistent(faces(machine), way, first_number + i, stop) for i, way in enumerate(WAYS)]
    for client in clients:
        client.start()
    try:
        wait_until(lambda: all(client.acknowledged for client in clients), "the first answers", 60)
        yield SimpleNamespace(clients=clients, count=lambda: sum(len(c.acknowledged) for c in clients))
    finally:
        stop.set()
        for client in clients:
            client.join(60)
    for client in clients:
        assert not client.is_alive() and client.unexpected is None, (client.way, client.unexpected)
        assert_stored(machine, client)


def assert_stored(machine, client):
    found, reader = {}, http(machine)
    for event in reader.events(event_src=f"client{client.number}", limit=10000):
        assert event["unique_index"] not in found
        found[event["unique_index"]] = event["event_name"]
    missing = {index: name for index, (name, _) in client.acknowledged.items() if found.get(index) != name}
    assert not missing, f"{client.way}: acknowledged, but not there: {dict(list(missing.items())[:10])}"
    assert len(set(found.values())) == len(found), "an event stands twice"
