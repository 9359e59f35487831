# SPDX-License-Identifier: Apache-2.0
"""What an installation leaves behind: users, directories and modes, sound units, a daemon that comes at boot."""

import pytest
from daemon import wait_until
from installation import SERVICE, UNITS, http, is_active

MODES = {
    "/usr/sbin/tocsind": "755 root root",
    "/usr/bin/tocsinctl": "755 root root",
    "/usr/libexec/tocsin/tocsin-spark": "755 root root",
    "/run/tocsin": "755 root root",
    "/run/tocsin/tocsin.sock": "660 root tocsin",
    "/run/tocsin/notify": "660 root tocsin",
    "/run/tocsin/spark.sock": "600 tocsin tocsin",
    "/etc/tocsin": "755 root root",
    "/etc/tocsin/conf.d": "750 root tocsin",
    "/etc/tocsin/spark.d": "755 root root",
    "/etc/tocsin/credentials": "700 root root",
    "/usr/lib/tocsin/spark.d": "755 root root",
    "/var/lib/tocsin": "700 tocsin tocsin",
    "/var/lib/tocsin/store": "700 tocsin tocsin",
}


@pytest.mark.parametrize("path", MODES)
def test_owners_and_modes(machine, path):
    assert machine.exec("stat", "-c", "%a %U %G", path).stdout.strip() == MODES[path]


def test_the_user_can_do_nothing_else(machine):
    entry = machine.exec("getent", "passwd", "tocsin").stdout.strip().split(":")
    assert entry[6] == "/usr/sbin/nologin" and int(entry[2]) < 1000
    assert machine.exec("id", "-Gn", "tocsin").stdout.split() == ["tocsin"]


def test_units_are_right(machine):
    units = [unit.replace("@.", "@instance.") for unit in UNITS]
    done = machine.exec("systemd-analyze", "verify", "--man=no", *units, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_daemon_runs_as_its_user_without_privileges(machine):
    pid = machine.properties(SERVICE, "MainPID")["MainPID"]
    lines = machine.exec("cat", f"/proc/{pid}/status").stdout.splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert status["Uid"].split()[0] == machine.exec("id", "-u", "tocsin").stdout.strip()
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"


def test_secrets_reach_the_daemon_alone(machine):
    machine.write("/etc/tocsin/credentials/smtp-password", "hush", 0o600)
    machine.systemctl("restart", SERVICE)
    folder = f"/run/credentials/{SERVICE}"
    assert machine.exec("cat", f"{folder}/tocsin_smtp-password", user="tocsin").stdout == "hush"
    assert machine.exec("ls", folder, user="member", check=False).returncode != 0


def test_comes_back_with_the_machine(machine):
    index = http(machine).submit(event_name="before", event_src="test")
    machine.power_off()
    machine.boot()
    wait_until(lambda: is_active(machine), "the daemon to be there")
    reader = http(machine)
    assert reader.get(f"/v1/events/{index}").json["event_name"] == "before"
    assert reader.submit(event_name="after", event_src="test") > index
    assert "exit-code" not in machine.journal_text("--unit", SERVICE)


def test_the_journal_knows_messages_by_number_and_explains_them(machine):
    machine.exec("journalctl", "--update-catalog")
    machine.systemctl("reload", SERVICE)
    reloaded = wait_until(lambda: machine.journal("--unit", SERVICE, "MESSAGE_ID=ec3f3acf6c7b47ab8dc891571c00e24a"), "the message")
    assert reloaded[-1]["MESSAGE"].startswith("reloaded the configuration") and reloaded[-1]["PRIORITY"] == "6"
    assert "Tocsin has a new configuration" in machine.journal_text("--catalog", "--unit", SERVICE, "-n", "20")
