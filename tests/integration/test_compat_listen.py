# SPDX-License-Identifier: Apache-2.0
"""[compat] listen: clients of older systems over TCP, as they are: no token but for changes, and no other routes."""

import json
import subprocess

import pytest
from daemon import Daemon, free_port
from older import SWITCHES


@pytest.fixture(scope="module")
def daemon():
    port = free_port()
    with Daemon(settings=[*SWITCHES, f"compat.listen=127.0.0.1:{port}"]) as running:
        running.base = f"http://127.0.0.1:{port}"
        yield running


def curl(daemon, path, *words):
    done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", daemon.base + path, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_each_system_is_served_without_a_token(daemon):
    event = {"scid": 10, "event_time": "2026-01-02 03:00:00", "event_rule_id": 1, "event_name": "PARS_Divergence",
             "event_rule": "3 > threshold", "event_src": "astra", "spark_script": None, "gem_full_path": "C:/vcid.pgem"}
    status, body = curl(daemon, "/event/submit", "-H", "Content-Type: application/json", "-d", json.dumps(event))
    assert (status, json.loads(body)) == (200, {"message": "Received item with scid: 10 and metric: PARS_Divergence"})
    (row,) = json.loads(curl(daemon, "/get_all_data")[1])["data"]
    status, body = curl(daemon, "/spark_endpoint", "-H", "Content-Type: application/json", "-d",
                        json.dumps({"job_id": row["unique_index"], "url": "http://r/17", "spark_id": 17}))
    assert (status, body) == (200, "null")
    assert json.loads(curl(daemon, "/get_event_data?scid=10&event_name=PARS_Divergence")[1])["data"][0]["spark_report_id"] == 17
    assert json.loads(curl(daemon, "/api/events/login/12", "-X", "POST")[1])["response"] == 201
    assert json.loads(curl(daemon, "/api/events/unique/")[1])["response"] == [
        [{"event": "login", "count": 12}], [{"event": "PARS_Divergence", "count": 1}]]
    assert curl(daemon, "/ping/db-backup/start", "-X", "POST", "-d", "begun") == (200, "OK")
    assert daemon.http.get("/v1/heartbeats", {"source": "db-backup"}).json["items"][0]["status"] == "begun"
    assert curl(daemon, "/health")[0] == 200
    status, body = curl(daemon, "/api/v1/alerts")
    assert status == 503 and "alerts are not available" in json.loads(body)["detail"]


def test_nobody_is_taken_for_somebody(daemon):
    curl(daemon, "/api/events/anonymous", "-X", "POST")
    (event,) = daemon.http.events(event_name="anonymous")
    assert "uid" not in event["origin"] and "unit" not in event["origin"], event["origin"]


def test_changes_take_a_token(daemon):
    for method, path in [("POST", "/api/v1/sources"), ("DELETE", "/api/v1/sources/a"),
                         ("POST", "/api/v1/alerts/1/acknowledge?user=me"), ("POST", "/api/v1/demo/trigger-anomaly")]:
        assert curl(daemon, path, "-X", method)[0] == 401, path


def test_nothing_else_is_there(daemon):
    for path in ("/v1/events", "/v1/status", "/metrics", "/v1/heartbeats/a", "/"):
        assert curl(daemon, path)[0] == 404, path
