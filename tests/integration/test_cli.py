# SPDX-License-Identifier: Apache-2.0
"""tocsinctl as people and programs use it."""

import json
import subprocess

import pytest
from daemon import Daemon
from house import tool


def test_status(daemon):
    out = daemon.ctl("status").stdout
    assert "event" in out.lower() and daemon.http.get("/v1/status").json["version"] in out
    assert json.loads(daemon.ctl("status", "--json").stdout)["store_id"]


def test_submit_by_flags(daemon):
    out = daemon.ctl("submit", "--name", "flag", "--src", "ctl", "--severity", "warning", "--scid", 4, "--payload",
                     '{"a": [1, 2]}', "--json").stdout
    event = daemon.http.get(f"/v1/events/{json.loads(out)['unique_index']}").json
    assert (event["event_name"], event["scid"], event["severity"], event["payload"]) == ("flag", 4, "warning", {"a": [1, 2]})


def test_submit_json_from_stdin(daemon):
    daemon.ctl("submit", "-", input='[{"event_name":"in","event_src":"ctl"},{"event_name":"in","event_src":"ctl"}]')
    assert len(daemon.http.events(event_name="in")) == 2


def test_ndjson_says_from_where_to_send_again(daemon):
    lines = [json.dumps({"event_name": "nd", "event_src": "ctl"})] * 10_500
    lines[10_200] = json.dumps({"event_name": "nd", "event_src": "ctl", "count": 0})
    done = daemon.ctl("submit", "--ndjson", "-", input="\n".join(lines), check=False)
    assert done.returncode == 1
    assert "10000" in done.stderr.replace(",", "").replace("'", "") and "count" in done.stderr


def test_query_formats(daemon):
    daemon.ctl("submit", "--name", "fmt", "--src", "ctl", "--summary", "bell \x07 and \x1b[31mred")
    table = daemon.ctl("query", "--name", "fmt").stdout
    assert "\x07" not in table and "\x1b" not in table and "red" in table
    assert len(json.loads(daemon.ctl("query", "--name", "fmt", "--json").stdout)["items"]) == 1
    assert json.loads(daemon.ctl("query", "--name", "fmt", "-o", "ndjson").stdout)["event_name"] == "fmt"
    assert daemon.ctl("query", "--name", "fmt", "-o", "csv").stdout.startswith("unique_index,")
    assert json.loads(daemon.ctl("query", "--name", "fmt", "--since", "-1h", "--json").stdout)["items"]
    assert not json.loads(daemon.ctl("query", "--name", "fmt", "--until", "1h ago", "--json").stdout)["items"]


def test_heartbeats_and_jobs(daemon):
    daemon.ctl("heartbeats", "beat", "cli-source", "--interval", "1h")
    assert "cli-source" in daemon.ctl("heartbeats").stdout
    daemon.ctl("heartbeats", "pause", "cli-source")
    assert "paused" in daemon.ctl("heartbeats").stdout
    daemon.ctl("heartbeats", "forget", "cli-source")
    index = daemon.http.submit(event_name="j", event_src="s", spark_script="not-installed")
    daemon.ctl("jobs", "report", index, "--id", 5, "--url", "http://x")
    assert daemon.http.get(f"/v1/events/{index}").json["spark_report_id"] == 5
    assert "not-installed" in daemon.ctl("jobs").stdout


EXITS = [(["submit", "--src", "x"], 2, "name"), (["submit", "--name", "n", "--src", "s", "--severity", "loud"], 1, "severity"),
         (["query", "--severity", "loud"], 2, "severity"), (["jobs", "output", 99999], 3, "99999"),
         (["quarry"], 2, "query"), (["query", "--nam", "x"], 2, "--name"), (["alerts"], 5, "not available"),
         (["heartbeats", "forget", "nobody"], 3, "nobody")]


@pytest.mark.parametrize("words,code,word", EXITS, ids=[" ".join(map(str, e[0])) for e in EXITS])
def test_exit_codes(daemon, words, code, word):
    done = daemon.ctl(*words, check=False)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert word in done.stderr


def test_doctor_of_a_daemon_beside_the_installed_one(daemon):
    done = daemon.ctl("doctor", "--json", check=False)
    seen = json.loads(done.stdout)
    by_check = {item["check"]: item for item in seen["items"]}
    assert {"daemon", "degraded", "store", "disk", "event times", "notification", "bus", "clock", "limits"} <= by_check.keys()
    assert "service" not in by_check and "permissions" not in by_check, "those are the installed one's"
    for check in ("daemon", "store", "disk", "bus", "event times"):
        assert by_check[check]["verdict"] == "ok", by_check[check]
    assert by_check["notification"]["verdict"] == "warning" and "nobody" in by_check["notification"]["found"]
    assert done.returncode == (1 if seen["problems"] else 0)
    text = daemon.ctl("doctor", check=False).stdout
    assert "→" in text and text.splitlines()[-1].endswith("warnings.")


def test_doctor_where_no_daemon_answers(tmp_path):
    done = subprocess.run([tool("tocsinctl"), "--socket", tmp_path / "none.sock", "doctor", "--json"], capture_output=True, text=True)
    first = json.loads(done.stdout)["items"][0]
    assert (done.returncode, first["check"], first["verdict"]) == (1, "daemon", "problem") and first["remedy"]


def test_no_daemon(tmp_path):
    done = subprocess.run([tool("tocsinctl"), "--socket", tmp_path / "none.sock", "status"], capture_output=True, text=True)
    assert done.returncode == 5 and "none.sock" in done.stderr


def test_follow_survives_a_restart(tmp_path):
    daemon = Daemon(folder=tmp_path)
    try:
        daemon.start()
        begin = daemon.http.submit(event_name="a", event_src="s")
        follower = subprocess.Popen([tool("tocsinctl"), "--socket", daemon.socket, "follow", "--after", str(begin), "--src",
                                     "s", "-o", "ndjson"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wanted = [daemon.http.submit(event_name="b", event_src="s")]
        assert json.loads(follower.stdout.readline())["unique_index"] == wanted[0]
        daemon.restart()
        wanted = daemon.http.submit(event_name="c", event_src="s")
        assert json.loads(follower.stdout.readline())["unique_index"] == wanted
        follower.terminate()
        follower.communicate(timeout=20)
    finally:
        daemon.close()


def test_demo(tmp_path):
    daemon = Daemon(folder=tmp_path)
    try:
        daemon.start()
        out = daemon.ctl("demo", "--seconds", 12, timeout=90).stdout
        http = daemon.http
        assert http.events(event_name="heartbeat.missed") and http.events(event_name="heartbeat.recovered")
        assert len({e["event_src"] for e in http.events()} - {"tocsin"}) >= 2
        assert http.get("/v1/jobs").json["items"], "the small script was asked for"
        assert "tocsinctl" in out
    finally:
        daemon.close()
