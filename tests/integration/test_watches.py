# SPDX-License-Identifier: Apache-2.0
"""Watches in depth: schedules, runs, learned ones, who may beat, and what a restart makes of them."""

import os
from datetime import datetime, timedelta, timezone

import pytest
from daemon import Daemon, wait_until
from dbusclient import heartbeat_path

CONFIG = """
[heartbeats]
learn = true
[[heartbeat]]
source = "nightly"
schedule = "0 3 * * *"
zone = "Europe/Berlin"
grace = "1h"
run_limit = "2h"
[[heartbeat]]
source = "theirs"
interval = "1h"
uid = 4242
[[heartbeat]]
source = "short"
interval = "1h"
run_limit = "200ms"
[[heartbeat]]
source = "elsewhere"
interval = "1h"
unit = "no-such.service"
"""


@pytest.fixture
def daemon(bus):
    with Daemon(config=CONFIG, bus=bus) as running:
        yield running


def watch_of(http, source):
    return http.get("/v1/heartbeats", {"source": source}).json["items"][0]


def events(http, source):
    return [e["event_name"] for e in http.events(event_src="tocsin", order="index", where=f'payload.source == "{source}"')]


def when(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_a_configured_schedule(daemon):
    watch = watch_of(daemon.http, "nightly")
    assert watch["state"] == "up"
    assert (watch["schedule"], watch["zone"], watch["grace_s"]) == ("0 3 * * *", "Europe/Berlin", 3600)
    assert watch["next"][0] == watch["deadline"] and len(watch["next"]) == 3
    slots = [when(t) for t in watch["next"]]
    assert all(slot.hour in (1, 2) and slot.minute == 0 for slot in slots), "03:00 in Berlin"
    assert slots[0] > datetime.now(timezone.utc)
    assert all(timedelta(hours=23) <= b - a <= timedelta(hours=25) for a, b in zip(slots, slots[1:]))
    assert watch["interval_s"] == (slots[1] - slots[0]).total_seconds()
    shown = daemon.call("Heartbeats", "List", "a{sv}us", "1", "source", "s", "nightly", "0", "")[0][0]
    assert shown["schedule"]["data"] == "0 3 * * *" and shown["next"]["type"] == "at"
    assert [datetime.fromtimestamp(us / 1e6, timezone.utc) for us in shown["next"]["data"]] == slots
    path = "/org/tocsin/EventManager1/" + heartbeat_path("nightly")
    asked = daemon.busctl("get-property", "org.tocsin.EventManager1", path, "org.tocsin.EventManager1.Heartbeat", "Schedule")
    assert "0 3 * * *" in asked.stdout


@pytest.mark.parametrize("face", ["http", "bus"])
def test_a_beat_sets_a_schedule(daemon, face):
    if face == "http":
        answer = daemon.http.post("/v1/heartbeats/http?schedule=*/5+*+*+*+*&zone=Asia/Kathmandu&grace=10s")
        assert answer.status == 200, answer
    else:
        daemon.call("Heartbeats", "Beat", "sa{sv}", "bus", "3", "schedule", "s", "*/5 * * * *", "zone", "s",
                    "Asia/Kathmandu", "grace_usec", "t", "10000000")
    watch = watch_of(daemon.http, face)
    assert (watch["schedule"], watch["zone"], watch["interval_s"]) == ("*/5 * * * *", "Asia/Kathmandu", 300)
    assert when(watch["deadline"]).minute % 5 == 0
    daemon.http.post(f"/v1/heartbeats/{face}?interval=1h")
    assert watch_of(daemon.http, face)["schedule"] == ""


def test_a_slot_is_missed_at_its_grace(daemon):
    # A slot each second: the next is missed as soon as its grace is over.
    answer = daemon.http.post("/v1/heartbeats/tick", {"schedule": "*-*-* *:*:*", "grace": "200ms"})
    assert answer.status == 200, answer
    wait_until(lambda: events(daemon.http, "tick") == ["heartbeat.missed"], "the miss")
    missed = daemon.http.events(event_name="heartbeat.missed", where='payload.source == "tick"')[0]
    assert when(missed["event_time"]) - when(missed["payload"]["deadline"]) == timedelta(milliseconds=200)
    assert when(missed["payload"]["deadline"]).microsecond == 0


def test_a_run_that_takes_too_long(daemon):
    http = daemon.http
    assert http.post("/v1/heartbeats/short/start?run=r1").json["state"] == "started"
    wait_until(lambda: events(http, "short") == ["heartbeat.overrun"], "the overrun")
    event = http.events(event_name="heartbeat.overrun")[0]
    assert (event["payload"]["run"], event["payload"]["limit_s"]) == ("r1", 0.2)
    assert when(event["event_time"]) - when(event["payload"]["last"]) == timedelta(milliseconds=200)
    assert watch_of(http, "short")["state"] == "started", "it may still end well"
    http.post("/v1/heartbeats/short/alive?run=r1")
    wait_until(lambda: events(http, "short") == ["heartbeat.overrun"] * 2, "alive restarts the limit")
    assert http.post("/v1/heartbeats/short/finish?run=r1").json["state"] == "up"
    http.post("/v1/heartbeats/short/start?run=r2")
    http.post("/v1/heartbeats/short/start?run=r3")
    assert http.post("/v1/heartbeats/short/finish?run=r2").json["state"] == "started", "r3 is under way"
    assert http.post("/v1/heartbeats/short/fail?run=r3").json["state"] == "down"


def test_only_the_owner_beats(daemon):
    http = daemon.http
    for source in ("theirs", "elsewhere"):
        answer = http.post(f"/v1/heartbeats/{source}")
        assert (answer.status, answer.code) == (403, "NotAuthorized") and source in answer.json["detail"]
        assert "last" not in watch_of(http, source), "as if it had not come"
    done = daemon.call("Heartbeats", "Beat", "sa{sv}", "theirs", "0", check=False)
    assert done.returncode != 0 and f"only uid 4242 may beat it, not uid {os.getuid()}" in done.stderr


def test_a_refused_beat_refuses_its_batch(daemon):
    http = daemon.http
    batch = [{"event_name": "x", "event_src": "batch"}, {"event_name": "heartbeat", "event_src": "mine"},
             {"event_name": "HeartBeat", "event_src": "theirs"}]
    answer = http.post("/v1/events", batch)
    assert (answer.status, answer.code) == (403, "NotAuthorized")
    assert [(e["index"], e["field"]) for e in answer.json["errors"]] == [(2, "event_src")]
    assert http.events(event_src="batch") == []
    assert http.get("/v1/heartbeats", {"source": "mine"}).json["items"] == []
    assert http.post("/v1/events", batch[:2]).status == 201


def test_a_rhythm_is_proposed_and_learned(daemon):
    http = daemon.http
    for _ in range(4):
        assert http.post("/v1/heartbeats/stray").json["state"] == "new"
        now = watch_of(http, "stray")["last"]
        wait_until(lambda: datetime.now(timezone.utc) - when(now) > timedelta(milliseconds=120), "a little time")
    assert watch_of(http, "stray").get("suggested_interval_s", 0) > 0.1
    daemon.restart()
    http = daemon.http
    assert "suggested_interval_s" in watch_of(http, "stray"), "remembered"
    for _ in range(5):
        answer = http.post("/v1/heartbeats/stray").json
        wait_until(lambda: datetime.now(timezone.utc) - when(answer["last"]) > timedelta(milliseconds=120), "a little time")
    watch = watch_of(http, "stray")
    assert watch["interval_s"] > 0.1 and watch["state"] != "new", watch
    assert "suggested_interval_s" not in watch
    wait_until(lambda: events(http, "stray")[:1] == ["heartbeat.missed"], "the miss of what was learned")


def test_a_restart_keeps_runs_and_schedules(daemon):
    http = daemon.http
    http.post("/v1/heartbeats/nightly/start?run=n1")
    http.post("/v1/heartbeats/cron?schedule=@hourly&zone=America/New_York&grace=5m")
    before = {w["source"]: w for w in http.get("/v1/heartbeats").json["items"]}
    daemon.kill()
    daemon.start()
    after = {w["source"]: w for w in daemon.http.get("/v1/heartbeats").json["items"]}
    assert after["nightly"]["state"] == "started" and after["nightly"]["run"] == "n1"
    assert after["nightly"]["deadline"] == before["nightly"]["deadline"]
    assert (after["cron"]["schedule"], after["cron"]["zone"]) == ("@hourly", "America/New_York")
    assert events(daemon.http, "nightly") == []


def test_misses_grow_while_it_is_down(daemon):
    daemon.http.post("/v1/heartbeats/gone?interval=100ms&grace=100ms")
    wait_until(lambda: watch_of(daemon.http, "gone")["misses"] >= 3, "further misses")
    assert events(daemon.http, "gone") == ["heartbeat.missed"], "one event"


@pytest.mark.parametrize("entry,key", [
    ('interval = "1h"\nschedule = "@daily"', "schedule"),
    ('zone = "UTC"', "zone"),
    ('schedule = "@daily"\nzone = "No/Where"', "zone"),
    ('schedule = "61 * * * *"', "schedule"),
])
def test_contradictions_in_the_configuration(daemon, entry, key):
    daemon.config_file.write_text(CONFIG + f'[[heartbeat]]\nsource = "bad"\n{entry}\n')
    answer = daemon.http.post("/v1/reload")
    assert answer.status >= 400 and f"heartbeat[4].{key}" in answer.body.decode()
    assert watch_of(daemon.http, "nightly")["state"] == "up", "the old configuration goes on"
