# SPDX-License-Identifier: Apache-2.0
"""Hostile scripts, run by the real helper in both ways: as a child of the daemon, and behind a socket as another user. After
each no process is left, no directory, and no descriptor of the daemon."""

import os
import tempfile
import time
from pathlib import Path

import pytest
from daemon import Daemon, wait_until
from sparksocket import SparkSocket

ESCAPE = """#!/usr/bin/python3 -IS
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
r, w = os.pipe()
if os.fork() == 0:
    for _ in range(2):
        os.setsid()
        if os.fork():
            os._exit(0)
    for _ in range(3):
        os.fork()
    os.write(w, b"x")
    os.execv("/usr/bin/tail", ["tail", "-f", "/dev/null"])
os.read(r, 8)
print("escaped", flush=True)
"""
LITTER = "#!/usr/bin/python3 -IS\nfor i in range(3000): open(f'f{i:04}', 'w').write('x')\n"
ODD = """#!/usr/bin/python3 -IS
import os, socket
os.symlink("/etc/passwd", "passwd"); os.symlink("/", "root"); os.mkfifo("pipe"); os.mkdir("d"); os.symlink("..", "d/up")
socket.socket(socket.AF_UNIX).bind("sock")
open("bad\\nname", "w").write("x"); open(b"bad\\xff", "w").write("x"); open("d/good", "w").write("good")
"""
# name: (text, seconds, state, word of the reason)
SCRIPTS = {
    "escape": (ESCAPE, 20, "succeeded", ""),
    "escape-late": (ESCAPE + "os.read(r, 0) or signal.pause()\n", 2, "timed-out", "longer"),
    "forks": ("#!/bin/sh\nfor i in 1 2 3 4 5; do (exec setsid tail -f /dev/null) & done\nexit 3\n", 20, "failed", "status 3"),
    "deaf": ("#!/bin/sh\ntrap '' TERM\nexec tail -f /dev/null\n", 0.5, "timed-out", "longer than 500ms"),
    "forever": ("#!/bin/sh\nexec tail -f /dev/null\n", 0.5, "timed-out", "longer than 500ms"),
    "flood": ("#!/bin/sh\nexec yes\n", 1.5, "timed-out", "longer"),
    "flood-3": ("#!/bin/sh\nexec yes >&3\n", 0.5, "timed-out", "longer"),
    "hungry": ("#!/usr/bin/python3 -IS\nx = bytearray(1 << 30)\n", 20, "failed", "status 1"),
    "signal": ("#!/bin/sh\nkill -SEGV $$\n", 20, "failed", "SIGSEGV"),
    "kills-group": ("#!/bin/sh\nkill -KILL 0\n", 20, "failed", "SIGKILL"),
    "closes-3": ("#!/bin/sh\nexec 3>&- >&- 2>&- </dev/null\nexit 0\n", 20, "succeeded", ""),
    "bad-line": ("#!/bin/sh\necho nonsense >&3\n", 20, "failed", "descriptor 3"),
    "huge-line": ("#!/bin/sh\nhead -c 5000000 /dev/zero | tr '\\0' x >&3\n", 20, "failed", "descriptor 3"),
    "litter": (LITTER, 20, "succeeded", "not kept"),
    "huge": ("#!/bin/sh\ntruncate -s 70M big\necho small > small\n", 20, "succeeded", "larger than 64M"),
    "too-huge": ("#!/bin/sh\nexec head -c 300M /dev/zero > big\n", 20, "failed", "SIGXFSZ"),
    "odd": (ODD, 20, "succeeded", "not kept"),
    "no-interpreter": ("#!/no/such/interpreter\n", 20, "failed", "interpreter"),
    "text": ("no interpreter\n", 20, "failed", "#!"),
}
MAY_NOT_RUN = {"plain": 0o644, "open": 0o777}


class Place:
    """A daemon with a folder for its scripts, and the socket of the helper where that is the way."""

    def __init__(self, folder, way):
        self.folder, self.way = Path(folder), way
        self.folder.chmod(0o755)
        for name, mode in {"spark.d": 0o755, "tmp": 0o1777, "run": 0o755}.items():
            (self.folder / name).mkdir()
            (self.folder / name).chmod(mode)
        config = [f'[jobs]\ndirectories = ["{self.folder}/spark.d"]\nmemory_max = "256M"\nkill_after = "300ms"\ntimeout = "20s"\n']
        for name, (text, seconds, _, _) in SCRIPTS.items():
            self.script(name, text)
            config.append(f'[[script]]\nname = "{name}"\ntimeout = "{int(seconds * 1000)}ms"\n')
        for name, mode in MAY_NOT_RUN.items():
            self.script(name, "#!/bin/sh\n", mode)
        self.daemon = Daemon(folder=self.folder, config="".join(config), environment={"TMPDIR": str(self.folder / "tmp")})
        self.sockets = [SparkSocket(self.folder / "run/spark.sock", self.folder / "tmp")] if way == "socket" else []
        self.daemon.start()

    def script(self, name, text, mode=0o755):
        path = self.folder / "spark.d" / name
        path.write_text(text)
        path.chmod(mode)
        return path

    @property
    def http(self):
        return self.daemon.http

    def run(self, script):
        return self.http.submit(event_name="e", event_src="s", spark_script=script)

    def job(self, index):
        items = self.http.get("/v1/jobs", {"unique_index": index}).json["items"]
        return items[0] if items else None

    def in_state(self, index, *states):
        return wait_until(lambda: (j := self.job(index)) and j["state"] in states and j, f"{states}, is {self.job(index)}")

    def finished(self, index):
        return self.in_state(index, "succeeded", "failed", "timed-out", "cancelled")

    def output(self, job):
        return self.http.get(f"/v1/jobs/{job['id']}/output").body

    def products(self, job):
        folder = self.daemon.state / "products" / str(job["id"])
        return {str(p.relative_to(folder)): p for p in folder.rglob("*") if not p.is_dir()}

    def tree(self):
        """Processes that carry this daemon's socket in their environment: scripts and what they started."""
        marker = f"TOCSIN_SOCKET={self.daemon.socket}".encode()
        return [pid for pid in os.listdir("/proc") if pid.isdigit() and marker in read(f"/proc/{pid}/environ")]

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def check_clean(self):
        assert not self.tree(), "a process was left"
        wait_until(lambda: not os.listdir(self.folder / "tmp"), "the working directories to be gone")
        assert not list((self.daemon.state / "products").glob("*.lock"))

    def close(self):
        for one in self.sockets:
            one.close()
        self.daemon.close()


def read(path):
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


@pytest.fixture(params=["child", "socket"], scope="module")
def way(request):
    return request.param


@pytest.fixture(scope="module")
def place(way):
    base = "/var/lib" if os.getuid() == 0 else os.path.expanduser("~")  # nobody else may write there, parents included
    with tempfile.TemporaryDirectory(prefix="tocsin-test-", dir=base) as folder:
        place = Place(folder, way)
        yield place
        place.close()


@pytest.fixture(autouse=True)
def clean(place):
    place.http.get("/healthz")  # the test's own connection is there before and after
    before = place.descriptors()
    yield
    place.check_clean()
    place.http.get("/healthz")
    wait_until(lambda: place.descriptors() <= before, f"{before} descriptors, are {place.descriptors()}")


@pytest.mark.parametrize("name", SCRIPTS)
def test_hostile_scripts(place, name):
    _, _, state, word = SCRIPTS[name]
    job = place.finished(place.run(name))
    assert (job["state"], word in job.get("reason", "")) == (state, True), job
    assert not place.tree(), "the job ended before its tree"


@pytest.mark.parametrize("name", MAY_NOT_RUN)
def test_what_may_not_run(place, name):
    assert place.finished(place.run(name))["state"] == "failed"


def test_the_user_is_another_one_behind_the_socket(place):
    place.script("who", "#!/bin/sh\nid -u; stat -c %a .; pwd; ls -A\n")
    uid, mode, folder, *rest = place.output(place.finished(place.run("who"))).decode().splitlines()
    assert (mode, rest) == ("700", []) and folder.startswith(str(place.folder / "tmp/tocsin-spark-"))
    other = place.way == "socket" and os.getuid() == 0
    assert int(uid) == (65534 if other else os.getuid())


def test_files_are_kept_links_are_not(place):
    job = place.finished(place.run("odd"))
    kept = place.products(job)
    assert set(kept) == {"d/good"} and kept["d/good"].read_text() == "good", job
    assert kept["d/good"].stat().st_uid == os.getuid()


def test_products_are_bounded(place):
    kept = place.products(place.finished(place.run("litter")))
    assert len(kept) == 256 and "f0000" in kept
    assert set(place.products(place.finished(place.run("huge")))) == {"small"}


def test_large_products_do_not_hold_up_the_loop(place):
    place.script("large", "#!/bin/sh\nfor i in 1 2 3; do head -c 60000000 /dev/zero > $i; done\n")
    index = place.run("large")
    slowest = 0.0
    while (job := place.job(index)) is None or job["state"] in ("queued", "running"):
        began = time.monotonic()
        place.http.get("/v1/jobs", {"limit": 1})
        slowest = max(slowest, time.monotonic() - began)
    assert {p.stat().st_size for p in place.products(job).values()} == {60_000_000} and len(place.products(job)) == 3
    assert slowest < 5, "a question waited for the copying"


def test_a_flood_is_counted_and_starves_nobody(place):
    index = place.run("flood")
    place.in_state(index, "running")
    answers = 0
    while (job := place.job(index))["state"] == "running":
        answers += 1
    assert answers > 3 and job["truncated"] and job["output_bytes"] > 64 * 1024
    assert len(place.output(job)) == 64 * 1024


def test_output_is_seen_while_it_runs(place):
    go = place.folder / "go"
    place.script("talks", f"#!/bin/sh\necho first\nwhile [ ! -e {go} ]; do :; done\necho last\n")
    index = place.run("talks")
    job = place.in_state(index, "running")
    wait_until(lambda: place.output(job) == b"first\n", "the first line")
    go.touch()
    assert place.output(place.finished(index)) == b"first\nlast\n"
    go.unlink()


def test_cancel_ends_the_tree(place):
    place.script("stays", ESCAPE + "signal.pause()\n")
    index = place.run("stays")
    job = place.in_state(index, "running")
    wait_until(lambda: place.output(job) == b"escaped\n", "the tree")
    answer = place.http.post(f"/v1/jobs/{job['id']}/cancel")
    assert answer.status == 200 and answer.json["state"] == "cancelled"
    assert not place.tree()


def test_a_script_that_goes_before_its_turn(place):
    go = place.folder / "go"
    place.script("holds", f"#!/bin/sh\nwhile [ ! -e {go} ]; do :; done\n")
    path = place.script("vanishes", "#!/bin/sh\n")
    first = [place.run("holds"), place.run("holds")]  # every place
    index = place.run("vanishes")
    place.in_state(index, "queued")
    path.unlink()
    go.touch()
    assert place.finished(index)["state"] == "failed"
    assert [place.finished(i)["state"] for i in first] == ["succeeded", "succeeded"]
    go.unlink()


def test_a_helper_that_dies_fails_the_job(place):
    place.script("orphan", "#!/bin/sh\necho $PPID\nexec tail -f /dev/null\n")
    index = place.run("orphan")
    job = place.in_state(index, "running")
    helper = int(wait_until(lambda: place.output(job), "its parent"))
    os.kill(helper, 9)
    job = place.finished(index)
    assert job["state"] == "failed" and "without a word" in job["reason"]
    wait_until(lambda: not place.tree(), "the script to go with its helper")
    for left in (place.folder / "tmp").iterdir():  # nobody was there to remove it
        left.rmdir()


def test_the_daemon_dies_and_the_job_runs_again(place):
    go = place.folder / "go"
    place.script("twice", f"#!/bin/sh\ntrap '' TERM\necho $TOCSIN_ATTEMPT > a$TOCSIN_ATTEMPT\necho began\n"
                          f"while [ ! -e {go} ]; do :; done\n")
    index = place.run("twice")
    job = place.in_state(index, "running")
    wait_until(lambda: place.output(job) == b"began\n", "the first run")
    place.daemon.kill()
    place.daemon.start()
    wait_until(lambda: (j := place.job(index)) and j["attempt"] == 2 and place.output(j) == b"began\n", "the second run")
    assert len(place.tree()) == 1, "two trees of one job"
    go.touch()
    job = place.finished(index)
    assert job["state"] == "succeeded" and set(place.products(job)) == {"a2"}
    go.unlink()


def reasons(http):
    return http.get("/healthz").json.get("reasons", [])


def test_a_socket_of_its_own(place):
    place.script("special", "#!/bin/sh\ntouch /dev/null; pwd\n")
    mine = place.folder / "mine"
    mine.mkdir()
    mine.chmod(0o1777)
    with SparkSocket(place.folder / "run/spark-special.sock", mine):
        assert str(mine) in place.output(place.finished(place.run("special"))).decode()
    wait_until(lambda: not list(mine.iterdir()), "its working directory to be gone")
    assert str(mine) not in place.output(place.finished(place.run("special"))).decode()


def test_limits_that_do_not_bind_are_said(place, way):
    if way == "child":
        pytest.skip("nobody promised limits")
    usual = place.sockets.pop()
    usual.close()
    with SparkSocket(usual.path, usual.temporary, {"INVOCATION_ID": "1"}) as managed:
        unlimited = managed.hello()[2]
        assert place.finished(place.run("closes-3"))["state"] == "succeeded"
        assert any(r.startswith("job-limits") for r in reasons(place.http)) == bool(unlimited)
    place.sockets.append(SparkSocket(usual.path, usual.temporary))
    assert place.finished(place.run("closes-3"))["state"] == "succeeded"
    assert not any(r.startswith("job-limits") for r in reasons(place.http))


def test_where_the_socket_is_required_the_daemon_starts_none(place, way):
    if way == "child":
        pytest.skip("it starts its own")
    with Daemon(config=place.daemon.config_file.read_text(), settings=["jobs.helper_socket=/nonexistent/spark.sock"]) as daemon:
        index = daemon.http.submit(event_name="e", event_src="s", spark_script="closes-3")
        job = wait_until(lambda: (j := daemon.http.get("/v1/jobs", {"unique_index": index}).json["items"])
                         and j[0]["state"] == "failed" and j[0], "the failure", 60)
        assert "tocsin-spark.socket" in job["reason"], job
        assert any(r.startswith("jobs-helper") for r in reasons(daemon.http))
