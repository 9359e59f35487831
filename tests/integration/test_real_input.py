# SPDX-License-Identifier: Apache-2.0
"""Real sshd lines go in through busctl, curl and tocsinctl, and are found again by every filter key on both faces."""

import json
import subprocess

import pytest
from samples import sshd_events


@pytest.fixture(scope="module")
def stored(daemon):
    """index → event as sent; a third of the lines by each client."""
    events = sshd_events(300)
    assert len(events) >= 10
    sent = {}
    third = max(1, len(events) // 3)
    for event in events[:min(third, 20)]:  # busctl: a process for each, so a few only
        words = ["event_name", "s", event["event_name"], "event_src", "s", event["event_src"], "severity", "s",
                 event["severity"], "scid", "x", str(event["scid"]), "event_time", "s", event["event_time"], "summary",
                 "s", event["summary"], "environment", "s", event["environment"], "event_rule_id", "x",
                 str(event["event_rule_id"]), "payload", "a{sv}", str(len(event["payload"]))]
        for key, value in event["payload"].items():
            words += [key, "x" if isinstance(value, int) else "s", str(value)]
        index, = daemon.call("Events", "Submit", "a{sv}", "9", *words)
        sent[index] = event
    body = "\n".join(map(json.dumps, events[third:2 * third])) + "\n"
    done = subprocess.run(["curl", "-sS", "--unix-socket", daemon.socket, "-H", "Content-Type: application/x-ndjson",
                           "--data-binary", "@-", "http://localhost/v1/events"], input=body, capture_output=True, text=True)
    receipt = json.loads(done.stdout)
    assert receipt["count"] == third, done.stdout
    sent |= dict(zip(range(receipt["first"], receipt["last"] + 1), events[third:2 * third]))
    before = daemon.http.get("/v1/status").json["last_index"]
    body = "\n".join(map(json.dumps, events[2 * third:])) + "\n"
    daemon.ctl("submit", "--ndjson", "-", input=body)
    sent |= {before + 1 + i: e for i, e in enumerate(events[2 * third:])}
    return sent


def expected(stored, condition):
    return {i for i, e in stored.items() if condition(e)}


def found(daemon, **params):
    over_http = daemon.http.events(limit=37, event_src="sshd", **params)
    assert len(over_http) == len({e["unique_index"] for e in over_http}), "a page repeated an event"
    return {e["unique_index"] for e in over_http}


def utc(event):
    return event["event_time"].replace(" ", "T") + ".000000Z"


def test_every_line_is_there_as_it_was_sent(daemon, stored):
    for index, event in stored.items():
        answer = daemon.http.get(f"/v1/events/{index}").json
        for key, value in event.items():
            assert answer[key] == (utc(event) if key == "event_time" else value), (index, key)
        assert answer["origin"]["uid"] == 0 or answer["origin"]["uid"] > 0
        assert answer["received_time"].endswith("Z")


KEYS = {
    "name": (dict(event_name="sshd.login_failed"), lambda e: e["event_name"] == "sshd.login_failed"),
    "prefix": (dict(event_name="sshd.l*"), lambda e: e["event_name"].startswith("sshd.l")),
    "two names": (dict(event_name=["sshd.break_in", "sshd.invalid_user"]),
                  lambda e: e["event_name"] in ("sshd.break_in", "sshd.invalid_user")),
    "severity": (dict(severity="critical"), lambda e: e["severity"] == "critical"),
    "min_severity": (dict(min_severity="warning"), lambda e: e["severity"] != "info"),
    "environment": (dict(environment="on-premises"), lambda e: True),
    "rule": (dict(event_rule_id=len("sshd.break_in")), lambda e: e["event_rule_id"] == len("sshd.break_in")),
    "type": (dict(event_type="standard"), lambda e: True),
    "other type": (dict(event_type="dataset"), lambda e: False),
    "dataset": (dict(event_id="none"), lambda e: False),
    "report": (dict(has_report="true"), lambda e: False),
    "text in summary": (dict(text="Failed password"), lambda e: "Failed password" in e["summary"]),
    "where": (dict(where='severity >= "error" and summary ~ "port [0-9]+"'),
              lambda e: e["severity"] in ("error", "critical") and " port " in e["summary"]),
    "conjunction": (dict(event_name="sshd.*", severity=["error", "warning"], text="user"),
                    lambda e: e["severity"] in ("error", "warning") and "user" in e["summary"]),
}


@pytest.mark.parametrize("key", KEYS)
def test_filter_key(daemon, stored, key):
    params, condition = KEYS[key]
    assert found(daemon, **params) == expected(stored, condition)


def test_keys_that_depend_on_the_lines(daemon, stored):
    some = next(iter(stored.values()))
    assert found(daemon, scid=some["scid"]) == expected(stored, lambda e: e["scid"] == some["scid"])
    peers = sorted({e["payload"]["rhost"] for e in stored.values() if "rhost" in e["payload"]})
    assert found(daemon, text=peers[0]) == expected(stored, lambda e: peers[0] in json.dumps(e))
    assert found(daemon, where=f'payload.rhost == "{peers[0]}"') == expected(
        stored, lambda e: e["payload"].get("rhost") == peers[0])
    times = sorted(utc(e) for e in stored.values())
    since, until = times[len(times) // 4], times[3 * len(times) // 4]
    assert found(daemon, since=since, until=until) == expected(stored, lambda e: since <= utc(e) < until)
    first = daemon.http.get(f"/v1/events/{min(stored)}").json
    assert found(daemon, received_since=first["received_time"]) == set(stored)
    assert found(daemon, received_until=first["received_time"]) == set()
    assert found(daemon, host=first["host"]) == set(stored)
    assert found(daemon, host="elsewhere") == set()


@pytest.mark.parametrize("order", ["newest", "oldest", "index"])
def test_orders(daemon, stored, order):
    items = daemon.http.events(order=order, event_src="sshd", limit=23)
    keys = [(e["event_time"], e["unique_index"]) for e in items]
    wanted = {"newest": sorted(keys, reverse=True), "oldest": sorted(keys), "index": sorted(keys, key=lambda k: k[1])}
    assert keys == wanted[order] and len(keys) == len(stored)


def test_both_faces_agree(daemon, client, stored):
    params = {"event_src": "sshd", "min_severity": "warning"}
    over_bus, after = client.query(params, 50)
    while after:
        more, after = client.query(params, 50, after)
        over_bus += more
    over_http = daemon.http.events(**params)
    assert [e["unique_index"] for e in over_bus] == [e["unique_index"] for e in over_http]
    assert over_bus[0]["payload"] == over_http[0]["payload"]
    assert set(over_bus[0]) == set(over_http[0])
    assert client.call("Events", "Count", "a{sv}", {"event_src": ("s", "sshd")})[0] == len(stored)


def test_tocsinctl_finds_them(daemon, stored):
    rows = json.loads(daemon.ctl("query", "--src", "sshd", "--severity", "critical", "--json", "-n", 1000).stdout)
    assert {e["unique_index"] for e in rows["items"]} == expected(stored, lambda e: e["severity"] == "critical")
    table = daemon.ctl("query", "--src", "sshd", "-n", 5).stdout
    assert len(table.strip().splitlines()) >= 6 and "sshd" in table
