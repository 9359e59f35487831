# SPDX-License-Identifier: Apache-2.0
"""tocsinctl doctor: says nothing against an installation as it should be, and finds what was broken in it."""

import json
from contextlib import contextmanager

from installation import SERVICE, SOCKET, STRANGER, ctl, drop_in

DETECTOR = "detector.service"
# What a test machine itself lacks.
OF_THE_MACHINE = {"clock", "degraded", "limits"}


def doctor(machine, user=None):
    done = ctl(machine, "doctor", "--json", user=user, check=False)
    seen = json.loads(done.stdout)
    assert done.returncode == (1 if seen["problems"] else 0), done.stdout + done.stderr
    return seen["items"]


def problems(machine, check):
    return [item for item in doctor(machine) if item["check"] == check and item["verdict"] == "problem"]


def test_a_good_installation_has_no_problem(machine):
    wrong = [item for item in doctor(machine) if item["verdict"] not in ("ok",) and item["check"] not in OF_THE_MACHINE]
    assert [item["check"] for item in wrong] == ["notification"], wrong


def test_a_socket_that_everybody_may_open(machine):
    machine.exec("chmod", "0666", SOCKET)
    try:
        found, = problems(machine, "permissions")
        assert SOCKET in found["found"] and "0666" in found["found"]
        machine.exec("sh", "-c", found["remedy"])
        assert not problems(machine, "permissions"), "the remedy mends it"
    finally:
        machine.exec("chmod", "0660", SOCKET)


@contextmanager
def detector(machine):
    machine.write(f"/etc/systemd/system/{DETECTOR}", "[Service]\nUser=nobody\nExecStart=sleep infinity\n")
    machine.systemctl("daemon-reload")
    machine.systemctl("start", DETECTOR)
    try:
        yield
    finally:
        machine.systemctl("stop", DETECTOR)
        machine.exec("rm", "-r", f"/etc/systemd/system/{DETECTOR}", f"/etc/systemd/system/{DETECTOR}.d")
        machine.systemctl("daemon-reload")


def test_a_service_that_was_put_into_the_group_while_it_ran(machine):
    with detector(machine):
        assert not problems(machine, "groups")
        machine.write(f"/etc/systemd/system/{DETECTOR}.d/group.conf", "[Service]\nSupplementaryGroups=tocsin\n")
        found, = problems(machine, "groups")
        assert DETECTOR in found["found"] and "daemon-reload" in found["remedy"]
        machine.systemctl("daemon-reload")
        found, = problems(machine, "groups")
        assert "since before" in found["found"]
        machine.exec("sh", "-c", found["remedy"])
        assert not problems(machine, "groups")


def test_a_bus_that_lost_the_policy(machine):
    policy = machine.path("/usr/share/dbus-1/system.d/org.tocsin.EventManager1.conf")
    text = policy.read_text()
    policy.unlink()
    machine.systemctl("reload", "dbus.service")
    try:
        assert problems(machine, "bus")
    finally:
        policy.write_text(text)
        machine.systemctl("reload", "dbus.service")
        machine.systemctl("restart", SERVICE)
    assert not problems(machine, "bus")


def test_a_service_that_is_down_is_found_though_nothing_answers(machine):
    machine.systemctl("stop", "tocsind.socket", SERVICE)
    machine.systemctl("mask", "--runtime", SERVICE)
    try:
        found = {item["check"] for item in doctor(machine) if item["verdict"] == "problem"}
        assert {"daemon", "service"} <= found
    finally:
        machine.systemctl("unmask", "--runtime", SERVICE)
        machine.systemctl("start", "tocsind.socket", SERVICE)


def test_few_files_and_a_changed_unit_are_warnings(machine):
    with drop_in(machine, "[Service]\nLimitNOFILE=1024\n"):
        warned = [item["found"] for item in doctor(machine) if item["check"] == "service"]
        assert any("1024" in text for text in warned), warned


def test_a_stranger_learns_what_he_may_see(machine):
    items = {item["check"]: item for item in doctor(machine, user=STRANGER)}
    assert items["daemon"]["verdict"] == "problem"
    assert items["bus"]["verdict"] == "unknown" and "usermod" in items["bus"]["remedy"]
