# SPDX-License-Identifier: Apache-2.0
"""Every way in: receipts, batches, idempotency, beats among events, and what the daemon adds."""

import json
import os

import pytest
from dbusclient import DBusError, dictionary


def test_one_event(http):
    answer = http.post("/v1/events", {"event_name": "a", "event_src": "b"})
    assert answer.status == 201 and set(answer.json) == {"unique_index"}
    event = http.get(f"/v1/events/{answer.json['unique_index']}").json
    assert event["severity"] == "info" and event["count"] == 1 and event["scid"] == 0
    assert event["summary"] == "a from b" and event["event_type"] == "standard"
    assert event["event_time"] == event["received_time"]
    origin = event["origin"]
    assert origin["transport"] == "http" and origin["uid"] == os.getuid() and origin["pid"] == os.getpid()
    assert "python" in origin["executable"]
    assert "spark_report_id" not in event and "description" not in event


def test_origin_over_the_bus(http, client):
    event = http.get(f"/v1/events/{client.submit(event_name='a', event_src='b')}").json
    assert event["origin"]["transport"] == "dbus"
    assert event["origin"]["uid"] == os.getuid() and event["origin"]["pid"] == os.getpid()


def test_array_is_one_receipt(http):
    answer = http.post("/v1/events", [{"event_name": f"n{i}", "event_src": "s"} for i in range(5)])
    assert answer.status == 201 and answer.json["count"] == 5
    indexes = answer.json["unique_indexes"]
    assert indexes == list(range(indexes[0], indexes[0] + 5))


def test_ndjson(http):
    answer = http.ndjson([{"event_name": "n", "event_src": "s", "scid": i} for i in range(25_000)])
    assert answer.status == 201
    assert answer.json == {"count": 25_000, "first": answer.json["first"], "last": answer.json["first"] + 24_999,
                           "duplicates": 0}


def test_ndjson_keeps_the_chunks_before_a_bad_line(http):
    lines = [{"event_name": "kept", "event_src": "s", "scid": i} for i in range(25_000)]
    lines[20_500] = {"event_name": "kept", "event_src": "s", "severity": "loud"}
    answer = http.ndjson(lines)
    assert (answer.status, answer.code) == (422, "InvalidEvent")
    assert answer.json["accepted"] == 20_000
    assert answer.json["last"] - answer.json["first"] == 19_999
    assert "severity" in answer.json["detail"]
    kept = http.get("/v1/events", {"event_name": "kept", "order": "oldest", "limit": 1}).json["items"][0]
    assert kept["scid"] == 0
    rest = http.ndjson([{**line, "severity": "info"} for line in lines[20_000:]])
    assert rest.json["count"] == 5_000


def test_same_key_same_content_answers_the_first(http, client):
    event = {"event_name": "k", "event_src": "s", "idempotency_key": "k1", "payload": {"a": 1, "b": 2}}
    first = http.post("/v1/events", event)
    again = http.post("/v1/events", {**event, "payload": {"b": 2, "a": 1}})
    assert (first.status, again.status) == (201, 200)
    assert again.json == {"unique_index": first.json["unique_index"], "duplicate": True}
    assert client.submit(**event) == first.json["unique_index"]
    assert len(http.events(event_name="k")) == 1


def test_same_key_other_content_is_a_conflict(http, client):
    event = {"event_name": "k2", "event_src": "s", "idempotency_key": "k2"}
    http.submit(**event)
    answer = http.post("/v1/events", {**event, "severity": "error"})
    assert (answer.status, answer.code) == (409, "Conflict")
    assert "idempotency_key" in answer.body.decode()
    with pytest.raises(DBusError) as caught:
        client.submit(**event, scid=9)
    assert caught.value.code == "Conflict"
    assert http.submit(**{**event, "event_src": "other"}) > 0, "the source is part of the scope"


def test_keys_within_one_batch(http):
    event = {"event_name": "k3", "event_src": "s", "idempotency_key": "k3"}
    answer = http.post("/v1/events", [event, {"event_name": "k3", "event_src": "s"}, event])
    assert answer.status == 201 and answer.json["unique_indexes"][0] == answer.json["unique_indexes"][2]
    assert len(http.events(event_name="k3")) == 2
    answer = http.post("/v1/events", [{**event, "idempotency_key": "k4"}, {**event, "idempotency_key": "k4", "scid": 1}])
    assert answer.status == 409 and answer.json["errors"][0]["index"] == 1
    assert len(http.events(event_name="k3")) == 2, "a refused batch leaves nothing"


def test_batch_over_the_bus(client, http):
    indexes, = client.call("Events", "SubmitBatch", "aa{sv}",
                           [dictionary({"event_name": "bb", "event_src": "s", "scid": i}) for i in range(3)])
    assert [http.get(f"/v1/events/{i}").json["scid"] for i in indexes] == [0, 1, 2]
    with pytest.raises(DBusError) as caught:
        client.call("Events", "SubmitBatch", "aa{sv}", [dictionary({"event_name": "bb", "event_src": "s"}),
                                                       dictionary({"event_name": "bb"})])
    assert "event_src" in caught.value.message and "1" in caught.value.message
    assert len(http.events(event_name="bb")) == 3


def test_json_over_the_bus(client):
    lines = "\n".join(json.dumps({"event_name": "j", "event_src": "s"}) for _ in range(200))
    first, last, count = client.call("Events", "SubmitJson", "ay", lines.encode())
    assert (last - first + 1, count) == (200, 200)


def test_an_event_named_heartbeat_is_a_beat(http, client):
    before = http.get("/v1/status").json["event_count"]
    answer = http.post("/v1/events", {"event_name": "HeartBeat", "event_src": "beater", "scid": 4})
    assert answer.json["unique_index"] == 0
    assert client.submit(event_name="heartbeat", event_src="beater2") == 0
    batch = http.post("/v1/events", [{"event_name": "real", "event_src": "s"}, {"event_name": "heartbeat", "event_src": "b3"}])
    assert batch.json["unique_indexes"][1] == 0 and batch.json["unique_indexes"][0] > 0
    ndjson = http.ndjson([{"event_name": "heartbeat", "event_src": "b4"}, {"event_name": "real", "event_src": "s"}])
    assert ndjson.json["count"] == 2 and ndjson.json["first"] == ndjson.json["last"]
    assert http.get("/v1/status").json["event_count"] == before + 2
    watches = {(w["source"], w["scid"]): w["state"] for w in http.get("/v1/heartbeats").json["items"]}
    assert watches[("beater", 4)] == "new" and watches[("b4", 0)] == "new"


TIMES = {
    "2026-01-02T03:04:05Z": "2026-01-02T03:04:05.000000Z",
    "2026-01-02T03:04:05.123456Z": "2026-01-02T03:04:05.123456Z",
    "2026-01-02T03:04:05+02:00": "2026-01-02T01:04:05.000000Z",
    "2026-01-02 03:04:05": "2026-01-02T03:04:05.000000Z",
    "02-Jan-2026 03:04:05": "2026-01-02T03:04:05.000000Z",
    1767323045: "2026-01-02T03:04:05.000000Z",
    1767323045123: "2026-01-02T03:04:05.123000Z",
    1767323045123456: "2026-01-02T03:04:05.123456Z",
    1767323045123456789: "2026-01-02T03:04:05.123456Z",
}


@pytest.mark.parametrize("given,stored", TIMES.items(), ids=map(str, TIMES))
def test_every_time_format(http, given, stored):
    index = http.submit(event_name="t", event_src="s", event_time=given)
    assert http.get(f"/v1/events/{index}").json["event_time"] == stored


def test_dataset_summary(http):
    index = http.submit(event_name="login", event_src="s", event_type="dataset", event_id="logins",
                        payload={"user": "maria", "duration": 1.5})
    assert http.get(f"/v1/events/{index}").json["summary"] == "logins: user=maria, duration=1.5"


def test_csv_and_ndjson_out(http):
    http.submit(event_name="csv", event_src="s", summary='with "quotes", commas\nand lines', payload={"k": "v"})
    answer = http.get("/v1/events", {"event_name": "csv"}, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    import csv
    import io
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert rows[0]["summary"] == 'with "quotes", commas\nand lines' and json.loads(rows[0]["payload"]) == {"k": "v"}
    http.post("/v1/events", [{"event_name": "nd", "event_src": "s"} for _ in range(3)])
    answer = http.get("/v1/events", {"event_name": "nd", "limit": 2}, headers={"Accept": "application/x-ndjson"})
    assert len(answer.body.splitlines()) == 2 and 'rel="next"' in answer.headers["link"]
    target = answer.headers["link"].split("<")[1].split(">")[0]
    more = http.request("GET", target, headers={"Accept": "application/x-ndjson"})
    assert len(more.body.splitlines()) == 1 and "link" not in more.headers


def test_pages_do_not_move_while_events_arrive(http):
    http.post("/v1/events", [{"event_name": "page", "event_src": "s", "scid": i} for i in range(30)])
    seen, cursor = [], None
    while True:
        page = http.get("/v1/events", {"event_name": "page", "limit": 7, **({"cursor": cursor} if cursor else {})}).json
        seen += [e["scid"] for e in page["items"]]
        http.submit(event_name="page", event_src="s", scid=1000)
        cursor = page.get("next")
        if not cursor:
            break
    assert seen == list(range(29, -1, -1))
    other = http.get("/v1/events", {"event_name": "other", "cursor": http.get(
        "/v1/events", {"event_name": "page", "limit": 1}).json["next"]})
    assert (other.status, other.code) == (400, "InvalidArgument")
