# SPDX-License-Identifier: Apache-2.0
"""Cron jobs that ping, by the lines of their manuals: success, start, failure, exit codes, logs."""

import pytest
from daemon import Daemon, wait_until
from older import SWITCHES, ask, curl

UUID = "eb095278-f28d-448d-87fb-7b75c171a6aa"
PING = f"http://localhost:8000/ping/{UUID}"
CONFIG = f"""
[[heartbeat]]
source = "{UUID}"
interval = "1h"
grace = "10m"
[[heartbeat]]
source = "nobody-may"
interval = "1h"
uid = 1
"""


@pytest.fixture(scope="module")
def daemon():
    with Daemon(settings=SWITCHES, config=CONFIG) as running:
        yield running


def watch(daemon, source=UUID):
    (item,) = daemon.http.get("/v1/heartbeats", {"source": source}).json["items"]
    return item


def told(daemon, source=UUID):
    return [e["event_name"] for e in daemon.http.events(event_src="tocsin", order="index", where=f'payload.source == "{source}"')]


def test_the_lines_of_a_crontab(daemon):
    assert curl(daemon, "-fsS", "-m", "10", "--retry", "5", "-o", "/dev/null", PING).returncode == 0
    assert watch(daemon)["state"] == "up"
    assert curl(daemon, "-fsS", "-m", "10", "--retry", "5", PING + "/start").stdout == b"OK"
    assert watch(daemon)["state"] == "started"
    assert curl(daemon, "-fsS", "--head", PING).returncode == 0
    assert watch(daemon)["state"] == "up"
    assert curl(daemon, "-fsS", "-m", "10", "--retry", "5", "--data-raw", "disk is full", PING + "/1").stdout == b"OK"
    assert (watch(daemon)["state"], watch(daemon)["status"]) == ("down", "disk is full")
    assert told(daemon) == ["heartbeat.failed"]
    assert curl(daemon, "-fsS", PING + "/0").stdout == b"OK"
    assert watch(daemon)["state"] == "up"
    assert told(daemon) == ["heartbeat.failed", "heartbeat.recovered"]
    assert curl(daemon, "-fsS", PING + "/fail/").stdout == b"OK"
    wait_until(lambda: watch(daemon)["state"] == "down", "the failure")


def test_a_log_changes_the_text_alone(daemon):
    ask(daemon, "POST", f"/ping/{UUID}", b"all well")
    before = watch(daemon)
    assert curl(daemon, "--data-binary", "@-", PING + "/log", input=b"half way\n").stdout == b"OK"
    after = watch(daemon)
    assert after["status"] == "half way\n" and after["state"] == before["state"] == "up"
    assert (after["last"], after["deadline"]) == (before["last"], before["deadline"])


def test_runs_are_told_apart(daemon):
    one, other = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
    for rid in (one, other):
        assert ask(daemon, "GET", f"/ping/{UUID}/start?rid={rid}").status == 200
    ask(daemon, "GET", f"/ping/{UUID}?rid={one}")
    assert watch(daemon)["state"] == "started", "the other one is under way"
    ask(daemon, "GET", f"/ping/{UUID}/0?rid={other}")
    assert watch(daemon)["state"] == "up"


def test_a_long_log_is_kept_to_its_first_kilobyte(daemon):
    answer = ask(daemon, "POST", f"/ping/{UUID}", b"\xff" + b"x" * 200_000, {"Content-Type": "text/plain"})
    assert (answer.status, answer.body, answer.headers["ping-body-limit"]) == (200, b"OK", "1024")
    assert watch(daemon)["status"] == "?" + "x" * 1023


def test_an_unknown_check_is_remembered_and_a_forbidden_one_refused(daemon):
    assert ask(daemon, "GET", "/ping/db-backup").body == b"OK"
    assert watch(daemon, "db-backup")["state"] == "new"
    answer = ask(daemon, "GET", "/ping/nobody-may")
    assert answer.status == 403 and answer.headers["content-type"].startswith("text/plain")
    assert ask(daemon, "GET", "/ping/db-backup/256").status == 404
