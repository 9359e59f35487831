# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random instants while events bring scripts of every kind: no process is left, no job is lost, none that may
run once runs twice, and every event's report is what its job says."""

import collections
import os
import random
import threading

from client import Http
from daemon import Daemon, wait_until
from spark import ENDED, install, processes_with, safe_folder

ROUNDS = int(os.environ.get("TOCSIN_ROUNDS", "25"))
SEED = int(os.environ.get("TOCSIN_SEED", "20262"))
EVENTS_A_ROUND = 14
GIVEN_UP = "the daemon stopped during the run"
PAUSE = threading.Event()

BEGIN = "echo $TOCSIN_EVENT_INDEX >> NOTES/starts.$TOCSIN_SCRIPT\n"
REPORT = 'echo "{\\"spark_report_id\\": $TOCSIN_EVENT_INDEX, \\"url\\": \\"http://r/$TOCSIN_EVENT_INDEX\\"}" >&3\n'
SCRIPTS = {
    "quick": REPORT,
    "forks": REPORT + "for i in 1 2; do (trap '' TERM; setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 1; done' & sleep 100 &) done",
    "deaf": "trap '' TERM\nsleep 0.4\n" + REPORT,
    "hangs": "trap '' TERM\nwhile :; do sleep 1; done",
    "later": 'echo "$TOCSIN_CALLBACK" > NOTES/callback.$TOCSIN_EVENT_INDEX.$TOCSIN_ATTEMPT\necho \'{"pending": true}\' >&3',
    "flaky": "[ $TOCSIN_ATTEMPT -ge 2 ] || exit 1\n" + REPORT,
    "bad": "exit 3",
    "once": "sleep 0.2\n" + REPORT,
    "many": "sleep 0.1\n" + REPORT,
}
CONFIG = """
[jobs]
directories = ["{spark}"]
parallel = 6
begins = 10000
kill_after = "100ms"
callback_timeout = "1h"
[[script]]
name = "hangs"
timeout = "300ms"
parallel = 1
[[script]]
name = "later"
callback = true
[[script]]
name = "flaky"
retries = 3
[[script]]
name = "once"
rerun = false
[[script]]
name = "many"
coalesce = true
parallel = 1
"""
WANTED = {"quick": "succeeded", "forks": "succeeded", "deaf": "succeeded", "hangs": "timed-out", "later": "succeeded",
          "flaky": "succeeded", "bad": "failed", "once": "succeeded", "many": "succeeded"}


class Submitter(threading.Thread):
    """Submits until it is told to stop or the daemon is gone; remembers what was acknowledged."""

    def __init__(self, daemon, randomness, stop):
        super().__init__(daemon=True)
        self.socket, self.randomness, self.stop_flag = daemon.socket, random.Random(randomness.random()), stop
        self.acknowledged: dict[int, str] = {}

    def run(self):
        http = Http(self.socket, check=False)
        try:
            while not self.stop_flag.is_set() and len(self.acknowledged) < EVENTS_A_ROUND:
                script = self.randomness.choice(list(SCRIPTS))
                answer = http.post("/v1/events", {"event_name": "e", "event_src": "s", "spark_script": script})
                if answer.status == 201:
                    self.acknowledged[answer.json["unique_index"]] = script
                PAUSE.wait(self.randomness.random() * 0.02)
        except (OSError, ConnectionError, EOFError, ValueError):
            pass  # killed: what was not answered is not acknowledged
        except Exception as error:  # noqa: BLE001
            import http.client as library
            assert isinstance(error, library.HTTPException), error


def call_back(http, notes, randomness, share):
    """Answers some of those that asked; a refusal is right where the run was cut short or answered before."""
    for path in sorted(notes.glob("callback.*")):
        address = path.read_text().strip()
        if address and randomness.random() < share:
            index = int(path.name.split(".")[1])
            answer = http.post(address, {"spark_report_id": index, "url": f"http://r/{index}"}, check=False)
            assert answer.status in (200, 404), answer
            path.unlink()


def run_round(daemon, notes, randomness):
    daemon.start()
    stop = threading.Event()
    submitter = Submitter(daemon, randomness, stop)
    submitter.start()
    PAUSE.wait(randomness.random() * 0.5)  # the instants are the test's random input
    call_back(daemon.http, notes, randomness, 0.3)
    PAUSE.wait(randomness.random() * 0.3)
    daemon.kill()
    stop.set()
    submitter.join(30)
    assert not submitter.is_alive()
    return submitter.acknowledged


def all_jobs(http):
    jobs, cursor = [], None
    while True:
        page = http.get("/v1/jobs", {"limit": 1000, **({"cursor": cursor} if cursor else {})}).json
        jobs += page["items"]
        cursor = page.get("next")
        if not cursor:
            return jobs


def settle(daemon, notes, events):
    def done():
        call_back(daemon.http, notes, random.Random(0), 1.0)
        unfinished = daemon.http.get("/v1/jobs", {"state": ["queued", "running", "waiting"], "limit": 10}).json["items"]
        return not unfinished and events_without_job(daemon.http, events) == 0
    wait_until(done, "the end of every job", 240)


def events_without_job(http, events):
    return sum(1 for index in events if not http.get("/v1/jobs", {"unique_index": index, "limit": 1}).json["items"])


def check_jobs(http, acknowledged, notes):
    per_event = collections.Counter()
    for job in all_jobs(http):
        per_event[job["unique_index"]] += 1
        given_up = job["state"] == "failed" and job.get("reason") == GIVEN_UP
        assert job["state"] == WANTED[job["script"]] or given_up, job
        if given_up:
            assert job["script"] == "once" or job["attempt"] >= 5, job
        check_events(http, job)
    assert all(count == 1 for count in per_event.values()), "an event has two jobs"
    starts = collections.Counter((notes / "starts.once").read_text().split()) if (notes / "starts.once").exists() else {}
    assert all(count == 1 for count in starts.values()), f"a script that may run once ran again: {starts}"
    for index, script in acknowledged.items():
        items = http.get("/v1/jobs", {"unique_index": index}).json["items"]
        assert len(items) == 1 and items[0]["script"] == script, (index, items)


def check_events(http, job):
    told = [e for e in http.events(event_src="tocsin", where=f"payload.job == {job['id']}", order="index")]
    final = [e for e in told if e["event_name"] != "job.started"]
    assert {e["event_name"] for e in final} == {"job." + job["state"]}, told
    about = [e["payload"]["unique_index"] for e in final]
    assert len(about) == len(set(about)) == 1 + job.get("joined", 0), (job, about)
    for index in about:
        event = http.get(f"/v1/events/{index}").json
        if job["state"] == "succeeded":
            assert event["spark_report_id"] == job["report_id"] == job["unique_index"], (job, event)
            assert event["spark_report_url"] == job["report_url"], (job, event)
        else:
            assert event["spark_report_id"] == -1, (job, event)


def test_killed_at_random():
    randomness = random.Random(SEED)
    acknowledged: dict[int, str] = {}
    with safe_folder() as folder:
        spark = install(folder, {name: BEGIN + text for name, text in SCRIPTS.items()})
        daemon = Daemon(folder=folder / "daemon", config=CONFIG.format(spark=spark))
        marker = f"TOCSIN_SOCKET={daemon.socket}"
        try:
            for _ in range(ROUNDS):
                acknowledged.update(run_round(daemon, folder / "notes", randomness))
            daemon.start()
            settle(daemon, folder / "notes", acknowledged)
            check_jobs(daemon.http, acknowledged, folder / "notes")
            wait_until(lambda: not processes_with(marker), "the end of every script's processes")
            assert daemon.stop() == 0
            assert not processes_with(marker)
            assert len(acknowledged) > ROUNDS
        finally:
            daemon.close()
