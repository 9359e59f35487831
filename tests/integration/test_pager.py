# SPDX-License-Identifier: Apache-2.0
"""tocsinctl on a real terminal: when a pager stands between, how wide lines are, what is coloured."""

import os
import pty
import select
import struct
import subprocess
import termios
from fcntl import ioctl

import pytest
from house import tool

DEADLINE_S = 20


def on_terminal(daemon, *words, columns=80, rows=24, keys=b"", **environment):
    """All that a terminal of that size gets, and the exit code."""
    pid, fd = pty.fork()
    if pid == 0:
        ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = {k: v for k, v in os.environ.items()
               if not k.endswith("PAGER") and k not in ("LESS", "NO_COLOR", "SUDO_UID", "PKEXEC_UID")}
        env.update(TOCSIN_SOCKET=str(daemon.socket), TZ="UTC", TERM="xterm", **environment)
        os.execve(str(tool("tocsinctl")), ["tocsinctl", *map(str, words)], env)
    out = b""
    try:
        while select.select([fd], [], [], DEADLINE_S)[0]:
            piece = os.read(fd, 65536)
            if not piece:
                break
            out += piece
            if keys and (b"lines " in out[-40:] or b":" in out[-12:]):  # less waits
                os.write(fd, keys)
                keys = b""
        else:
            os.kill(pid, 9)
    except OSError:  # EIO: the other end is closed
        pass
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out.decode(errors="replace")


@pytest.fixture
def pager(tmp_path):
    """A pager that says that it was there, and how."""
    path = tmp_path / "pager"
    path.write_text('#!/bin/sh\necho "PAGER $LESS $LESSSECURE"\nexec cat\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("variable", ["TOCSIN_PAGER", "SYSTEMD_PAGER", "PAGER"])
def test_verbs_that_show_things_use_the_pager(daemon, pager, variable):
    for words in (["status"], ["query"], ["heartbeats"], ["jobs"], ["stats"], ["retention"], ["help"], ["query", "--help"]):
        code, out = on_terminal(daemon, *words, **{variable: pager})
        assert code == 0, out
        assert ("PAGER FRSXMK" in out) == ("No " not in out[:3]), (words, out)


def test_where_no_pager_is_wanted(daemon, pager):
    assert "PAGER" not in on_terminal(daemon, "--no-pager", "status", PAGER=pager)[1]
    assert "PAGER" not in on_terminal(daemon, "status", TOCSIN_PAGER="", PAGER=pager)[1]
    assert "PAGER" not in on_terminal(daemon, "status", SYSTEMD_PAGER="cat", PAGER=pager)[1]
    assert "PAGER" not in on_terminal(daemon, "reload", PAGER=pager)[1]
    env = {**os.environ, "TOCSIN_SOCKET": str(daemon.socket), "PAGER": pager}
    piped = subprocess.run([tool("tocsinctl"), "status"], env=env, capture_output=True, text=True, timeout=DEADLINE_S)
    assert "PAGER" not in piped.stdout and piped.stdout


def test_with_another_s_rights_the_pager_is_less_alone(daemon, pager):
    code, out = on_terminal(daemon, "status", columns=200, PAGER=pager, SUDO_UID="1000")
    assert code == 0 and "PAGER" not in out and "tocsind" in out


def test_an_error_stays_an_error(daemon, pager):
    code, out = on_terminal(daemon, "query", 99_999_999, PAGER=pager)
    assert code == 3 and "tocsinctl query" in out and "PAGER" not in out


def test_less_is_left_with_q(daemon):
    daemon.http.post("/v1/events", [{"event_name": "many", "event_src": "pager"}] * 300)
    code, out = on_terminal(daemon, "query", "--src", "pager", "-n", 300, keys=b"q")
    assert code == 0
    assert 0 < out.count("many") < 300, "less shows a screen and waits"


def test_the_table_fits_the_terminal(daemon):
    daemon.http.submit(event_name="wide", event_src="fit", summary="字" * 300)
    out = on_terminal(daemon, "--no-pager", "--color", "never", "query", "--src", "fit", columns=130)[1]
    row = next(line for line in out.splitlines() if "wide" in line)
    assert len(row) + row.count("字") <= 130 and row.rstrip().endswith("…")
    full = on_terminal(daemon, "--no-pager", "--full", "query", "--src", "fit", columns=130)[1]
    assert full.count("字") == 300


def test_colours_are_for_terminals(daemon):
    assert "\x1b[" in on_terminal(daemon, "--no-pager", "status")[1]
    assert "\x1b[" not in on_terminal(daemon, "--no-pager", "status", NO_COLOR="1")[1]
    assert "\x1b[" not in daemon.ctl("status").stdout
