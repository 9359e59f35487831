# SPDX-License-Identifier: Apache-2.0
"""The event manager's clients: its scripts' requests, its table, and the report server's callback."""

import datetime
import json

import pytest
from daemon import Daemon
from older import SWITCHES, ask, curl

# What its demonstration sends, by source and event.
SOURCES = {
    "astra": {"PARS_Divergence": (1, "CONVERGENCE == 0", "PARS_Divergence"),
              "Node_Stall": (2, "XCD_Status == 1 & XCD_Data == 0", "Node_Stall")},
    "constellation_tracker": {"FPA_VOLTAGE_FID": (3, "FPA_VOLTAGE > 15", "fpa_voltage"),
                              "PCA_CURRENT_FID": (4, "PCA_CURRENT > 2", "pca_current")},
}
COLUMNS = ["unique_index", "scid", "event_time", "event_rule_id", "event_name", "event_rule", "event_src", "spark_script",
           "spark_report_id", "gem_full_path"]


@pytest.fixture(scope="module")
def daemon():
    with Daemon(settings=[*SWITCHES, "time.zone=America/New_York"]) as running:
        yield running


def submit(daemon, scid, name, source, rule=(1, "3 > threshold", "GMP"), time=None, **more):
    time = time or datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
    return ask(daemon, "POST", "/event/submit",
               {"scid": scid, "event_time": time, "event_rule_id": rule[0], "event_name": name, "event_rule": rule[1],
                "event_src": source, "spark_script": rule[2], "gem_full_path": r"C:/vcid.pgem", **more})


def rows(daemon, target="/get_all_data"):
    answer = ask(daemon, "GET", target)
    assert answer.status == 200, answer
    return answer.json["data"]


def test_the_manual_request(daemon):
    assert "message" in ask(daemon, "GET", "/api").json
    answer = submit(daemon, 10, "PARS_Divergence", "ecql", time="2026-07-01 12:30:00", spark_report_id=1)
    assert answer.status == 200
    assert answer.json == {"message": "Received item with scid: 10 and metric: PARS_Divergence"}
    (row,) = rows(daemon, "/get_event_data?scid=10&event_name=PARS_Divergence")
    assert list(row) == COLUMNS
    assert row["event_time"] == "2026-07-01T12:30:00", "as it was said, in the zone of the configuration"
    assert daemon.http.events(scid=10)[0]["event_time"] == "2026-07-01T16:30:00.000000Z"
    assert (row["event_rule"], row["spark_script"], row["gem_full_path"]) == ("3 > threshold", "GMP", "C:/vcid.pgem")
    assert row["spark_report_id"] != 1, "never the sender's word"


def test_the_demonstration(daemon):
    for scid in range(1, 7):
        for source, events in SOURCES.items():
            for name, rule in events.items():
                assert submit(daemon, scid, name, source, rule).status == 200
    mine = [r for r in rows(daemon) if r["scid"] in range(1, 7)]
    assert len(mine) == 24 and all(list(r) == COLUMNS for r in mine)
    assert [r["unique_index"] for r in mine] == sorted(r["unique_index"] for r in mine)
    assert all(r["event_src"] != "tocsin" for r in rows(daemon)), "detectors' events alone"
    assert len(rows(daemon, "/get_event_data/?scid=3&event_name=Node_Stall")) == 1
    assert rows(daemon, "/get_event_data?scid=3&event_name=Node") == []


def test_a_line_of_curl(daemon):
    body = json.dumps({"scid": 40, "event_time": "14-Aug-2025 09:05:01", "event_rule_id": 1, "event_name": "GEOPARS",
                       "event_rule": "SPA_STM_Spacecraft_Id:e==10", "event_src": "ecql", "spark_script": None,
                       "gem_full_path": None})
    done = curl(daemon, "-X", "POST", "http://localhost:8001/event/submit/", "-H", "Content-Type: application/json", "-d", body)
    assert json.loads(done.stdout)["message"].endswith("GEOPARS")
    (row,) = rows(daemon, "/get_event_data?scid=40&event_name=GEOPARS")
    assert (row["event_time"], row["spark_script"], row["gem_full_path"]) == ("2025-08-14T09:05:01", None, None)


def test_what_cannot_be_kept_is_not_confirmed(daemon):
    before = len(rows(daemon))
    answer = submit(daemon, 10, "x", "ecql", time="yesterday at noon")
    assert answer.status == 422 and answer.json["detail"][0]["loc"] == ["body", "event_time"]
    answer = ask(daemon, "POST", "/event/submit", {"scid": 10})
    assert answer.status == 422 and {"event_time", "event_name", "event_src", "event_rule", "event_rule_id"} <= {
        wrong["loc"][1] for wrong in answer.json["detail"]}
    assert len(rows(daemon)) == before
    assert ask(daemon, "GET", "/get_event_data?scid=10").status == 422


def test_a_heartbeat_is_watched_and_intake_goes_on(daemon):
    assert submit(daemon, 10, "HeartBeat", "ecql").status == 200
    watch = daemon.http.get("/v1/heartbeats", {"source": "ecql", "scid": 10}).json["items"]
    assert len(watch) == 1 and watch[0]["last"]
    assert submit(daemon, 11, "after-it", "ecql").status == 200
    assert len(rows(daemon, "/get_event_data?scid=11&event_name=after-it")) == 1
    assert rows(daemon, "/get_event_data?scid=10&event_name=HeartBeat") == []


def test_the_report_servers_callback(daemon):
    submit(daemon, 50, "with-report", "astra", rule=(1, "a > b", ""))
    (row,) = rows(daemon, "/get_event_data?scid=50&event_name=with-report")
    assert row["spark_report_id"] is None and row["spark_script"] is None
    answer = ask(daemon, "POST", "/spark_endpoint", {"job_id": row["unique_index"], "url": "http://reports/17", "spark_id": 17})
    assert (answer.status, answer.json) == (200, None)
    (row,) = rows(daemon, "/get_event_data?scid=50&event_name=with-report")
    assert row["spark_report_id"] == 17
    assert daemon.http.get(f"/v1/events/{row['unique_index']}").json["spark_report_url"] == "http://reports/17", "kept, too"
    unknown = ask(daemon, "POST", "/spark_endpoint", {"job_id": 10**9, "url": "u", "spark_id": 1})
    assert unknown.status == 404 and "detail" in unknown.json


def test_a_table_of_any_length_comes_whole(daemon):
    for _ in range(3):
        answer = daemon.http.post("/v1/events", [{"event_name": "many", "event_src": "s", "scid": 60}] * 1500)
        assert answer.status == 201
    found = rows(daemon, "/get_event_data?scid=60&event_name=many")
    assert len(found) == 4500 and len({r["unique_index"] for r in found}) == 4500
