# SPDX-License-Identifier: Apache-2.0
"""tocsinctl run around a job of cron: the daemon hears of it, the job does not notice."""

import hashlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from daemon import wait_until
from house import ROOT, tool

CRON = {"PATH": "/usr/bin:/bin", "HOME": "/", "SHELL": "/bin/sh"}


def words_of(socket, *words):
    return [str(tool("tocsinctl")), "--socket", str(socket), "run", *map(str, words)]


def run(socket, *words, **kw):
    """As cron does: hardly any environment, no terminal, output into a pipe."""
    return subprocess.run(words_of(socket, *words), env=CRON, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, **kw)


def watch(http, source):
    return http.get("/v1/heartbeats", {"source": source}).json["items"][0]


def events(http, source):
    return [e["event_name"] for e in http.events(event_src="tocsin", order="index", where=f'payload.source == "{source}"')]


def test_a_run_is_a_beat(daemon, http):
    done = run(daemon.socket, "backup", "--", "sh", "-c", "echo 42 GB; echo fine >&2")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"42 GB\n", b"fine\n")
    seen = watch(http, "backup")
    assert seen["state"] == "up" and len(seen["run"]) == 32
    assert (seen["interval_s"], seen["grace_s"]) == (86400, 3600)
    assert seen["status"].startswith("exit code 0: ") and "42 GB" in seen["status"] and "fine" in seen["status"]
    assert events(http, "backup") == []


def test_a_run_under_way_is_seen(daemon, http, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    job = subprocess.Popen(words_of(daemon.socket, "long", "--interval", "1h", "--", "sh", "-c", f"read x < {gate}; exit 0"))
    wait_until(lambda: any(w["source"] == "long" and w["state"] == "started"
                           for w in http.get("/v1/heartbeats").json["items"]), "the start")
    gate.write_text("go\n")
    assert job.wait(60) == 0
    assert watch(http, "long")["state"] == "up"


def test_a_job_that_fails_is_an_event(daemon, http):
    done = run(daemon.socket, "sync", "--interval", "1h", "--", "sh", "-c", "echo no space left >&2; exit 23")
    assert done.returncode == 23 and done.stderr == b"no space left\n"
    assert watch(http, "sync")["state"] == "down"
    assert watch(http, "sync")["status"] == "exit code 23: no space left"
    assert events(http, "sync") == ["heartbeat.failed"]
    assert run(daemon.socket, "sync", "--interval", "1h", "--", "true").returncode == 0
    assert events(http, "sync") == ["heartbeat.failed", "heartbeat.recovered"]
    assert watch(http, "sync")["status"] == "exit code 0", "the old failure is not shown any longer"


def test_a_killed_command_is_an_event(daemon, http):
    assert run(daemon.socket, "victim", "--interval", "1h", "--", "sh", "-c", "kill -9 $$").returncode == 137
    assert watch(http, "victim")["status"] == "ended by signal 9 (Killed)"
    assert events(http, "victim") == ["heartbeat.failed"]


def test_a_command_that_is_not_there(daemon, http):
    done = run(daemon.socket, "typo", "--interval", "1h", "--", "/usr/bin/no-such-thing")
    assert done.returncode == 127 and b"/usr/bin/no-such-thing: No such file" in done.stderr
    assert events(http, "typo") == ["heartbeat.failed"]
    assert run(daemon.socket, "typo", "--interval", "1h", "--", "/etc/hostname").returncode == 126


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_reach_the_command(daemon, http, number):
    name = f"signal-{number}"
    script = f"trap 'echo bye; exit 9' {int(number)}; echo ready; while :; do read x; done"
    with subprocess.Popen(words_of(daemon.socket, name, "--", "sh", "-c", script), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as job:
        assert job.stdout.readline() == b"ready\n"
        job.send_signal(number)
        job.stdin.write(b"\n")  # a shell runs its traps between two commands
        job.stdin.flush()
        assert job.stdout.read() == b"bye\n"
        assert job.wait(60) == 9
    assert watch(http, name)["status"].startswith("exit code 9: ready\nbye")


def test_no_daemon_changes_nothing(tmp_path):
    done = run(tmp_path / "none.sock", "a", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert done.returncode == 7 and done.stdout == b"out\n"
    lines = done.stderr.decode().splitlines()
    assert lines[0] == "err" and len(lines) == 2, lines
    assert lines[1].startswith("tocsinctl: run: the daemon did not hear of this run: ") and "none.sock" in lines[1]
    assert run(tmp_path / "none.sock", "a", "--quiet", "--", "true").stderr == b""


def test_a_daemon_that_hangs_holds_nobody_up(daemon, http):
    http.get("/v1/status")
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        with subprocess.Popen(words_of(daemon.socket, "held", "--", "sh", "-c", "echo now; echo $$; exit 6"),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as job:
            assert job.stdout.readline() == b"now\n", "the command ran while nobody answered"
            began = time.monotonic()
            assert job.wait(60) == 6
            assert time.monotonic() - began < 30, "a few seconds, named in the man page"
            assert b"did not hear of this run" in job.stderr.read()
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    assert run(daemon.socket, "held", "--", "true").returncode == 0
    assert watch(http, "held")["state"] == "up"


def test_huge_output_passes_unchanged(daemon, http):
    program = r"""
import hashlib, os, sys
block = bytes(range(256)) * 4096
digest = hashlib.sha256()
for i in range(200):
    piece = block[i:] + b"%d" % i
    digest.update(piece)
    sys.stdout.buffer.write(piece)
sys.stdout.buffer.flush()
sys.stderr.write(digest.hexdigest())
"""
    done = run(daemon.socket, "huge", "--", "/usr/bin/python3", "-c", program)
    assert done.returncode == 0
    assert len(done.stdout) > 200_000_000
    assert hashlib.sha256(done.stdout).hexdigest() == done.stderr.decode()
    assert len(watch(http, "huge")["status"].encode()) <= 1024


def test_standard_input_is_the_commands(daemon):
    done = subprocess.run(words_of(daemon.socket, "stdin", "--", "cat"), input=b"\x00\xff\n" * 100_000, capture_output=True,
                          timeout=120)
    assert done.stdout == b"\x00\xff\n" * 100_000


def test_standard_streams_that_are_closed(daemon, http):
    inner = " ".join(words_of(daemon.socket, "closed", "--", "sh", "-c", "'echo out; echo err >&2; exit 5'"))
    done = subprocess.run(["sh", "-c", f"{inner} <&- >&-"], capture_output=True, timeout=120)
    assert done.returncode == 5 and done.stderr == b"err\n"
    assert "out" in watch(http, "closed")["status"]


def test_a_killed_wrapper_leaves_the_command_alone(daemon, http, tmp_path):
    gate, mark = tmp_path / "gate", tmp_path / "mark"
    os.mkfifo(gate)
    job = subprocess.Popen(words_of(daemon.socket, "orphan", "--interval", "1h", "--", "sh", "-c",
                                    f"read x < {gate}; touch {mark}"))
    wait_until(lambda: any(w["source"] == "orphan" for w in http.get("/v1/heartbeats").json["items"]), "the start")
    job.kill()
    job.wait(60)
    gate.write_text("go\n")
    wait_until(mark.exists, "the command's end")
    assert watch(http, "orphan")["state"] == "started", "nobody told how it ended"


def failure_words():
    """The ExecStart of the unit, as systemd would run it."""
    unit = (ROOT / "systemd/tocsin-failure@.service").read_text().replace("\\\n", " ")
    line = next(text for text in unit.splitlines() if text.startswith("ExecStart="))
    import shlex
    return shlex.split(line.removeprefix("ExecStart="))[1:]


def expand(word, instance, environment):
    word = word.replace("%i", instance)
    for name in ("MONITOR_INVOCATION_ID", "MONITOR_SERVICE_RESULT", "MONITOR_EXIT_CODE", "MONITOR_EXIT_STATUS"):
        word = word.replace("${" + name + "}", environment.get(name, ""))
    return word


def test_a_failed_unit_is_an_event(daemon, http):
    unit = r"dev-disk\x2dby.service"
    told = {"MONITOR_INVOCATION_ID": "f" * 32, "MONITOR_SERVICE_RESULT": "exit-code", "MONITOR_EXIT_CODE": "exited",
            "MONITOR_EXIT_STATUS": "3"}
    words = [expand(word, unit, told) for word in failure_words()]
    first = daemon.ctl(*words).stdout
    assert daemon.ctl(*words).stdout == first, "told twice, kept once"
    event, = http.events(event_src=unit)
    assert (event["event_name"], event["severity"], event["summary"]) == ("unit.failed", "error", f"{unit} failed")
    assert event["payload"] == {"unit": unit, "result": "exit-code", "exit_code": "exited", "exit_status": "3",
                                "invocation_id": "f" * 32}
    for _ in range(2):  # of a mount, systemd says nothing
        daemon.ctl(*[expand(word, "srv.mount", {}) for word in failure_words()])
    assert [e["payload"] for e in http.events(event_src="srv.mount")] == [{"unit": "srv.mount"}] * 2


def test_new_sources_are_shown_with_their_configuration(daemon, http):
    http.post("/v1/heartbeats/stray-one")
    for out in (daemon.ctl("status").stdout, daemon.ctl("heartbeats").stdout, daemon.ctl("heartbeats", "show", "stray-one").stdout):
        assert '[[heartbeat]]\nsource = "stray-one"\ninterval = "' in out
    assert json.loads(daemon.ctl("heartbeats", "show", "stray-one", "--json").stdout)["items"][0]["state"] == "new"
    assert daemon.ctl("heartbeats", "show", "nobody", check=False).returncode == 3
