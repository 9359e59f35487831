# SPDX-License-Identifier: Apache-2.0
"""Guarded acts of members, decided by the real polkit; without it root alone."""

import json

import pytest
from installation import MEMBER, STRANGER, busctl, ctl, curl

RULES = "/etc/polkit-1/rules.d/10-test.rules"
RELOAD = "org.tocsin.EventManager1.reload"
LET = 'polkit.addRule(function(action, subject) { if (action.id == "%s" && subject.user == "%s") return polkit.Result.%s; });\n'


@pytest.fixture()
def rule(machine):
    def write(user, result):
        machine.write(RULES, LET % (RELOAD, user, result))
        machine.systemctl("restart", "polkit.service")
    yield write
    machine.path(RULES).unlink(missing_ok=True)
    machine.systemctl("restart", "polkit.service")


def reload(machine, user):
    return busctl(machine, "Manager", "Reload", user=user, check=False)


def http_reload(machine, user):
    done = curl(machine, "/v1/reload", "--request", "POST", "--write-out", "\n%{http_code}", user=user)
    body, status = done.stdout.rsplit("\n", 1)
    return int(status), json.loads(body)


def test_by_default_it_takes_an_administrators_password(machine):
    for user in (MEMBER, STRANGER):
        refused = reload(machine, user)
        assert refused.returncode != 0 and f"password of an administrator ({RELOAD})" in refused.stderr, refused
    status, problem = http_reload(machine, MEMBER)
    assert status == 403 and problem["code"] == "NotAuthorized"
    assert problem["detail"].endswith("tocsinctl reload"), problem
    assert ctl(machine, "reload", user=MEMBER, check=False).returncode == 4


def test_a_rule_lets_a_member_do_one_act_on_both_faces(machine, rule):
    rule(MEMBER, "YES")
    assert reload(machine, MEMBER).returncode == 0
    assert http_reload(machine, MEMBER)[0] == 200
    assert reload(machine, STRANGER).returncode != 0
    other = busctl(machine, "Jobs", "Run", "ts", "1", "x", user=MEMBER, check=False)
    assert "(org.tocsin.EventManager1.run)" in other.stderr, other


def test_a_no_is_a_no(machine, rule):
    rule(MEMBER, "NO")
    assert f"polkit does not allow it ({RELOAD})" in reload(machine, MEMBER).stderr
    assert http_reload(machine, MEMBER)[0] == 403


def test_without_polkit_root_alone(machine):
    machine.systemctl("mask", "--runtime", "--now", "polkit.service")
    try:
        refused = reload(machine, MEMBER)
        assert refused.returncode != 0 and "may not do this" in refused.stderr, refused
        assert http_reload(machine, MEMBER)[0] == 403
        assert reload(machine, None).returncode == 0
    finally:
        machine.systemctl("unmask", "--runtime", "polkit.service")
