# SPDX-License-Identifier: Apache-2.0
"""Where the controllers are there, a script that takes too much is stopped, its job fails, and nothing else notices."""

import pytest
from daemon import wait_until
from installation import http
from test_spark import finished, instances, output, run

UNIT_LIMITS = "[Service]\nMemoryMax=64M\nTasksMax=24\n"
HUNGRY = """#!/usr/bin/python3 -I
import subprocess, sys
done = subprocess.run([sys.executable, "-c", "b = bytearray(256 * 1024 * 1024); print('fed', len(b))"])
print("child", done.returncode, flush=True)
sys.exit(1 if done.returncode else 0)
"""
GREEDY = "#!/usr/bin/python3 -I\nb = bytearray(256 * 1024 * 1024)\nprint('fed', len(b))\n"
FORKER = """#!/usr/bin/python3 -I
import os, signal, sys
children = []
try:
    for _ in range(200):
        pid = os.fork()
        if pid == 0:
            signal.pause()
        children.append(pid)
    print("forked", len(children))
except BlockingIOError:
    print("stopped at", len(children))
    sys.exit(9)
"""
SCRIPTS = {"hungry": HUNGRY, "greedy": GREEDY, "forker": FORKER, "modest": "#!/bin/sh\necho fine\n"}


@pytest.fixture(scope="module")
def reader(hybrid):
    for name, text in SCRIPTS.items():
        hybrid.write(f"/etc/tocsin/spark.d/{name}", text, 0o755)
    hybrid.write("/run/systemd/system/tocsin-spark@.service.d/test.conf", UNIT_LIMITS)
    hybrid.systemctl("daemon-reload")
    connection = http(hybrid)
    yield connection
    connection.close()


def test_a_script_within_its_limits_is_left_alone(reader):
    assert output(reader, finished(reader, run(reader, "modest"))) == "fine\n"
    assert not [reason for reason in reader.get("/v1/status").json["degraded"] if reason.startswith("job")]


def test_a_script_that_takes_too_much_memory_is_killed_and_its_job_fails(reader):
    job = finished(reader, run(reader, "greedy"), "failed")
    assert "fed" not in output(reader, job) and job["reason"] == "ended by SIGKILL", job


def test_its_child_is_killed_alone(reader):
    job = finished(reader, run(reader, "hungry"), "failed")
    assert output(reader, job) == "child -9\n" and job["exit_status"] == 1, job


def test_a_script_that_forks_without_end_is_stopped_and_its_job_fails(reader, hybrid):
    job = finished(reader, run(reader, "forker"), "failed")
    stopped = output(reader, job).split()
    assert stopped[0] == "stopped" and int(stopped[-1]) < 24 and job["exit_status"] == 9, job
    wait_until(lambda: not instances(hybrid), "its unit to go")


def test_the_daemon_never_noticed(reader, hybrid):
    assert output(reader, finished(reader, run(reader, "modest"))) == "fine\n"
    assert hybrid.properties("tocsind.service", "NRestarts")["NRestarts"] == "0"
