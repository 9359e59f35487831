# SPDX-License-Identifier: Apache-2.0
"""Who reaches the daemon, over socket and bus: started on demand, open to its group, closed to strangers."""

import json
import select
import subprocess

import pytest
from daemon import wait_until
from installation import MEMBER, NAME, ROOT, SERVICE, SOCKET, STRANGER, busctl, ctl, curl, http, is_active

EVENT = ["a{sv}", "2", "event_name", "s", "from-the-bus", "event_src", "s", "test"]
PROPERTIES = "org.freedesktop.DBus.Properties"
DENIED = "Access denied"


@pytest.fixture()
def stopped(machine):
    machine.systemctl("stop", SERVICE)
    assert not is_active(machine)
    yield machine
    machine.systemctl("start", SERVICE)


class Listener:
    """A user who listens to signals."""

    def __init__(self, machine, user, rules):
        self.process = machine.spawn("dbus-monitor", "--system", *rules, user=user, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL)
        self.said = b""

    def hears(self, word) -> bool:
        while select.select([self.process.stdout], [], [], 0)[0]:
            more = self.process.stdout.read1(65536)
            assert more, "the listener ended"
            self.said += more
        return word.encode() in self.said

    def wait(self, word):
        wait_until(lambda: self.hears(word), f"{word} to be heard")

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


# ---- started on demand ----

def test_a_call_on_the_bus_starts_it(stopped):
    index = json.loads(busctl(stopped, "Events", "Submit", *EVENT).stdout)["data"][0]
    assert is_active(stopped) and http(stopped).get(f"/v1/events/{index}").status == 200


def test_a_connection_to_the_socket_starts_it(stopped):
    assert json.loads(curl(stopped, "/v1/status", user=MEMBER).stdout)["version"]
    assert is_active(stopped)


def test_tocsinctl_starts_it(stopped):
    assert "event" in ctl(stopped, "status", user=MEMBER).stdout.lower()
    assert is_active(stopped)


# ---- members ----

def test_a_member_submits_over_both_faces(machine, client):
    sent = json.loads(curl(machine, "/v1/events", "--json", '{"event_name":"a","event_src":"b"}', user=MEMBER).stdout)
    called = json.loads(busctl(machine, "Events", "Submit", *EVENT, user=MEMBER).stdout)["data"][0]
    uid = int(machine.exec("id", "-u", MEMBER).stdout)
    for index, transport in ((sent["unique_index"], "http"), (called, "dbus")):
        origin = client.get(f"/v1/events/{index}").json["origin"]
        assert (origin["transport"], origin["uid"]) == (transport, uid)


def test_the_sender_is_known_by_its_unit(machine, client):
    done = machine.run("curl", "--silent", "--unix-socket", SOCKET, "--json", '{"event_name":"a","event_src":"b"}',
                       "http://localhost/v1/events", unit="detector", properties=["User=member"])
    origin = client.get(f"/v1/events/{json.loads(done.stdout)['unique_index']}").json["origin"]
    assert origin["unit"] == "detector.service"


def test_a_member_may_not_change_what_others_rely_on(machine):
    refused = ctl(machine, "reload", user=MEMBER, check=False)
    assert refused.returncode == 4, refused
    refused = busctl(machine, "Manager", "Reload", user=MEMBER, check=False)
    assert refused.returncode != 0 and "may not do this" in refused.stderr


# ---- strangers ----

def test_strangers_fail_at_connect(machine):
    code = ("import socket, sys\n"
            "for kind, path in ((socket.SOCK_STREAM, 'tocsin.sock'), (socket.SOCK_DGRAM, 'notify'), "
            "(socket.SOCK_SEQPACKET, 'spark.sock')):\n"
            "    try:\n"
            "        socket.socket(socket.AF_UNIX, kind).connect('/run/tocsin/' + path)\n"
            "    except PermissionError:\n"
            "        continue\n"
            "    sys.exit(path)\n")
    machine.exec("python3", "-c", code, user=STRANGER)
    # Members start no scripts past the daemon.
    assert machine.exec("python3", "-c", code, user=MEMBER, check=False).stderr.strip() == "tocsin.sock"
    assert "ermission" in ctl(machine, "status", user=STRANGER, check=False).stderr


def test_strangers_are_refused_by_the_daemon(machine):
    for interface, method, *arguments in (("Events", "Submit", *EVENT), ("Events", "Count", "a{sv}", "0"),
                                          ("Heartbeats", "Beat", "sa{sv}", "x", "0"), ("Manager", "Reload")):
        refused = busctl(machine, interface, method, *arguments, user=STRANGER, check=False)
        assert refused.returncode != 0 and "may not do this" in refused.stderr, (method, refused)


@pytest.mark.parametrize("interface, method, arguments", [
    (PROPERTIES, "Get", ("ss", f"{NAME}.Manager", "EventCount")),
    (PROPERTIES, "GetAll", ("s", f"{NAME}.Manager")),
    (PROPERTIES, "Set", ("ssv", f"{NAME}.Manager", "EventCount", "t", "1")),
    ("org.freedesktop.DBus.Introspectable", "Introspect", ()),
    ("org.freedesktop.DBus.ObjectManager", "GetManagedObjects", ()),
])
def test_the_bus_keeps_properties_from_strangers(machine, interface, method, arguments):
    refused = busctl(machine, interface, method, *arguments, user=STRANGER, check=False)
    assert refused.returncode != 0 and DENIED in refused.stderr, refused
    for user in (MEMBER, None):
        answer = busctl(machine, interface, method, *arguments, user=user, check=False)
        assert DENIED not in answer.stderr, answer


def test_a_call_that_names_no_interface_is_no_way_around(machine):
    words = ["dbus-send", "--system", "--print-reply", f"--dest={NAME}", ROOT]
    for user, denied in ((STRANGER, True), (MEMBER, False)):
        answer = machine.exec(*words, f"{PROPERTIES}.Get", f"string:{NAME}.Manager", "string:Version", user=user,
                              check=False)
        assert ("AccessDenied" in answer.stderr) == denied, answer


def test_signals_reach_members_alone(machine, client):
    client.post("/v1/heartbeats/watched?interval=3600")
    rules = [f"type='signal',sender='{NAME}'", "type='signal',interface='org.example.Last'"]
    listeners = {user: Listener(machine, user, rules) for user in (MEMBER, STRANGER)}
    try:
        for listener in listeners.values():
            listener.wait("NameAcquired")  # its own name is the first thing that each hears
        states = iter(["/fail", ""] * 1000)
        wait_until(lambda: client.post(f"/v1/heartbeats/watched{next(states)}").status == 200
                   and listeners[MEMBER].hears("PropertiesChanged"), "the member to hear of it", 60)
        # The bus keeps the order: what it had for the stranger would come before this.
        machine.exec("dbus-send", "--system", "--type=signal", "/", "org.example.Last.Word")
        listeners[STRANGER].wait("member=Word")
        assert not listeners[STRANGER].hears("PropertiesChanged")
    finally:
        for listener in listeners.values():
            listener.close()
