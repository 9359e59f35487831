# SPDX-License-Identifier: Apache-2.0
"""What is too old, or too much, goes: the rest stays, counts go on counting, and everybody is told what goes when."""

import json
import random
import subprocess

from daemon import Daemon, wait_until
from house import tool

CAP = 16 << 20
BATCH = 200


def kept(daemon, severity):
    report = json.loads(daemon.ctl("retention", "--json").stdout)
    return next(row for row in report["severities"] if row["severity"] == severity)


def verify(daemon):
    done = subprocess.run([tool("tocsinctl"), "verify", "--json", daemon.state], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_by_age(bus):
    config = '[store]\nretention = { info = "2s", warning = "1h" }\n'
    with Daemon(bus=bus, config=config) as daemon:
        events = [{"event_name": "old", "event_src": f"s{i % 7}", "severity": "info" if i % 10 else "critical"} for i in range(500)]
        indexes = daemon.http.post("/v1/events", events).json["unique_indexes"]
        wait_until(lambda: daemon.http.get(f"/v1/events/{indexes[1]}").status == 404, "an info event goes")
        wait_until(lambda: kept(daemon, "info")["expired_by_age"] >= 450, "all of them go")
        assert daemon.http.get(f"/v1/events/{indexes[0]}").status == 200
        assert kept(daemon, "critical")["events"] == 50 and kept(daemon, "critical")["expired_by_age"] == 0
        assert [e["unique_index"] for e in daemon.http.events(event_name="old", order="index")] == indexes[::10]
        totals = daemon.http.get("/v1/statistics/totals", {"group_by": "event_name", "event_name": "old"}).json
        assert totals["items"] == [{"event_name": "old", "count": 500}]
        by_source = daemon.http.get("/v1/statistics/totals", {"group_by": "event_src"}).json["items"]
        assert sum(row["count"] for row in by_source if row["event_src"].startswith("s")) == 500
        text = daemon.ctl("retention").stdout
        assert "KEPT FOR" in text and "2s" in text and "info first, critical last" in text
        assert 'tocsin_events_expired_total{severity="info",reason="age"}' in daemon.http.get("/metrics").body.decode()
        daemon.kill()
        daemon.start()
        assert daemon.http.get(f"/v1/events/{indexes[1]}").status == 404
        assert daemon.http.get(f"/v1/events/{indexes[10]}").status == 200
        daemon.stop()
        assert verify(daemon)["expired_count"] >= 450


def test_for_space(bus):
    """Four times the cap through a store that is capped: criticals stay, info goes, nobody is refused for good."""
    rng = random.Random(1)
    with Daemon(bus=bus, settings=[f"store.max_bytes={CAP}", "store.tail_events=2000"]) as daemon:
        daemon.http.check = False
        sent, critical, number = 0, [], 0
        while sent < 4 * CAP:
            events = [{"event_name": "much", "event_src": "s", "severity": "info" if (number + i) % 50 else "critical",
                       "summary": f"{number + i} {rng.randbytes(600).hex()}"} for i in range(BATCH)]
            answer = daemon.http.post("/v1/events", events)
            if answer.status == 503:
                assert "make room" in answer.json["detail"], answer.json
                continue
            assert answer.status == 201, answer
            critical += [i for i, e in zip(answer.json["unique_indexes"], events) if e["severity"] == "critical"]
            sent += len(json.dumps(events))
            number += BATCH
        report = json.loads(daemon.ctl("retention", "--json").stdout)
        assert report["used_bytes"] <= report["limit_bytes"]
        assert daemon.http.get("/v1/status").json["store_bytes"] <= CAP * 1.15
        assert kept(daemon, "info")["expired_for_space"] > 0 and kept(daemon, "critical")["expired_for_space"] == 0
        assert all(daemon.http.get(f"/v1/events/{i}").status == 200 for i in critical[:50] + critical[-50:])
        told = daemon.http.get("/v1/events", {"event_name": "store.retention"}).json["items"]
        assert told and told[0]["severity"] == "warning" and told[0]["payload"]["reason"] == "space"
        totals = daemon.http.get("/v1/statistics/totals", {"group_by": "event_name", "event_name": "much"}).json
        assert totals["items"] == [{"event_name": "much", "count": number}]
        daemon.stop()
        assert verify(daemon)["expired_count"] > 0
