# SPDX-License-Identifier: Apache-2.0
"""The script that an event names runs as a supervised child, and its report lands on the event."""

import os

import pytest
from daemon import Daemon, wait_until
from dbusclient import job_path

SCRIPTS = {
    "good": '#!/bin/sh\ncat > event.json\necho "{\\"spark_report_id\\": 17, \\"url\\": \\"http://x/17\\"}" >&3\necho made\n',
    "silent": "#!/bin/sh\nexit 0\n",
    "broken": "#!/bin/sh\necho why >&2\nexit 3\n",
    "slow": "#!/bin/sh\ntrap '' TERM\nwhile :; do read x < /dev/zero; done\n",
    "loud": "#!/bin/sh\nyes | head -c 1000000\n",
    "later": '#!/bin/sh\necho \'{"pending": true}\' >&3\n',
    "curious": "#!/bin/sh\nenv | sort\nls -l /proc/self/fd | wc -l\npwd\n",
}


@pytest.fixture(scope="module")
def root_folder():
    """A folder that nobody else may write, parents included: what the daemon asks of scripts."""
    import tempfile
    base = "/var/lib" if os.getuid() == 0 else os.path.expanduser("~")
    with tempfile.TemporaryDirectory(prefix="tocsin-test-", dir=base) as folder:
        yield folder


@pytest.fixture(scope="module")
def daemon(bus, root_folder):
    from pathlib import Path
    folder = Path(root_folder)
    spark = folder / "spark.d"
    spark.mkdir()
    for name, text in SCRIPTS.items():
        (spark / name).write_text(text)
        (spark / name).chmod(0o755)
    (spark / "open").write_text("#!/bin/sh\n")
    (spark / "open").chmod(0o777)
    config = (f'[jobs]\ndirectories = ["{spark}"]\nparallel = 2\n'
              "[[script]]\nname = 'slow'\ntimeout = '1s'\nkill_after = '300ms'\n")
    with Daemon(folder=folder / "daemon", bus=bus, config=config) as running:
        yield running


def job_of(http, index):
    items = http.get("/v1/jobs", {"unique_index": index}).json["items"]
    return items[0] if items else None


def finished(http, index):
    return wait_until(lambda: (j := job_of(http, index)) and j["state"] not in ("queued", "running") and j, "the job to end")


def run(http, script, **fields):
    return http.submit(event_name="e", event_src="s", spark_script=script, **fields)


def names(http, index):
    return [e["event_name"] for e in http.events(event_src="tocsin", order="index", where=f"cause == {index}")]


def test_report_lands_on_the_event(http, client):
    index = run(http, "good", severity="error", scid=9)
    job = finished(http, index)
    assert (job["state"], job["report_id"], job["report_url"], job["exit_status"]) == ("succeeded", 17, "http://x/17", 0)
    event = http.get(f"/v1/events/{index}").json
    assert (event["spark_report_id"], event["spark_report_url"]) == (17, "http://x/17")
    assert names(http, index) == ["job.started", "job.succeeded"]
    assert http.get(f"/v1/jobs/{job['id']}/output").body == b"made\n"
    assert [e["unique_index"] for e in http.events(has_report="true")] == [index]
    assert client.get_property("Job", "ReportId", job_path(job["id"])) == 17
    assert client.get_property("Job", "State", job_path(job["id"])) == "succeeded"


def test_silence_is_the_job_id(http):
    index = run(http, "silent")
    job = finished(http, index)
    assert http.get(f"/v1/events/{index}").json["spark_report_id"] == job["id"]


def test_before_the_report_it_is_asked_for(http):
    index = run(http, "later")
    wait_until(lambda: (j := job_of(http, index)) and j["state"] == "waiting", "waiting")
    assert http.get(f"/v1/events/{index}").json["spark_report_id"] == -1
    answer = http.post(f"/v1/events/{index}/report", {"spark_report_id": 5, "url": "http://x/5"})
    assert answer.status == 200, answer
    assert finished(http, index)["state"] == "succeeded"
    assert http.get(f"/v1/events/{index}").json["spark_report_id"] == 5


@pytest.mark.parametrize("script,word", [("broken", "3"), ("nosuch", "nosuch"), ("open", "writ")])
def test_failures_say_why(http, script, word):
    index = run(http, script)
    job = finished(http, index)
    assert job["state"] == "failed" and word in job["reason"], job
    assert names(http, index)[-1] == "job.failed"
    assert http.get(f"/v1/events/{index}").json["spark_report_id"] == -1


def test_deadline_ends_the_deaf(http):
    job = finished(http, run(http, "slow"))
    assert job["state"] == "timed-out"


def test_output_is_bounded(http):
    job = finished(http, run(http, "loud"))
    assert job["truncated"] is True and job["output_bytes"] == 1_000_000
    assert len(http.get(f"/v1/jobs/{job['id']}/output").body) <= 64 * 1024


def test_the_child_sees_only_what_it_should(http):
    job = finished(http, run(http, "curious", scid=5))
    lines = http.get(f"/v1/jobs/{job['id']}/output").body.decode().splitlines()
    variables = {line.split("=")[0] for line in lines if "=" in line}
    assert {"PATH", "LANG", "HOME", "TOCSIN_SOCKET", "TOCSIN_JOB_ID", "TOCSIN_ATTEMPT", "TOCSIN_SCRIPT",
            "TOCSIN_EVENT_INDEX", "TOCSIN_EVENT_NAME", "TOCSIN_EVENT_SRC", "TOCSIN_EVENT_SCID", "TOCSIN_EVENT_TIME",
            "TOCSIN_EVENT_SEVERITY"} <= variables
    assert not {v for v in variables if v.startswith(("NOTIFY", "DBUS", "LD_", "TOCSIN_CONF"))}
    assert f"TOCSIN_JOB_ID={job['id']}" in lines and "TOCSIN_EVENT_SCID=5" in lines


def test_run_cancel_rerun(http, client, daemon):
    index = http.submit(event_name="e", event_src="s")
    path, = client.call("Jobs", "Run", "ts", index, "good")
    job = finished(http, index)
    assert path == f"/org/tocsin/EventManager1/{job_path(job['id'])}"
    again = http.post(f"/v1/jobs/{job['id']}/rerun")
    assert again.status == 200 and again.json["id"] > job["id"]
    answer = http.post(f"/v1/jobs/{job['id']}/cancel")
    assert (answer.status, answer.code) == (409, "Conflict")
    slow = run(http, "slow")
    wait_until(lambda: (j := job_of(http, slow)) and j["state"] == "running", "running")
    client.call("Job", "Cancel", path=job_path(job_of(http, slow)["id"]))
    assert finished(http, slow)["state"] == "cancelled"


def test_set_report_without_a_job(http, client):
    index = http.submit(event_name="plain", event_src="s")
    client.call("Jobs", "SetReport", "txs", index, 99, "http://r")
    assert http.get(f"/v1/events/{index}").json["spark_report_id"] == 99


def test_a_crash_in_the_middle(http, daemon):
    index = run(http, "slow")
    wait_until(lambda: (j := job_of(http, index)) and j["state"] == "running", "running")
    job = job_of(http, index)
    pid = daemon.call("Jobs", "List", "a{sv}us", "0", "0", "")  # the bus still answers
    assert pid
    daemon.kill()
    daemon.start()
    job = finished(daemon.http, index)
    assert job["state"] == "timed-out" and job["attempt"] == 2
    marker = f"TOCSIN_EVENT_INDEX={index}".encode()
    assert not [p for p in os.listdir("/proc") if p.isdigit() and marker in _environment(p)], "a child was left behind"


def _environment(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""
