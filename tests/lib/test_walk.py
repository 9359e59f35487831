# SPDX-License-Identifier: Apache-2.0
"""A program in plain C from its beginning to its end, with the daemon killed in between: no signal, no leak, no wrong word."""

import os
import shutil
import subprocess

import pytest
from daemon import Daemon
from house import tool

SANITIZE = os.environ.get("TOCSIN_SANITIZE", "")


def walk(daemon, *before):
    """The walk has the default action for SIGPIPE, unlike Python itself."""
    program = subprocess.Popen([*before, str(tool("lib_walk")), str(daemon.socket)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, restore_signals=True)
    assert program.stdout.readline() == "kill\n", program.communicate(timeout=60)
    daemon.kill()
    program.stdin.write("killed\n")
    program.stdin.flush()
    assert program.stdout.readline() == "start\n", program.communicate(timeout=60)
    daemon.start()
    out, err = program.communicate("started\n", timeout=120)
    assert (program.returncode, out, err) == (0, "done\n", ""), (program.returncode, err)
    events = daemon.http.events(event_name="walk")
    assert len(events) >= 1 + 2 + 100 + 2
    return events


def test_from_its_beginning_to_its_end(tmp_path):
    with Daemon(folder=tmp_path) as daemon:
        events = walk(daemon)
        assert events[0]["payload"] == {"text": 'a "quoted" one', "n": 7, "share": 0.25, "good": True}


@pytest.mark.skipif(bool(SANITIZE) or not shutil.which("valgrind"), reason="sanitizers look themselves; needs valgrind")
def test_valgrind_finds_nothing(tmp_path):
    with Daemon(folder=tmp_path) as daemon:
        walk(daemon, "valgrind", "--quiet", "--leak-check=full", "--error-exitcode=9", "--track-fds=no")
