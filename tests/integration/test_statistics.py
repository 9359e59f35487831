# SPDX-License-Identifier: Apache-2.0
"""Sums over every face, from the tail and from sealed blocks, against a count in Python; exact across a kill."""

import fcntl
import random
from collections import Counter

import pytest
from bus import PrivateBus
from daemon import Daemon
from dbusclient import Client, DBusError

SEED = 20262


def make(number, rng):
    event = {"event_name": f"name-{rng.randrange(5)}", "event_src": f"src-{rng.randrange(3)}", "scid": rng.randrange(-1, 3),
             "severity": rng.choice(["info", "warning", "error", "critical"]), "count": rng.choice([1, 1, 1, 7]),
             "event_time": f"2026-01-{rng.randrange(1, 4):02}T{rng.randrange(24):02}:{number % 60:02}:00Z"}
    if rng.random() < 0.3:
        event["event_rule_id"] = rng.randrange(-1, 2)
    if rng.random() < 0.5:
        event["environment"] = rng.choice(["prod", "tést"])
    return event


@pytest.fixture(scope="module")
def filled():
    rng = random.Random(SEED)
    events = [make(i, rng) for i in range(2_000)]
    with PrivateBus() as bus, Daemon(bus=bus, settings=["store.tail_events=300"]) as daemon:
        for first in range(0, len(events), 100):
            assert daemon.http.post("/v1/events", events[first:first + 100]).status == 201
        daemon.kill()
        daemon.start()
        yield bus, daemon, events


def sums(events, *keys):
    out = Counter()
    for event in events:
        out[tuple(event.get(key, None if key == "event_rule_id" else "") for key in keys)] += event["count"]
    return out


@pytest.mark.parametrize("keys", [("event_name",), ("scid", "severity"), ("event_rule_id",), ("environment", "event_src", "event_name")])
def test_totals_over_http_are_exact(filled, keys):
    _, daemon, events = filled
    answer = daemon.http.get("/v1/statistics/totals", {"group_by": ",".join(keys), "event_src": ["src-0", "src-1", "src-2"]})
    assert answer.status == 200, answer
    items = answer.json["items"]
    assert {tuple(item[key] for key in keys): item["count"] for item in items} == sums(events, *keys)
    assert [item["count"] for item in items] == sorted((item["count"] for item in items), reverse=True)


def test_totals_with_a_filter_over_the_bus(filled):
    bus, _, events = filled
    client = Client(bus)
    (got,) = client.call("Statistics", "Totals", "a{sv}as", {"event_name": ("s", "name-1"), "since": ("s", "2026-01-02T00:00:00Z")},
                      ["severity", "event_rule_id"])
    wanted = [e for e in events if e["event_name"] == "name-1" and e["event_time"] >= "2026-01-02"]
    spelled = Counter()
    for (severity, rule), count in sums(wanted, "severity", "event_rule_id").items():
        spelled[(severity, "" if rule is None else str(rule))] = count
    assert {tuple(values): count for values, count in got} == spelled
    with pytest.raises(DBusError) as refused:
        client.call("Statistics", "Totals", "a{sv}as", {}, ["payload"])
    assert refused.value.code == "InvalidArgument" and "group_by" in str(refused.value)
    client.close()


def test_hours_page_by_page(filled):
    bus, daemon, events = filled
    wanted = Counter()
    for event in events:
        wanted[(event["event_time"][:13] + ":00:00.000000Z", event["event_name"])] += event["count"]
    found, cursor = [], None
    while True:
        answer = daemon.http.get("/v1/statistics/hourly", {"limit": 37, "event_name": "name-*", **({"cursor": cursor} if cursor else {})})
        assert answer.status == 200, answer
        found += [((item["hour"], item["event_name"]), item["count"]) for item in answer.json["items"]]
        cursor = answer.json.get("next")
        if not cursor:
            break
    assert found == sorted(wanted.items())
    client = Client(bus)
    items, rest = client.call("Statistics", "Hourly", "a{sv}us", {"event_name": ("s", "name-*")}, 10_000, "")
    assert rest == "" and [(name, count) for _, name, count in items] == [(key[1], count) for key, count in found]
    client.close()


def test_a_day_on_every_face(filled):
    bus, daemon, events = filled
    wanted = [0] * 24
    for event in events:
        if event["event_name"] == "name-2" and event["event_time"].startswith("2026-01-03"):
            wanted[int(event["event_time"][11:13])] += event["count"]
    assert sum(wanted) > 0
    assert daemon.http.get("/v1/statistics/histogram/name-2/20260103").json["counts"] == wanted
    client = Client(bus)
    assert client.call("Statistics", "Histogram", "ss", "name-2", "20260103") == (wanted,)
    with pytest.raises(DBusError) as refused:
        client.call("Statistics", "HistogramImage", "sss", "name-2", "20260103", "jpg")
    assert refused.value.code == "InvalidArgument"
    client.close()
    png = daemon.http.get("/v1/statistics/histogram/name-2/20260103.png")
    assert png.status == 200 and png.headers["content-type"] == "image/png" and png.body.startswith(b"\x89PNG")
    svg = daemon.http.get("/v1/statistics/histogram/name-2/20260103", headers={"Accept": "image/svg+xml"})
    assert svg.headers["content-type"] == "image/svg+xml" and b"<svg" in svg.body
    lines = daemon.ctl("histogram", "name-2", "2026-01-03").stdout.splitlines()
    assert [int(line.split()[1]) for line in lines[1:25]] == wanted and lines[25].startswith(f"{sum(wanted)} on")


@pytest.mark.parametrize("format, begin", [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_picture_over_the_bus_is_a_sealed_file(filled, format, begin):
    from jeepney.io.blocking import open_dbus_connection
    bus, daemon, _ = filled
    client = Client.__new__(Client)
    client.connection = open_dbus_connection(bus=bus.address, enable_fds=True)
    (descriptor,) = client.call("Statistics", "HistogramImage", "sss", "name-2", "20260103", format)
    with descriptor.to_file("rb") as file:
        assert fcntl.fcntl(file, fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE
        image = file.read()
    assert image.startswith(begin)
    other = daemon.http.get(f"/v1/statistics/histogram/name-2/20260103.{format}").body
    assert image == other or format == "svg"  # in which the library numbers what it writes
    client.close()


def test_tables_for_people(filled):
    _, daemon, events = filled
    lines = daemon.ctl("stats", "--by", "severity,event_rule_id", "--src", "src-1").stdout.splitlines()
    wanted = sums([e for e in events if e["event_src"] == "src-1"], "severity", "event_rule_id")
    assert lines[0].split() == ["COUNT", "SEVERITY", "EVENT_RULE_ID"] and len(lines) == len(wanted) + 1
    for line in lines[1:]:
        count, severity, rule = line.split()
        assert wanted[(severity, None if rule == "-" else int(rule))] == int(count)
    hours = daemon.ctl("stats", "--hourly", "--name", "name-0", "-n", "3", check=False)
    assert hours.returncode == 0 and len(hours.stdout.splitlines()) == 4
    refused = daemon.ctl("stats", "--by", "nothing", check=False)
    assert refused.returncode == 2 and "group_by" in refused.stderr
