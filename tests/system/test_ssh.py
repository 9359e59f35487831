# SPDX-License-Identifier: Apache-2.0
"""A person who logs in over ssh, with a session of logind's, has the rights of their groups, and is asked for an
administrator's password where an act takes one."""

import pytest
from daemon import wait_until
from installation import MEMBER, NAME, ROOT, STRANGER, install
from machine import Machine
from terminal import Terminal

PASSWORD = "a good one"
KEY = "/root/key"
SSH = ("ssh", "-i", KEY, "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes")
# The agent answers for the shell, which turns into busctl.
WITH_AGENT = (f"cd /tmp && mkfifo ready && {{ pkttyagent --process $$ --notify-fd 3 3>ready & }} && cat ready && "
              f"exec busctl call --allow-interactive-authorization=yes {NAME} {ROOT} {NAME}.Manager Reload")


@pytest.fixture(scope="module")
def machine(login_root, staged):
    with Machine(login_root) as booted:
        install(booted, staged)
        booted.exec("chpasswd", input=f"root:{PASSWORD}\n")
        booted.exec("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY)
        booted.write("/etc/ssh/sshd_config.d/test.conf", "AuthorizedKeysFile /etc/ssh/allowed\n")
        booted.write("/etc/ssh/allowed", booted.exec("cat", f"{KEY}.pub").stdout)
        booted.systemctl("restart", "ssh.service")
        wait_until(lambda: over_ssh(booted, "root", "true", check=False).returncode == 0, "ssh to be there", 30)
        yield booted


def over_ssh(machine, user, command, check=True):
    return machine.exec(*SSH, f"{user}@127.0.0.1", command, check=check)


def at_a_terminal(machine, user, command):
    return Terminal(machine.command(*SSH, "-tt", f"{user}@127.0.0.1", command, environment={"TERM": "linux"}))


def test_it_is_a_remote_session(machine):
    assert "Remote=yes" in over_ssh(machine, MEMBER, "loginctl show-session $XDG_SESSION_ID").stdout


def test_a_member_reads_and_submits(machine):
    over_ssh(machine, MEMBER, "tocsinctl submit --name from.ssh --src shell")
    assert "from.ssh" in over_ssh(machine, MEMBER, "tocsinctl query").stdout
    assert over_ssh(machine, MEMBER, f"busctl get-property {NAME} {ROOT} {NAME}.Manager Version").returncode == 0


def test_a_stranger_does_not(machine):
    refused = over_ssh(machine, STRANGER, "tocsinctl query", check=False)
    assert refused.returncode != 0 and not refused.stdout, refused.stdout


def test_where_nobody_can_be_asked_the_act_is_refused(machine):
    refused = over_ssh(machine, MEMBER, "tocsinctl reload", check=False)
    assert refused.returncode == 4 and "reloaded" not in refused.stdout, refused.stderr


@pytest.mark.parametrize("command", ["tocsinctl reload", WITH_AGENT], ids=["tocsinctl", "busctl"])
def test_at_a_terminal_the_password_is_asked_for(machine, command):
    asked = at_a_terminal(machine, MEMBER, command)
    asked.expect("Password:")
    asked.type_secret(PASSWORD)
    assert asked.end() == 0, asked.said


def test_root_is_not_asked(machine):
    assert "reloaded" in over_ssh(machine, "root", "tocsinctl reload").stdout
