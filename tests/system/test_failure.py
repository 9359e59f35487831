# SPDX-License-Identifier: Apache-2.0
"""OnFailure=tocsin-failure@%n.service makes an event of a unit that failed, whether the daemon runs or not."""

import pytest
from daemon import wait_until
from installation import SERVICE, http

UNIT = """[Unit]
OnFailure=tocsin-failure@%n.service
[Service]
Type=oneshot
ExecStart={}
"""


@pytest.fixture()
def fails(machine):
    """Starts a unit of this name that runs this command, which fails."""
    def start(name, command):
        machine.write(f"/run/systemd/system/{name}", UNIT.format(command))
        machine.systemctl("daemon-reload")
        assert machine.systemctl("start", name, check=False).returncode != 0
    return start


def told(machine, name, count=1):
    def events():
        return http(machine).events(event_src=name, event_name="unit.failed", limit=10)

    wait_until(lambda: len(events()) >= count, f"the event of {name}", 60)
    return events()


def test_a_unit_that_failed_becomes_an_event(machine, fails):
    fails("bad.service", "/bin/sh -c 'exit 7'")
    (event,) = told(machine, "bad.service")
    assert event["severity"] == "error"
    data = event["payload"]
    assert (data["unit"], data["result"], data["exit_code"], data["exit_status"]) == (
        "bad.service", "exit-code", "exited", "7")


def test_each_failure_is_told_once(machine, fails):
    fails("again.service", "/bin/false")
    told(machine, "again.service")
    fails("again.service", "/bin/sh -c 'kill -SEGV $$$$'")
    events = told(machine, "again.service", 2)
    assert len(events) == 2
    assert {event["payload"]["result"] for event in events} == {"exit-code", "signal"}


def test_names_that_need_escaping_stay_what_they_are(machine, fails):
    fails(r"mnt-a\x2db.service", "/bin/false")
    (event,) = told(machine, r"mnt-a\x2db.service")
    assert event["payload"]["unit"] == r"mnt-a\x2db.service"


def test_a_failure_while_the_daemon_is_down_is_told_when_it_is_back(machine, fails):
    machine.systemctl("stop", SERVICE)
    fails("meanwhile.service", "/bin/false")  # the socket starts the daemon
    told(machine, "meanwhile.service")
