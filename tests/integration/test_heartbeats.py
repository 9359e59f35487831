# SPDX-License-Identifier: Apache-2.0
"""A source's heartbeat is watched: missed and recovered are events, once each, over both faces and across restarts."""

import pytest
from daemon import Daemon, wait_until
from dbusclient import DBusError, heartbeat_path


def events(http, source):
    return [e["event_name"] for e in http.events(event_src="tocsin", order="index", where=f'payload.source == "{source}"')]


def test_beat_over_both_faces(http, client):
    answer = http.post("/v1/heartbeats/pump?interval=60s&grace=5s&scid=3")
    assert answer.status == 200
    watch = answer.json
    assert (watch["source"], watch["scid"], watch["state"]) == ("pump", 3, "up")
    assert (watch["interval_s"], watch["grace_s"], watch["misses"]) == (60, 5, 0)
    assert client.call("Heartbeats", "Beat", "sa{sv}", "pump", {"scid": ("x", 3), "status": ("s", "warm")}) == ()
    assert http.get("/v1/heartbeats", {"source": "pump"}).json["items"][0]["status"] == "warm"
    path = heartbeat_path("pump", 3)
    assert path == "heartbeat/pump/_33"
    assert client.get_property("Heartbeat", "State", "heartbeat/pump/3") == "up", "a path written by hand works, too"
    assert client.get_property("Heartbeat", "State", path) == "up"
    assert client.get_property("Heartbeat", "IntervalUSec", path) == 60_000_000
    assert client.get_property("Heartbeat", "DeadlineUSec", path) > client.get_property("Heartbeat", "LastUSec", path)
    items, after = client.call("Heartbeats", "List", "a{sv}us", {}, 0, "")
    assert after == "" and any(i["source"][1] == "pump" for i in items)


def test_missed_once_and_recovered(http, client):
    def wait_for(queue, state):
        while True:
            interface, changed, _ = client.next_signal(queue)
            if interface.endswith(".Heartbeat") and changed.get("State", ("s", ""))[1] == state:
                return

    with client.watch("org.freedesktop.DBus.Properties", "PropertiesChanged") as changes:
        http.post("/v1/heartbeats/clock?interval=200ms&grace=100ms")
        wait_until(lambda: events(http, "clock") == ["heartbeat.missed"], "the miss")
        wait_for(changes, "down")
        missed = http.events(event_name="heartbeat.missed", where='payload.source == "clock"')[0]
        assert missed["event_src"] == "tocsin" and missed["payload"]["misses"] == 1
        watch = http.get("/v1/heartbeats", {"source": "clock"}).json["items"][0]
        assert watch["state"] == "down" and watch["misses"] >= 1
        assert missed["event_time"] >= missed["payload"]["deadline"]
        http.post("/v1/heartbeats/clock?interval=1h")
        assert events(http, "clock") == ["heartbeat.missed", "heartbeat.recovered"]
        wait_for(changes, "up")


def test_fail_is_down(http):
    http.post("/v1/heartbeats/job?interval=1h")
    assert http.post("/v1/heartbeats/job/fail").json["state"] == "down"
    assert events(http, "job") == ["heartbeat.failed"]
    assert http.get("/v1/heartbeats/job").json["state"] == "up"
    assert events(http, "job") == ["heartbeat.failed", "heartbeat.recovered"]


def test_stray_beat_alarms_nobody(http):
    assert http.post("/v1/heartbeats/stray").json["state"] == "new"
    assert http.post("/v1/heartbeats/stray/fail").json["state"] == "new"
    assert events(http, "stray") == []


def test_name_with_slash(http, client):
    assert http.post("/v1/heartbeats/a%2Fb?interval=1h").json["source"] == "a/b"
    assert client.get_property("Heartbeat", "Source", heartbeat_path("a/b")) == "a/b"


def test_pause_resume_forget(http, client):
    http.post("/v1/heartbeats/tap?interval=100ms&grace=100ms")
    assert http.post("/v1/heartbeats/tap/pause").json["state"] == "paused"
    client.call("Heartbeat", "Resume", path=heartbeat_path("tap"))
    wait_until(lambda: "heartbeat.missed" in events(http, "tap"), "the miss after resume")
    assert http.post("/v1/heartbeats/tap/forget").status == 200
    assert http.get("/v1/heartbeats", {"source": "tap"}).json["items"] == []
    with pytest.raises(DBusError):
        client.call("Heartbeat", "Pause", path=heartbeat_path("tap"))


def test_lists_are_paged(http):
    for number in range(25):
        http.post(f"/v1/heartbeats/page?interval=1h&scid={number}")
    seen, cursor = [], None
    while True:
        page = http.get("/v1/heartbeats", {"source": "page", "limit": 10, **({"cursor": cursor} if cursor else {})}).json
        seen += [w["scid"] for w in page["items"]]
        cursor = page.get("next")
        if not cursor:
            break
    assert seen == list(range(25))


def test_watches_survive_a_restart(bus):
    daemon = Daemon(config="[[heartbeat]]\nsource = 'configured'\ninterval = '1h'\ngrace = '1m'\n")
    try:
        daemon.start()
        http = daemon.http
        http.post("/v1/heartbeats/kept?interval=1h")
        http.post("/v1/heartbeats/lost?interval=200ms&grace=100ms")
        wait_until(lambda: events(http, "lost") == ["heartbeat.missed"], "the miss")
        daemon.kill()
        daemon.start()
        http = daemon.http
        states = {w["source"]: w["state"] for w in http.get("/v1/heartbeats").json["items"]}
        assert states["kept"] == "up" and states["lost"] == "down"
        assert "configured" in states
        assert events(http, "lost") == ["heartbeat.missed"], "a miss is told once"
        http.post("/v1/heartbeats/lost?interval=1h")
        assert events(http, "lost") == ["heartbeat.missed", "heartbeat.recovered"]
    finally:
        daemon.close()
