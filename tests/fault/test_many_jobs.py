# SPDX-License-Identifier: Apache-2.0
"""10,000 jobs in the queue and more in the log: memory and time stay bounded, intake goes on, a restart takes them along."""

import time

from daemon import Daemon, wait_until
from spark import install, safe_folder

JOBS, QUEUE = 12_000, 10_000
CONFIG = """
[jobs]
directories = ["{spark}"]
parallel = 1
queue = {queue}
"""
RSS_GROWTH_MAX = 64 * 1024 * 1024
ANSWER_S_MAX = 2.0  # far above what is measured by bench/jobs.py: this is about not being stuck
START_S_MAX = 20.0


def rss(daemon):
    with open(f"/proc/{daemon.process.pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


def count(http, state):
    text = http.get("/metrics").body.decode()
    return int(float(next(line.split()[-1] for line in text.splitlines() if line.startswith(f'tocsin_jobs{{state="{state}"}}'))))


def degraded(http):
    return http.get("/v1/status").json["degraded"]


def test_ten_thousand_queued():
    with safe_folder() as folder:
        spark = install(folder, {"blocks": "while [ ! -e NOTES/go ]; do sleep 0.1; done"})
        daemon = Daemon(folder=folder / "daemon", config=CONFIG.format(spark=spark, queue=QUEUE))
        try:
            daemon.start()
            http = daemon.http
            http.submit(event_name="warm", event_src="s")
            before = rss(daemon)
            for _ in range(4):
                lines = [{"event_name": "e", "event_src": "s", "spark_script": "blocks"}] * (JOBS // 4)
                assert http.ndjson(lines).status == 201
            wait_until(lambda: count(http, "queued") + count(http, "running") == QUEUE, "a full queue", 60)
            wait_until(lambda: any("jobs-queue" in reason for reason in degraded(http)), "that it is told")
            assert rss(daemon) - before < RSS_GROWTH_MAX
            for _ in range(50):
                began = time.monotonic()
                http.submit(event_name="between", event_src="s")
                assert time.monotonic() - began < ANSWER_S_MAX
            last = http.submit(event_name="e", event_src="s", spark_script="blocks")
            assert http.get(f"/v1/events/{last}").json["spark_report_id"] == -1
            assert not http.get("/v1/jobs", {"unique_index": last}).json["items"], "it waits in the log"
            daemon.kill()
            began = time.monotonic()
            daemon.start()
            assert time.monotonic() - began < START_S_MAX
            wait_until(lambda: count(daemon.http, "queued") + count(daemon.http, "running") == QUEUE, "the same again", 60)
            wait_until(lambda: any("jobs-queue" in reason for reason in degraded(daemon.http)), "that it is told again")
        finally:
            daemon.close()
