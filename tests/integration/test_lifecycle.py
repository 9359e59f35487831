# SPDX-License-Identifier: Apache-2.0
"""The daemon as its service manager sees it: READY, STATUS, watchdog with proof, reload, stop, loss of the bus."""

import json
import os
import signal
import subprocess

import pytest
from bus import PrivateBus
from client import Http
from daemon import Daemon, wait_until
from dbusclient import Client
from house import tool


def make(tmp_path, **kw):
    return Daemon(folder=tmp_path / "d", **kw)


def test_ready_comes_when_everything_answers(tmp_path):
    with PrivateBus() as bus:
        daemon = make(tmp_path, bus=bus).start()
        assert Client(bus).get_property("Manager", "Version")
        assert Http(daemon.socket).get("/healthz").status == 200
        assert daemon.notify.wait("STATUS=")
        daemon.stop()
        assert daemon.notify.wait("STOPPING=1")
        daemon.close()


def test_runs_without_a_bus(tmp_path):
    with make(tmp_path) as daemon:
        assert daemon.http.submit(event_name="a", event_src="b") >= 1
        started = daemon.http.events(event_name="daemon.started")
        assert len(started) == 1 and started[0]["event_src"] == "tocsin"


def test_watchdog_needs_the_loop(tmp_path):
    with PrivateBus() as bus:
        daemon = make(tmp_path, bus=bus, environment={"WATCHDOG_USEC": "400000"}).start()
        mark = daemon.notify.mark()
        daemon.notify.wait("WATCHDOG=1", since=mark)
        daemon.process.send_signal(signal.SIGSTOP)
        daemon.process.send_signal(signal.SIGCONT)
        daemon.notify.wait("WATCHDOG=1", since=daemon.notify.mark())
        assert daemon.close() == 0


def test_no_watchdog_when_nobody_asks(tmp_path):
    daemon = make(tmp_path).start()
    daemon.http.submit(event_name="a", event_src="b")
    daemon.stop()
    assert not [m for m in daemon.notify.messages if m.startswith("WATCHDOG=1")]
    daemon.close()


def test_reload_is_all_or_nothing(tmp_path):
    daemon = make(tmp_path, config="[heartbeats]\nauto_register = false\n").start()
    http = daemon.http
    assert http.post("/v1/heartbeats/first").json["state"] == "new"
    daemon.config_file.write_text("[heartbeats]\nauto_register = 'perhaps'\n")
    answer = http.post("/v1/reload")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert "auto_register" in answer.json["detail"] and "tocsin.toml" in answer.json["detail"]
    assert http.post("/v1/heartbeats/second").json["state"] == "new", "the old configuration runs on"
    daemon.config_file.write_text("[heartbeats]\nauto_register = true\n")
    mark = daemon.notify.mark()
    assert http.post("/v1/reload").status == 200
    daemon.notify.wait("RELOADING=1", since=mark)
    daemon.notify.wait("READY=1", since=mark)
    assert http.post("/v1/heartbeats/third").json["state"] == "up"
    daemon.config_file.write_text("[heartbeats]\nauto_register = false\n")
    mark = daemon.notify.mark()
    daemon.process.send_signal(signal.SIGHUP)
    daemon.notify.wait("READY=1", since=mark)
    assert http.post("/v1/heartbeats/fourth").json["state"] == "new"
    assert daemon.close() == 0


def test_sources_of_configuration_in_their_order(tmp_path):
    folder = tmp_path / "d"
    (folder / "conf.d").mkdir(parents=True)
    (folder / "conf.d/10-a.toml").write_text("[jobs]\nparallel = 3\ntimeout = '1m'\nretries = 1\n")
    (folder / "conf.d/20-b.toml").write_text("[jobs]\nparallel = 4\n")
    (folder / "tocsin.toml").write_text("[jobs]\nparallel = 2\n")
    check = [tool("tocsind"), "--config", folder / "tocsin.toml", "--check-config", "--json"]
    values = json.loads(subprocess.run([*check, "--set", "jobs.retries=5"], check=True, capture_output=True, text=True, env={
        **os.environ, "TOCSIN_CONF_JOBS__TIMEOUT": "2m"}).stdout)
    text = json.dumps(values)
    assert values["ok"] is True
    rows = {row["key"]: row for row in values["values"]}
    assert rows["jobs.parallel"]["value"] in (4, "4") and "20-b.toml" in rows["jobs.parallel"]["origin"], text
    assert rows["jobs.timeout"]["origin"] == "environment"
    assert rows["jobs.retries"]["value"] in (5, "5") and rows["jobs.retries"]["origin"] == "--set"
    assert rows["store.idempotency_window"]["origin"] == "default"


def test_losing_the_bus_ends_the_daemon(tmp_path):
    bus = PrivateBus()
    daemon = make(tmp_path, bus=bus).start()
    bus.stop()
    assert daemon.wait() != 0
    assert "bus" in daemon.output()
    daemon.close()


def test_two_daemons_do_not_share_a_store(tmp_path):
    daemon = make(tmp_path).start()
    second = Daemon(folder=tmp_path / "other")
    second.state = daemon.state
    second.spawn()
    assert second.wait() not in (0, None)
    assert "store" in second.output()
    second.close()
    third = Daemon(folder=tmp_path / "third")
    third.runtime = daemon.runtime
    third.spawn()
    assert third.wait() not in (0, None)
    assert "tocsin.sock" in third.output()
    third.close()
    assert daemon.http.get("/healthz").status == 200
    assert daemon.close() == 0


def test_a_stale_socket_is_replaced(tmp_path):
    daemon = make(tmp_path).start()
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()
    assert daemon.http.get("/healthz").status == 200
    assert daemon.close() == 0


def test_metrics(tmp_path):
    with make(tmp_path) as daemon:
        http = daemon.http
        http.submit(event_name="a", event_src="b", severity="error", count=5)
        http.post("/v1/events", {"event_name": "a"})
        text = http.get("/metrics").body.decode()
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert float(lines['tocsin_events_total{severity="error"}']) == 5
        assert float(lines['tocsin_submit_rejected_total{code="InvalidEvent"}']) == 1
        for name in ("tocsin_store_bytes", "tocsin_store_limit_bytes", "tocsin_writer_queue_events",
                     'tocsin_reader_lag_events{reader="jobs"}', "tocsin_commit_seconds_count"):
            assert name in lines, name
        assert any(name.startswith('tocsin_build_info{version="') for name in lines)
        assert "# TYPE tocsin_commit_seconds histogram" in text


@pytest.mark.parametrize("words,code", [(["--version"], 0), (["--help"], 0), (["--no-such-flag"], 2), (["--bus", "tram"], 2),
                                        (["--set", "nonsense"], 2), (["--set", "store.max_byte=1G"], 2)])
def test_options(tmp_path, words, code):
    done = subprocess.run([tool("tocsind"), "--state-dir", tmp_path, "--runtime-dir", tmp_path, "--bus", "none", *words],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == code, done.stderr
    assert done.stdout or done.stderr


def test_stop_answers_what_is_under_way(tmp_path):
    daemon = make(tmp_path).start()
    http = daemon.http
    indexes = [http.submit(event_name="a", event_src="b") for _ in range(20)]
    assert daemon.stop() == 0
    daemon.start()
    assert {e["unique_index"] for e in daemon.http.events(event_name="a")} == set(indexes)
    assert daemon.close() == 0
    wait_until(lambda: not daemon.socket.exists(), "the socket to be removed")
