# SPDX-License-Identifier: Apache-2.0
"""A member at a terminal, local or over ssh, is asked for an administrator's password, as by systemctl."""

import pytest
from house import tool
from installation import MEMBER, ctl, install
from machine import Machine
from rootfs import root_file_system
from terminal import Terminal

PASSWORD = "a good one"
ENVIRONMENT = {"TERM": "linux"}
SSH = ("ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-i", "/tmp/key")


@pytest.fixture(scope="module")
def machine(staged):
    """With sshd, and an administrator who has a password."""
    root = root_file_system([tool("tocsind"), tool("tocsinctl"), tool("tocsin-spark")], ("openssh-server", "openssh-client"))
    with Machine(root) as booted:
        install(booted, staged)
        booted.exec("chpasswd", input=f"root:{PASSWORD}\n")
        yield booted


@pytest.fixture(scope="module")
def ssh(machine):
    machine.exec("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/tmp/key")
    public = machine.path("/tmp/key.pub").read_text()
    machine.exec("install", "-d", "-o", MEMBER, "-m", "0700", f"/home/{MEMBER}", f"/home/{MEMBER}/.ssh")
    machine.write(f"/home/{MEMBER}/.ssh/authorized_keys", public)
    machine.exec("chown", f"{MEMBER}:", f"/home/{MEMBER}/.ssh/authorized_keys")
    machine.exec("ip", "link", "set", "lo", "up", check=False)
    machine.systemctl("start", "ssh.service")
    return (*SSH, f"{MEMBER}@127.0.0.1")


def terminal(machine, *words, user=MEMBER):
    return Terminal(machine.command(*words, user=user, environment=ENVIRONMENT))


def test_the_password_lets_the_act_through(machine):
    asked = terminal(machine, "tocsinctl", "reload")
    asked.expect("Password:")
    asked.type(f"{PASSWORD}\n")
    assert asked.end() == 0, asked.said
    assert "The configuration was reloaded." in asked.said


def test_what_the_act_answers_is_shown(machine):
    ctl(machine, "heartbeats", "beat", "asked", "--interval", "1h")
    asked = terminal(machine, "tocsinctl", "heartbeats", "pause", "asked")
    asked.expect("Password:")
    asked.type(f"{PASSWORD}\n")
    assert asked.end() == 0, asked.said
    assert "paused" in asked.said, asked.said


def test_a_wrong_one_does_not(machine):
    asked = terminal(machine, "tocsinctl", "reload")
    asked.expect("Password:")
    asked.type("a bad one\n")
    assert asked.end() == 4, asked.said
    assert "reloaded" not in asked.said


@pytest.mark.parametrize("words", [("tocsinctl", "reload", "--no-ask-password"), ("sh", "-c", "tocsinctl reload </dev/null")])
def test_nobody_is_asked_where_nobody_wants_or_is_there(machine, words):
    refused = terminal(machine, *words)
    assert refused.end() == 4, refused.said
    assert "Password" not in refused.said and "tocsinctl reload" in refused.said


def test_a_session_over_ssh_reads(machine, ssh):
    assert "events" in machine.exec(*ssh, "tocsinctl", "status").stdout


def test_a_session_over_ssh_is_asked_too(machine, ssh):
    asked = terminal(machine, *ssh, "-tt", "tocsinctl", "reload", user=None)
    asked.expect("Password:")
    asked.type(f"{PASSWORD}\n")
    assert asked.end() == 0, asked.said
