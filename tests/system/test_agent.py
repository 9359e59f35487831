# SPDX-License-Identifier: Apache-2.0
"""A member at a terminal is asked for an administrator's password, as by systemctl."""

import pytest
from installation import MEMBER, ctl
from terminal import Terminal

PASSWORD = "a good one"
ENVIRONMENT = {"TERM": "linux"}


@pytest.fixture(scope="module", autouse=True)
def administrator(machine):
    machine.exec("chpasswd", input=f"root:{PASSWORD}\n")


def terminal(machine, *words, user=MEMBER):
    return Terminal(machine.command(*words, user=user, environment=ENVIRONMENT))


def test_the_password_lets_the_act_through(machine):
    asked = terminal(machine, "tocsinctl", "reload")
    asked.expect("Password:")
    asked.type_secret(PASSWORD)
    assert asked.end() == 0, asked.said
    assert "The configuration was reloaded." in asked.said


def test_what_the_act_answers_is_shown(machine):
    ctl(machine, "heartbeats", "beat", "asked", "--interval", "1h")
    asked = terminal(machine, "tocsinctl", "heartbeats", "pause", "asked")
    asked.expect("Password:")
    asked.type_secret(PASSWORD)
    assert asked.end() == 0, asked.said
    assert "paused" in asked.said, asked.said


def test_a_wrong_one_does_not(machine):
    asked = terminal(machine, "tocsinctl", "reload")
    asked.expect("Password:")
    asked.type_secret("a bad one")
    assert asked.end() == 4, asked.said
    assert "reloaded" not in asked.said


@pytest.mark.parametrize("words", [("tocsinctl", "reload", "--no-ask-password"), ("sh", "-c", "tocsinctl reload </dev/null")])
def test_nobody_is_asked_where_nobody_wants_or_is_there(machine, words):
    refused = terminal(machine, *words)
    assert refused.end() == 4, refused.said
    assert "Password" not in refused.said and "tocsinctl reload" in refused.said
