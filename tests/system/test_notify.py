# SPDX-License-Identifier: Apache-2.0
"""Services that beat by sd_notify, as they are: the source of a beat is the unit that it comes from."""

import pytest
from daemon import wait_until
from installation import SERVICE

NOTIFY = "NOTIFY_SOCKET=/run/tocsin/notify"
BEATER = """
import os, signal, socket
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
    sender.connect(os.environ["NOTIFY_SOCKET"])
    sender.send(b"WATCHDOG_USEC=3600000000\\nWATCHDOG=1\\nSTATUS=at work")
signal.pause()
"""


@pytest.fixture()
def watch(client):
    def of(source):
        def seen():
            return client.get("/v1/heartbeats", {"source": source}).json["items"]
        return wait_until(seen, f"the beat of {source}")[0]
    return of


def start(machine, unit, *words, properties=()):
    options = [f"--property={p}" for p in (f"Environment={NOTIFY}", *properties)]
    return machine.exec("systemd-run", "--quiet", "--collect", f"--unit={unit}", *options, "--", *words, check=False)


def test_a_service_is_known_by_its_unit(machine, watch):
    start(machine, "beater", "/usr/bin/python3", "-c", BEATER)
    seen = watch("beater.service")
    assert (seen["state"], seen["interval_s"], seen["status"]) == ("up", 3600, "at work")
    machine.systemctl("stop", "beater")


def test_a_service_of_a_member_beats_and_a_strangers_cannot(machine, client, watch):
    start(machine, "membership", "/usr/bin/python3", "-c", BEATER, properties=["User=member"])
    assert watch("membership.service")["state"] == "up"
    start(machine, "strange", "/usr/bin/python3", "-c", BEATER, properties=["User=stranger"])
    wait_until(lambda: "PermissionError" in machine.journal_text("--unit", "strange"), "its failure")
    assert client.get("/v1/heartbeats", {"source": "strange.service"}).json["items"] == []
    machine.systemctl("stop", "membership")


def test_a_service_that_ends_at_once_is_known_as_well(machine, watch):
    for number in range(10):
        done = start(machine, f"brief{number}", "/usr/bin/systemd-notify", "WATCHDOG=1", "WATCHDOG_USEC=60000000",
                     properties=["Type=oneshot"])
        assert done.returncode == 0, done.stderr
        assert watch(f"brief{number}.service")["interval_s"] == 60


def test_a_beat_starts_the_daemon_and_waits_for_it(machine, client, watch):
    machine.systemctl("stop", SERVICE)
    start(machine, "waker", "/usr/bin/python3", "-c", BEATER)
    wait_until(lambda: machine.properties(SERVICE, "ActiveState")["ActiveState"] == "active", "the daemon to start")
    assert watch("waker.service")["state"] == "up"
    machine.systemctl("stop", "waker")
