# SPDX-License-Identifier: Apache-2.0
"""The API monitor's clients: the lines of its documents and its demonstration; what has no data yet says so, never []."""

import json

import pytest
from daemon import Daemon
from older import SWITCHES, ask, curl

BASE = "http://localhost:8000"


@pytest.fixture(scope="module")
def daemon():
    with Daemon(settings=SWITCHES) as running:
        yield running


@pytest.mark.parametrize("line, missing", [
    ("/api/v1/apis", "samples"),
    ("/api/v1/sources", "probe"),
    ("/api/v1/metrics?api_id=prod-api-1&metric_type=response_time", "samples"),
    ("/api/v1/metrics?metric_type=error_rate", "samples"),
    ("/api/v1/anomalies", "anomalies"),
    ("/api/v1/predictions", "forecasts"),
    ("/api/v1/alerts", "alerts"),
    ("/api/v1/dashboard/summary", "alerts"),
    ("/api/v1/cross_environment_analysis", "across environments"),
])
def test_lines_of_the_documents(daemon, line, missing):
    for slash in ("", "/") if "?" not in line else ("",):
        done = curl(daemon, "-w", "\n%{http_code}", BASE + line + slash)
        body, _, status = done.stdout.decode().rpartition("\n")
        assert status == "503"
        assert missing in json.loads(body)["detail"] and "not available in this version" in json.loads(body)["detail"]


def test_changes_say_what_is_missing(daemon):
    for method, target, body in [
            ("POST", "/api/v1/sources", {"id": "a", "name": "payments", "base_url": "http://x", "environment": "aws"}),
            ("DELETE", "/api/v1/sources/a", None),
            ("POST", "/api/v1/alerts/1/acknowledge?user=me", None),
            ("POST", "/api/v1/alerts/1/snooze?user=me&duration_minutes=30", None),
            ("POST", "/api/v1/demo/trigger-anomaly",
             {"type": "response_time", "environment": "aws", "severity": "high", "duration_minutes": 5})]:
        answer = ask(daemon, method, target, body)
        assert answer.status == 503 and "not available in this version" in answer.json["detail"], (target, answer)


def test_a_wrong_question_is_told_first(daemon):
    assert ask(daemon, "GET", "/api/v1/metrics?limit=10001").status == 422
    answer = ask(daemon, "GET", "/api/v1/anomalies?min_severity=hihg")
    assert answer.status == 422 and answer.json["detail"][0]["loc"] == ["query", "min_severity"]


def test_health_and_documentation(daemon):
    answer = ask(daemon, "GET", "/health")
    assert answer.status == 200 and answer.json["status"] == "ok"
    assert answer.json["components"]["database"]["initialized"] is True
    answer = ask(daemon, "GET", "/docs")
    assert answer.headers["content-type"].startswith("text/html") and b"/api/v1/anomalies" in answer.body


def test_nothing_is_open_unless_switched_on():
    with Daemon(settings=["compat.healthchecks=true"]) as other:
        for target in ("/health", "/docs", "/api", "/get_all_data", "/api/events/unique", "/api/v1/alerts"):
            assert ask(other, "GET", target).status == 404, target
        assert ask(other, "GET", "/ping/a").status == 200
        listed = json.loads(ask(other, "GET", "/v1/openapi.json").body)["paths"]
        assert not any(path.startswith(("/ping", "/api", "/get_")) for path in listed), "their shapes are not ours"
