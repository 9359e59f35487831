# SPDX-License-Identifier: Apache-2.0
"""docs/heritage.md answers for everything that the older systems could do or promised, by tests that exist."""

import re

from house import ROOT

CAPABILITIES = """
Push ingestion of events over HTTP
Syslog ingestion (TCP, RFC 5424)
Log-file parsing (JSON/CSV/text)
Active probing of HTTP targets
Polling a foreign detector DB (Cat3/ECQL)
Auto-discovery / onboarding
Central durable event store
Event schema with rule, source, data product path
Query by id/name
Query by time range
Paging / limits
Named counters per day, increment by N
All-time totals per event
Hourly histogram of a day
Event statistics (counts per source/scid/metric)
Latency stats mean/min/max/p95, error rate
Report request to SPARK
Report id/URL stored from callback
SPARK emulator
Detector emulator / rule-file generator
Heartbeats of detectors (store latest)
Stale-heartbeat decision
Own service registration/heartbeat
Component health endpoint
Response-time anomaly detection
Error-rate anomaly detection
Pattern-change detection
Streaming detection (LOF)
p99 / environment-specific thresholds
Adaptive sensitivity / false-positive feedback
Response-time forecast
Error-rate forecast
Prediction accuracy report
Journey health score
Cross-environment comparison
Cross-environment propagation / correlation
Impact score
Stateful log correlation (sessions)
Brute-force threshold in a window
Alert rules CRUD
Alert rules evaluated
Alert grouping / dedupe
Severity levels
Acknowledge
Resolve
Snooze
Alert/anomaly history view
E-mail
Slack
Webhook
SMS (Twilio)
CSV export per event type with rotation
Log handler
Message templates (text/HTML, subject block)
Per-handler filters
Secrets in keyring
Delivery retry / outbox
Live stream to UI (SSE)
Dashboard pages
Filters env/API/range/severity
Clickable report links
Demo data generator
Demo anomaly trigger
Capture and replay of input
Timers (minute..hour, at h:m)
Persistent module state
Typed configuration with precedence
Retention / clean-up
Multi-environment tag
Multi-tenant
Admin UI
Authentication / authorisation
Safe concurrency
Tests
""".strip().splitlines()
PROMISES = """
Event manager: event statistics
API log dashboard: sensitivity that learns from history and false positives
API log dashboard: correlation across environments
API log dashboard: notification by e-mail, Slack and webhook
API monitor: the route /apis
API monitor: the route /cross_environment_analysis
API monitor: the parameter metric_type
API monitor: threshold at the 99th percentile
API monitor: environment-specific thresholds
API monitor: impact forecasting
API monitor: journeys
API monitor: trend analysis
Event tracker: the histogram as PNG or JPG
""".strip().splitlines()
# What may be waited for; a capability that is there goes from this list.
LATER = {"inputs", "samples", "anomalies", "forecasts", "journeys", "environments", "rules", "alerts", "handlers", "reports",
         "the dashboard"}
TEST = re.compile(r"`([\w/]+\.(?:py|cpp))::([\w.]+)`")


def rows(text):
    """Cells of every table of the page, without head and rule."""
    found = []
    for line in text.splitlines():
        if line.startswith("|"):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return [row for row in found if row[0] not in ("capability", "promise") and not set(row[0]) <= {"-"}]


def exists(file, name):
    path = ROOT / "tests" / file
    if not path.exists():
        return False
    if path.suffix == ".py":
        return re.search(rf"^def {re.escape(name)}\(", path.read_text(), re.M) is not None
    suite, _, case = name.partition(".")
    return re.search(rf"^TEST(?:_F|_P)?\({re.escape(suite)}, {re.escape(case)}\)", path.read_text(), re.M) is not None


def problems(text):
    """What is wrong with a page, in words."""
    wrong = []
    table = rows(text)
    names = [row[0] for row in table]
    wanted = CAPABILITIES + PROMISES
    wrong += [f"no row: {name}" for name in wanted if name not in names]
    wrong += [f"a row that is none of them: {name}" for name in names if name not in wanted]
    wrong += [f"twice: {name}" for name in set(names) if names.count(name) > 1]
    for row in table:
        if len(row) != 3 or not all(row):
            wrong.append(f"an empty cell, or not three: {row[0]}")
            continue
        tests, waits = TEST.findall(row[2]), re.findall(r"waits? for (the dashboard|\w+)", row[2])
        if not tests and not waits and "not made: " not in row[2]:
            wrong.append(f"shown by nothing: {row[0]}")
        wrong += [f"{row[0]}: there is no test {file}::{name}" for file, name in tests if not exists(file, name)]
        wrong += [f"{row[0]}: waits for {what}, which is not to come" for what in waits if what not in LATER]
        wrong += [f"{row[0]}: not a test: {cell}" for cell in re.findall(r"`[^`]+`", row[2]) if not TEST.fullmatch(cell)]
    return wrong


def test_every_row_is_there_and_says_something():
    assert (len(CAPABILITIES), len(PROMISES)) == (74, 13)
    wrong = problems((ROOT / "docs/heritage.md").read_text())
    assert not wrong, "\n".join(wrong)


def test_own_names_of_the_daemon_are_kept_out_of_the_trackers_lists():
    known = set(re.findall(r'"([a-z]+\.[a-z-]+)"', (ROOT / "ipc/http/compat/own_names.cpp").read_text()))
    told = set(re.findall(r"^\| `([a-z.-]+)` \|", (ROOT / "docs/events.md").read_text(), re.M))
    assert len(told) > 10 and told <= known, told - known


def test_the_rules_can_fail():
    text = (ROOT / "docs/heritage.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith("| All-time totals per event |"))
    assert problems(text.replace(line, "")) == ["no row: All-time totals per event"]
    assert any("empty cell" in p for p in problems(text.replace(line, "| All-time totals per event | here | |")))
    assert any("no test" in p for p in problems(text.replace("::test_totals_over_http_are_exact", "::test_totals_are_exact", 1)))
    assert any("no test" in p for p in problems(text.replace("::ApiWords.SeveritiesInBothDirections", "::ApiWords.Severities")))
    assert any("shown by nothing" in p for p in problems(text.replace(line, "| All-time totals per event | here | surely |")))
    assert any("not to come" in p for p in problems(text.replace("waits for journeys", "waits for wonders", 1)))
    assert any("none of them" in p for p in problems(text + "\n| Something else | here | waits for alerts |\n"))
