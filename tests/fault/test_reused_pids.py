# SPDX-License-Identifier: Apache-2.0
"""The daemon killed at random where every number of a process is soon another's: nobody else is ever signalled."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from house import tool

HERE = Path(__file__).resolve().parent
COUNTER = Path("/proc/sys/kernel/ns_last_pid")
ROUNDS_MIN = 20  # how often the numbers were used up


def reap_until(child) -> int:
    """What the first process of a namespace is for."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def inside():
    """In a namespace of its own: the kill test with bystanders around it."""
    child = os.fork()
    if child:
        return reap_until(child)
    import test_jobs_kill
    crowd = subprocess.Popen([tool("bystanders")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    test_jobs_kill.test_killed_at_random()
    told = json.loads(crowd.communicate(b"enough", 60)[0])
    assert told["signalled"] == 0 and told["rounds"] >= ROUNDS_MIN, told
    print(told)
    return 0


@pytest.mark.skipif(os.getuid() != 0 or not COUNTER.exists(), reason="a namespace with numbers of its own takes root")
def test_nobody_else_is_signalled():
    words = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, str(Path(__file__)), "inside"]
    environment = {**os.environ, "PYTHONPATH": f"{HERE}:{os.environ['PYTHONPATH']}"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=1500)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]


if __name__ == "__main__" and sys.argv[1:] == ["inside"]:
    sys.exit(inside())
