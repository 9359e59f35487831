# SPDX-License-Identifier: Apache-2.0
"""The notify socket, driven by those who will drive it: systemd-notify, and programs that speak sd_notify themselves."""

import array
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from client import Http
from daemon import Daemon, wait_until

SYSTEMD_NOTIFY = shutil.which("systemd-notify")
CGROUPS = next((p for p in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified") if Path(p, "cgroup.controllers").exists()), None)
# Sends, waits for a line on its standard input, and ends: /proc knows it as long as the test wants.
SENDER = """
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for text in sys.argv[2:]:
    s.sendto(text.encode(), sys.argv[1])
print("sent", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def bus():
    return None  # this face needs none


@pytest.fixture()
def notify(daemon):
    return str(daemon.runtime / "notify")


@pytest.fixture()
def sender(notify):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.connect(notify)
    yield made
    made.close()


def own_source():
    """What this process is called there: its unit, else its executable."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        for part in line.split(":", 2)[2].split("/"):
            if part.endswith((".service", ".scope")) and line.startswith(("0::", "1:name=systemd")):
                return part
    return os.path.basename(os.readlink("/proc/self/exe"))


def counts(http):
    lines = http.get("/metrics").body.decode().splitlines()
    start = 'tocsin_notify_datagrams_total{result="'
    return {line[len(start):line.index('"}')]: int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(start)}


def faces_are_up(http):
    answer = http.get("/healthz")
    return answer.status == 200 or not [r for r in answer.json["reasons"] if r.startswith("notify")]


def watch(http, source):
    items = http.get("/v1/heartbeats", {"source": source}).json["items"]
    return items[0] if items else None


def barrier(sender, deadline_s=20):
    """As sd_notify_barrier does it; false when nobody let go in time."""
    reading, writing = os.pipe()
    try:
        sender.sendmsg([b"BARRIER=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [writing]))])
        os.close(writing)
        poll = select.poll()
        poll.register(reading, select.POLLHUP)
        return bool(poll.poll(deadline_s * 1000))
    finally:
        os.close(reading)


def test_the_socket_is_there_with_its_mode(daemon, notify):
    assert os.stat(notify).st_mode & 0o777 in (0o600, 0o660)
    assert os.stat(notify).st_mode & 0o777 == os.stat(daemon.socket).st_mode & 0o777
    assert faces_are_up(daemon.http)


def test_beats_of_a_program_are_a_watch(http, sender):
    sender.send(b"WATCHDOG=1\nWATCHDOG_USEC=3600000000\nSTATUS=warm")
    assert barrier(sender)
    found = watch(http, own_source())
    assert (found["state"], found["interval_s"], found["status"], found["scid"]) == ("up", 3600, "warm", 0)
    before = found["deadline"]
    sender.send("STATUS=wärmer".encode())
    assert barrier(sender)
    found = watch(http, own_source())
    assert (found["status"], found["deadline"]) == ("wärmer", before), "a text is no sign of life"
    sender.send(b"WATCHDOG=1")
    assert barrier(sender)
    assert watch(http, own_source())["deadline"] > before
    sender.send(b"WATCHDOG=trigger")
    assert barrier(sender)
    assert watch(http, own_source())["state"] == "down"
    sender.send(b"READY=1")
    assert barrier(sender)
    assert watch(http, own_source())["state"] == "up"
    sender.send(b"STOPPING=1")
    assert barrier(sender)
    assert watch(http, own_source()) is None


@pytest.mark.skipif(not SYSTEMD_NOTIFY, reason="needs systemd-notify")
@pytest.mark.parametrize("options", [[], ["--no-block"]])
def test_systemd_notify(http, notify, options):
    before = counts(http)
    done = subprocess.run([SYSTEMD_NOTIFY, *options, "WATCHDOG=1", "WATCHDOG_USEC=3600000000"], timeout=30,
                          capture_output=True, text=True, env={**os.environ, "NOTIFY_SOCKET": notify})
    assert done.returncode == 0, done.stderr

    def settled():
        now = counts(http)
        return now if now["taken"] + now["unidentified"] > before["taken"] + before["unidentified"] else None

    after = wait_until(settled, "the datagram")
    assert after["barrier"] - before["barrier"] == (0 if options else 1)
    if os.geteuid() == 0:  # it speaks for its parent, which is this process
        assert after["taken"] == before["taken"] + 1
        assert watch(http, own_source())["interval_s"] == 3600


def test_another_executable_is_another_source(http, notify, tmp_path):
    program = tmp_path / "my-detector"
    program.write_bytes(Path(os.path.realpath(sys.executable)).read_bytes())
    program.chmod(0o755)
    process = subprocess.Popen([program, "-c", SENDER, notify, "WATCHDOG=1\nWATCHDOG_USEC=3600000000"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONHOME": sys.prefix})
    try:
        assert process.stdout.readline() == "sent\n"
        source = own_source() if own_source().endswith((".service", ".scope")) else "my-detector"
        assert wait_until(lambda: watch(http, source), "the watch")["state"] == "up"
    finally:
        process.communicate("\n", timeout=30)


@pytest.mark.skipif(not CGROUPS or not os.access(CGROUPS, os.W_OK), reason="needs to make cgroups")
def test_a_sender_that_exits_at_once_is_known_by_its_unit(http, notify, daemon):
    """The daemon looks only after the sender is gone for good: nothing but its cgroup is left."""
    folder = Path(CGROUPS, "tocsintest.slice", f"tocsin-{os.getpid()}.service")
    before = counts(http)["unidentified"]
    folder.mkdir(parents=True)
    try:
        daemon.process.send_signal(signal.SIGSTOP)
        script = f'echo $$ > {folder}/cgroup.procs && exec "$0" -c "$1" "$2" "$3"'
        process = subprocess.Popen(["/bin/sh", "-c", script, sys.executable, SENDER, notify,
                                    "WATCHDOG=1\nWATCHDOG_USEC=3600000000"], stdin=subprocess.DEVNULL)
        assert process.wait(30) == 0
        daemon.process.send_signal(signal.SIGCONT)
        found = wait_until(lambda: watch(http, folder.name) or counts(http)["unidentified"] > before, "the datagram")
        if found is True:
            pytest.skip("this kernel does not say whose a sender was that is gone")
        assert found["state"] == "up"
    finally:
        daemon.process.send_signal(signal.SIGCONT)
        folder.rmdir()
        folder.parent.rmdir()


def test_foreign_descriptors_are_closed_at_once(http, daemon, sender):
    assert barrier(sender)
    assert faces_are_up(http)  # and its connection is open
    folder = Path(f"/proc/{daemon.process.pid}/fd")
    before = len(list(folder.iterdir()))
    reading, writing = os.pipe()
    for text, copies in ((b"FDSTORE=1\nWATCHDOG=1", 1), (b"BARRIER=1", 2), (b"BARRIER=1", 253), (b"nonsense", 100)):
        for _ in range(20):
            sender.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [writing] * copies))])
    os.close(writing)
    assert os.read(reading, 1) == b"", "closed everywhere"
    os.close(reading)
    assert barrier(sender)
    assert faces_are_up(http)  # the turn of the loop that let go of the barrier has ended
    assert len(list(folder.iterdir())) == before


def test_what_is_not_of_the_protocol_is_counted_and_told_once(http, daemon, sender):
    before = counts(http)
    for junk in (b"", b"\0", b"WATCHDOG", b"\xff" * 100, b"A=" + b"x" * 5000, b"WATCHDOG=1\0\0", b"WATCHDOG_USEC=1"):
        sender.send(junk)
    assert barrier(sender)
    after = counts(http)
    assert after["malformed"] - before["malformed"] == 7
    assert after["taken"] == before["taken"]
    assert daemon.output().count("is not of the sd_notify protocol") == 1
    assert faces_are_up(http)


def test_a_barrier_comes_after_what_was_sent_before(http, sender):
    for number in range(100):
        sender.send(f"WATCHDOG=1\nWATCHDOG_USEC=3600000000\nSTATUS=number {number}".encode())
        if number % 10 == 9:
            assert barrier(sender)
            assert watch(http, own_source())["status"] == f"number {number}"


def test_a_flood_leaves_http_answered(http, daemon, sender):
    before = counts(http)
    other = Http(daemon.socket)
    answered = 0
    for number in range(10_000):
        sender.send(b"WATCHDOG=1")
        if number % 500 == 0:
            assert other.get("/v1/status").status == 200
            answered += 1
    assert answered == 20
    assert barrier(sender)
    after = counts(http)
    assert sum(after.values()) - sum(before.values()) == 10_001
    assert after["taken"] - before["taken"] + after["dropped"] - before["dropped"] == 10_000
    assert after["taken"] > before["taken"]


def test_a_restart_keeps_the_watch_and_a_configured_one_rests(tmp_path):
    daemon = Daemon(folder=tmp_path / "d", config=f"[[heartbeat]]\nsource = '{own_source()}'\ninterval = '1h'\n")
    try:
        daemon.start()
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sender.connect(str(daemon.runtime / "notify"))
        sender.send(b"WATCHDOG=1\nSTATUS=kept\nWATCHDOG_USEC=5000000")
        assert barrier(sender)
        daemon.kill()
        daemon.start()
        found = watch(daemon.http, own_source())
        assert (found["state"], found["status"], found["interval_s"]) == ("up", "kept", 3600)
        sender.connect(str(daemon.runtime / "notify"))
        sender.send(b"STOPPING=1")
        assert barrier(sender)
        assert watch(daemon.http, own_source())["state"] == "paused"
        daemon.restart()
        assert watch(daemon.http, own_source())["state"] == "paused", "until it beats again"
        sender.connect(str(daemon.runtime / "notify"))
        sender.send(b"READY=1")
        assert barrier(sender)
        assert watch(daemon.http, own_source())["state"] == "up"
        sender.close()
    finally:
        assert daemon.close() == 0
    assert not (daemon.runtime / "notify").exists()
