# SPDX-License-Identifier: Apache-2.0
"""Everything malformed gets its code and names what is wrong, on every face, and the store stays as it was."""

import json
import subprocess

import pytest
from bad_events import BODIES, CONFIGURATIONS, EVENTS, REQUESTS
from daemon import Daemon
from dbusclient import DBusError, dictionary
from house import tool


@pytest.fixture(autouse=True)
def nothing_changes(http):
    before = http.get("/v1/status").json
    yield
    after = http.get("/v1/status").json
    assert (after["event_count"], after["last_index"]) == (before["event_count"], before["last_index"])
    assert http.get("/v1/heartbeats").json["items"] == []


@pytest.fixture(scope="module", autouse=True)
def one_event(daemon):
    assert daemon.http.submit(event_name="one", event_src="test") >= 1


def test_the_table_is_large():
    assert len(EVENTS) + len(BODIES) + len(REQUESTS) + len(CONFIGURATIONS) >= 150


@pytest.mark.parametrize("event,field", [e[1:] for e in EVENTS], ids=[e[0] for e in EVENTS])
def test_event_over_http(http, event, field):
    answer = http.post("/v1/events", event)
    assert (answer.status, answer.code) == (422, "InvalidEvent"), answer
    assert field in [e["field"] for e in answer.json["errors"]], answer
    assert field in answer.json["detail"]


@pytest.mark.parametrize("event,field", [e[1:] for e in EVENTS], ids=[e[0] for e in EVENTS])
def test_event_over_dbus(client, event, field):
    if any(value is None for value in event.values()):
        event = {k: v for k, v in event.items() if v is not None}  # D-Bus has no null: left out
        if field not in ("event_name", "event_src"):
            event[field] = 1
    with pytest.raises(DBusError) as caught:
        client.submit(**event)
    assert caught.value.code == "InvalidEvent"
    assert field in caught.value.message


@pytest.mark.parametrize("event,field", [e[1:] for e in EVENTS[::4]], ids=[e[0] for e in EVENTS[::4]])
def test_bad_event_spoils_its_batch(http, client, event, field):
    batch = [{"event_name": "fine", "event_src": "s"}, event]
    answer = http.post("/v1/events", batch)
    assert (answer.status, answer.code) == (422, "InvalidEvent"), answer
    assert any(e["index"] == 1 and e["field"] == field for e in answer.json["errors"]), answer
    with pytest.raises(DBusError) as caught:
        client.call("Events", "SubmitJson", "ay", "\n".join(map(json.dumps, batch)).encode())
    assert caught.value.code == "InvalidEvent" and field in caught.value.message


@pytest.mark.parametrize("body,media,status,code,word", [b[1:] for b in BODIES], ids=[b[0] for b in BODIES])
def test_body(http, body, media, status, code, word):
    answer = http.post("/v1/events", body, headers={"Content-Type": media})
    assert (answer.status, answer.code) == (status, code), answer
    assert word in answer.body.decode()


@pytest.mark.parametrize("method,target,body,status,code,word", REQUESTS, ids=[f"{r[0]} {r[1][:60]}" for r in REQUESTS])
def test_request(http, method, target, body, status, code, word):
    answer = http.request(method, target, body)
    assert (answer.status, answer.code) == (status, code), answer
    assert word in answer.json["detail"], answer


TYPED = [
    ("descriptor-like byte array as name", {"event_name": ("ay", b"n"), "event_src": ("s", "s")}, "event_name"),
    ("real that is not a number", {"event_name": ("s", "n"), "event_src": ("s", "s"),
                                   "payload": ("a{sv}", {"x": ("d", float("nan"))})}, "payload"),
    ("infinite real", {"event_name": ("s", "n"), "event_src": ("s", "s"), "payload": ("a{sv}", {"x": ("d", float("inf"))})},
     "payload"),
    ("real as scid", {"event_name": ("s", "n"), "event_src": ("s", "s"), "scid": ("d", 1.0)}, "scid"),
    ("index above 63 bits as scid", {"event_name": ("s", "n"), "event_src": ("s", "s"), "scid": ("t", 2**64 - 1)}, "scid"),
    ("array as severity", {"event_name": ("s", "n"), "event_src": ("s", "s"), "severity": ("as", ["info"])}, "severity"),
    ("struct as payload", {"event_name": ("s", "n"), "event_src": ("s", "s"), "payload": ("(ss)", ("a", "b"))}, "payload"),
    ("array as payload", {"event_name": ("s", "n"), "event_src": ("s", "s"), "payload": ("as", ["a"])}, "payload"),
]


@pytest.mark.parametrize("event,field", [t[1:] for t in TYPED], ids=[t[0] for t in TYPED])
def test_typed_dictionary(client, event, field):
    with pytest.raises(DBusError) as caught:
        client.call("Events", "Submit", "a{sv}", event)
    assert caught.value.code == "InvalidEvent" and field in caught.value.message


CALLS = [
    ("Events", "Query", "a{sv}us", [dictionary({"colour": "red"}), 0, ""], "InvalidArgument", "colour"),
    ("Events", "Query", "a{sv}us", [dictionary({"severity": "loud"}), 0, ""], "InvalidArgument", "severity"),
    ("Events", "Query", "a{sv}us", [{}, 10_001, ""], "InvalidArgument", "limit"),
    ("Events", "Query", "a{sv}us", [{}, 0, "nonsense"], "InvalidArgument", "cursor"),
    ("Events", "Count", "a{sv}", [dictionary({"scid": "x"})], "InvalidArgument", "scid"),
    ("Events", "Count", "a{sv}", [dictionary({"where": "nosuch == 1"})], "InvalidArgument", "nosuch"),
    ("Events", "Subscribe", "a{sv}", [dictionary({"colour": 1})], "InvalidArgument", "colour"),
    ("Events", "Get", "t", [77_777], "NotFound", "77777"),
    ("Events", "SubmitJson", "ay", [b""], "InvalidArgument", ""),
    ("Events", "SubmitJson", "ay", [b"{"], "InvalidArgument", ""),
    ("Events", "SubmitBatch", "aa{sv}", [[]], "InvalidArgument", ""),
    ("Heartbeats", "Beat", "sa{sv}", ["", {}], "InvalidArgument", "source"),
    ("Heartbeats", "Beat", "sa{sv}", ["x", dictionary({"interval_usec": 5})], "InvalidArgument", "interval_usec"),
    ("Heartbeats", "Beat", "sa{sv}", ["x", dictionary({"state": "dancing"})], "InvalidArgument", "state"),
    ("Heartbeats", "Beat", "sa{sv}", ["x", dictionary({"colour": "red"})], "InvalidArgument", "colour"),
    ("Heartbeats", "Beat", "sa{sv}", ["x", dictionary({"schedule": "0 25 * * *"})], "InvalidArgument", "schedule"),
    ("Heartbeats", "Beat", "sa{sv}", ["x", dictionary({"schedule": "@daily", "interval_usec": 10**9})], "InvalidArgument",
     "schedule"),
    ("Heartbeats", "Beat", "sa{sv}", ["x", dictionary({"schedule": "@daily", "zone": "No/Where"})], "InvalidArgument",
     "zone"),
    ("Heartbeats", "Beat", "sa{sv}", ["x", dictionary({"zone": "UTC"})], "InvalidArgument", "zone"),
    ("Heartbeats", "List", "a{sv}us", [dictionary({"colour": "red"}), 0, ""], "InvalidArgument", "colour"),
    ("Jobs", "Run", "ts", [77_777, "x"], "NotFound", "77777"),
    ("Jobs", "Run", "ts", [1, "../x"], "InvalidArgument", "script"),
    ("Jobs", "SetReport", "txs", [77_777, 5, ""], "NotFound", "77777"),
    ("Jobs", "SetReport", "txs", [1, 0, ""], "InvalidArgument", "report_id"),
    ("Jobs", "List", "a{sv}us", [dictionary({"state": "odd"}), 0, ""], "InvalidArgument", "state"),
    ("Statistics", "Histogram", "ss", ["n", "20260132"], "InvalidArgument", "yyyymmdd"),
    ("Statistics", "Totals", "a{sv}as", [{}, []], "InvalidArgument", "group_by"),
    ("Statistics", "HistogramImage", "sss", ["n", "20260101", "gif"], "InvalidArgument", "format"),
    ("Alerts", "List", "a{sv}us", [{}, 0, ""], "Unavailable", "not available"),
]


@pytest.mark.parametrize("interface,method,signature,arguments,code,word", CALLS,
                         ids=[f"{c[0]}.{c[1]} {c[5]}" for c in CALLS])
def test_call(client, interface, method, signature, arguments, code, word):
    with pytest.raises(DBusError) as caught:
        client.call(interface, method, signature, *arguments)
    assert caught.value.code == code, caught.value
    assert word in caught.value.message, caught.value


@pytest.mark.parametrize("text,word", [c[1:] for c in CONFIGURATIONS], ids=[c[0] for c in CONFIGURATIONS])
def test_configuration(tmp_path, text, word):
    file = tmp_path / "tocsin.toml"
    file.write_text(text)
    done = subprocess.run([tool("tocsind"), "--config", file, "--check-config"], capture_output=True, text=True)
    assert done.returncode != 0
    assert "tocsin.toml:" in done.stderr + done.stdout, "the file and line are named"
    assert word in done.stderr + done.stdout


def test_a_daemon_does_not_start_with_a_bad_configuration(tmp_path):
    daemon = Daemon(folder=tmp_path, config="[store]\nmax_byte = '4G'\n")
    daemon.spawn()
    assert daemon.wait() == 2
    assert "max_bytes" in daemon.output()
    daemon.close()
