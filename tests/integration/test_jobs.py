# SPDX-License-Identifier: Apache-2.0
"""The script that an event names runs as a supervised child, and its report lands on the event."""

import fcntl
import os
import subprocess

import pytest
from daemon import Daemon, wait_until
from dbusclient import NAME, ROOT, job_path
from house import tool
from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection

SCRIPTS = {
    "good": '#!/bin/sh\ncat > event.json\necho "{\\"spark_report_id\\": 17, \\"url\\": \\"http://x/17\\"}" >&3\necho made\n',
    "silent": "#!/bin/sh\nexit 0\n",
    "broken": "#!/bin/sh\necho why >&2\nexit 3\n",
    "slow": "#!/bin/sh\ntrap '' TERM\nwhile :; do read x < /dev/zero; done\n",
    "loud": "#!/bin/sh\nyes | head -c 1000000\n",
    "later": '#!/bin/sh\necho \'{"pending": true}\' >&3\n',
    "gated": "#!/bin/sh\necho begun\nwhile [ ! -e {notes}/$TOCSIN_EVENT_NAME ]; do sleep 0.05; done\necho ended\n",
    "held": "#!/bin/sh\nwhile [ ! -e {notes}/$TOCSIN_EVENT_NAME ]; do sleep 0.05; done\n",
    "joined": "#!/bin/sh\necho '{{\"spark_report_id\": 77}}' >&3\n",
    "kept": "#!/bin/sh\nexit 0\n",
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
    (folder / "notes").mkdir()
    for name, text in SCRIPTS.items():
        braces = name in ("gated", "held", "joined")
        (spark / name).write_text(text.format(notes=folder / "notes") if braces else text)
        (spark / name).chmod(0o755)
    (spark / "open").write_text("#!/bin/sh\n")
    (spark / "open").chmod(0o777)
    config = (f'[jobs]\ndirectories = ["{spark}"]\nparallel = 2\n'
              "[[script]]\nname = 'slow'\ntimeout = '1s'\nkill_after = '300ms'\n"
              "[[script]]\nname = 'gated'\nparallel = 1\n"
              "[[script]]\nname = 'joined'\ncoalesce = true\n"
              "[[script]]\nname = 'kept'\nsubmit = false\n"
              "[[script]]\nname = 'not-there'\n")
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
    assert "TOCSIN_CALLBACK" not in variables
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


def running(http, index):
    return wait_until(lambda: (j := job_of(http, index)) and j["state"] == "running" and j, "running")


def dbus_output(bus, job):
    """What the sealed file holds that Output() gives."""
    address = DBusAddress(f"{ROOT}/{job_path(job)}", bus_name=NAME, interface=f"{NAME}.Job")
    with open_dbus_connection(bus=bus.address, enable_fds=True) as connection:
        reply = connection.send_and_get_reply(new_method_call(address, "Output"), timeout=60)
        with reply.body[0].to_file("rb") as file:
            assert fcntl.fcntl(file, fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE
            file.seek(0)
            return file.read()


def test_a_script_at_its_limit_holds_up_no_other(http, root_folder, daemon):
    first = http.submit(event_name="gate-a", event_src="s", spark_script="gated")
    job = running(http, first)
    second = http.submit(event_name="gate-b", event_src="s", spark_script="gated")
    assert finished(http, run(http, "silent"))["state"] == "succeeded", "there is a second place"
    assert job_of(http, second)["state"] == "queued"
    output = f"/v1/jobs/{job['id']}/output"
    wait_until(lambda: http.get(output).body == b"begun\n", "output while it runs")
    assert daemon.ctl("jobs", "output", job["id"]).stdout == "begun\n"
    assert dbus_output(daemon.bus, job["id"]) == b"begun\n", "over D-Bus too"
    follower = subprocess.Popen([tool("tocsinctl"), "--socket", daemon.socket, "jobs", "output", "-f", str(job["id"])],
                                stdout=subprocess.PIPE, text=True)
    for name in ("gate-a", "gate-b"):
        open(f"{root_folder}/notes/{name}", "w").close()
    assert follower.communicate(timeout=60)[0] == "begun\nended\n"
    assert finished(http, first)["state"] == finished(http, second)["state"] == "succeeded"


def test_events_join_a_queued_job(http, root_folder):
    gates = [http.submit(event_name=name, event_src="s", spark_script=script)
             for name, script in (("gate-c", "held"), ("gate-d", "held"))]
    for index in gates:
        running(http, index)
    indexes = [http.submit(event_name="same", event_src="s", scid=4, spark_script="joined") for _ in range(4)]
    other = http.submit(event_name="same", event_src="s", scid=5, spark_script="joined")
    wait_until(lambda: job_of(http, other), "all are considered")
    for name in ("gate-c", "gate-d"):
        open(f"{root_folder}/notes/{name}", "w").close()
    jobs = {finished(http, index)["id"] for index in indexes}
    assert len(jobs) == 1 and finished(http, other)["id"] not in jobs
    job = job_of(http, indexes[0])
    assert (job["unique_index"], job["joined"]) == (indexes[0], 3)
    for index in indexes:
        assert http.get(f"/v1/events/{index}").json["spark_report_id"] == 77
        assert names(http, index) == (["job.started"] if index == indexes[0] else []) + ["job.succeeded"]


def test_what_submitters_may_not_start(http):
    index = run(http, "kept")
    job = finished(http, index)
    assert job["state"] == "failed" and "submit = false" in job["reason"]
    answer = http.post(f"/v1/events/{index}/jobs", {"script": "kept"})
    assert answer.status == 200
    assert finished(http, index)["state"] == "succeeded"


def test_a_dry_run_shows_and_starts_nothing(http, daemon):
    index = http.submit(event_name="plain", event_src="s", scid=3)
    preview = http.post(f"/v1/events/{index}/jobs", {"script": "good", "dry_run": True}).json
    assert preview["ready"] is True and preview["path"].endswith("/spark.d/good")
    assert preview["environment"]["TOCSIN_EVENT_SCID"] == "3" and preview["event"]["unique_index"] == index
    assert http.post(f"/v1/events/{index}/jobs", {"script": "open", "dry_run": True}).json["ready"] is False
    shown = daemon.ctl("jobs", "run", "--dry-run", index, "slow")
    assert "timeout 1s" in shown.stdout and "TOCSIN_EVENT_NAME=plain" in shown.stdout
    assert daemon.ctl("jobs", "run", "--dry-run", index, "open", check=False).returncode == 1
    assert daemon.ctl("jobs", "run", "--dry-run", index, "nosuch", check=False).returncode == 3
    assert daemon.ctl("jobs", "run", "--dry-run", 999_999, "good", check=False).returncode == 3
    assert job_of(http, index) is None


def test_lint_says_what_to_do(http, daemon, root_folder):
    every = daemon.ctl("jobs", "lint", check=False)
    assert every.returncode == 1
    assert "chmod go-w" in every.stdout and "not-there" in every.stdout
    assert daemon.ctl("jobs", "lint", "good").stdout.splitlines()[0].endswith("/spark.d/good: ready")
    assert daemon.ctl("jobs", "lint", "nosuch", check=False).returncode == 3
    here = daemon.ctl("--socket", "/nonexistent", "jobs", "lint", f"{root_folder}/spark.d/open", check=False)
    assert here.returncode == 1 and "chmod go-w" in here.stdout, "no daemon is needed"
    assert daemon.ctl("jobs", "show", finished(http, run(http, "good"))["id"]).stdout.count("succeeded") == 1


def test_output_is_in_the_log_of_the_daemon(http, daemon):
    job = finished(http, run(http, "broken"))
    line = f"job {job['id']} (broken for event {job['unique_index']}): why"
    wait_until(lambda: line in daemon.output(), "the line")
