# SPDX-License-Identifier: Apache-2.0
"""A machine for tests: a real systemd as PID 1, in namespaces of its own, on an overlay clone of a cached root tree.

It boots in about a second and needs nothing but root and util-linux. Whatever happens to the test, the machine ends:
its supervisor dies with the test's process, PID 1 with its supervisor, everything else with PID 1. What could be left
on the disk (the clone, empty cgroups) is removed by close(), or by the next run when a test was killed."""

import ctypes
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

from cgroups import Cgroups
from daemon import wait_until
from processes import Process

HERE = Path(__file__).resolve().parent
BOOT_S, STOP_S, COMMAND_S = 90, 60, 120
PREFIX = "tocsin-machine-"
PR_SET_PDEATHSIG = 1
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb",
               "NO_COLOR": "1"}
NUMBERS = itertools.count(1)
LIBC = ctypes.CDLL(None)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Machine:
    """`hybrid`: the version 1 controllers of this kernel are in the tree, so that MemoryMax= and TasksMax= bind; else
    the tree is pure version 2, with those controllers only that the kernel has there."""

    def __init__(self, root: Path, hybrid=False):
        sweep()
        self.lower, self.hybrid = Path(root), hybrid
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.cgroups = Cgroups(f"{PREFIX}{os.getpid()}-{next(NUMBERS)}", hybrid)
        self.supervisor = self.leader = None
        (self.folder / "owner").write_text(json.dumps([*Process.of(os.getpid()).key, self.cgroups.name]))
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir()
        etc = self.folder / "upper/etc"
        etc.mkdir()
        # An empty one would mean a first boot, with its presets.
        (etc / "machine-id").write_text(uuid.uuid4().hex + "\n")

    def enable_before_boot(self, unit, alias):
        """As `systemctl enable` would, for a unit that has to be there when the machine boots."""
        folder = self.folder / "upper/etc/systemd/system"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / alias).symlink_to(f"/lib/systemd/system/{unit}")

    # ---- life ----

    def boot(self):
        """Again after power_off(), with the same disk."""
        try:
            self._start()
            state = wait_until(self._state, "the machine to be up", BOOT_S)
        except BaseException:
            self.close()
            raise
        assert state == "running", f"booted, but {state}:\n{self.exec('systemctl', '--failed', '--no-pager').stdout}"
        return self

    def _start(self):
        self.cgroups.make()
        ready, tell_ready = os.pipe()
        go, tell_go = os.pipe()
        plan = {"root": str(self.folder / "root"), "lower": str(self.lower), "upper": str(self.folder / "upper"),
                "work": str(self.folder / "work"), "cgroups": self.cgroups.paths, "hybrid": self.hybrid,
                "ready": tell_ready, "go": go}

        def join():
            die_with_parent()
            self.cgroups.enter("payload")

        with open(self.folder / "console", "ab") as console:
            self.supervisor = subprocess.Popen(
                ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--fork", "--kill-child=SIGKILL",
                 "--propagation", "private", sys.executable, "-I", str(HERE / "machine_init.py"), json.dumps(plan)],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, pass_fds=(tell_ready, go), preexec_fn=join)
        os.close(tell_ready)
        os.close(go)
        try:
            assert os.read(ready, 1) == b"1", f"the machine did not start:\n{self.console()}"
            children = Path(f"/proc/{self.supervisor.pid}/task/{self.supervisor.pid}/children").read_text().split()
            self.leader = Process.of(int(children[0]))
            # systemd takes the payload for its root: nobody from outside may stay in there.
            self.cgroups.move(self.supervisor.pid, "supervisor")
            os.write(tell_go, b"1")
        finally:
            os.close(ready)
            os.close(tell_go)

    def _state(self):
        assert self.supervisor.poll() is None, f"the machine ended while it booted:\n{self.console()}"
        state = self.exec("systemctl", "is-system-running", "--wait", check=False).stdout.strip()
        return state if state in ("running", "degraded") else None

    def power_off(self):
        """In order, as an operator does; the disk stays."""
        if self.leader and self.leader.alive():
            self.leader.signal(signal.SIGRTMIN + 4)
        try:
            self.supervisor.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._kill()
            raise AssertionError(f"the machine did not power off within {STOP_S} s:\n{self.console()}") from None
        self._gone()

    def _kill(self):
        if self.supervisor and self.supervisor.poll() is None:
            self.supervisor.kill()
            self.supervisor.wait()
        self._gone()

    def _gone(self):
        self.cgroups.remove()
        self.supervisor = self.leader = None

    def close(self):
        """Power cut and removal."""
        self._kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.boot()

    def __exit__(self, kind, *_):
        if kind is not None:
            print(self.journal_text("-n", "200"), file=sys.stderr)
        self.close()

    def console(self) -> str:
        path = self.folder / "console"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    # ---- commands ----

    def command(self, *words, user=None, environment=None):
        """The words that run a command inside when they are started outside."""
        inside = ["env", "-i", *(f"{k}={v}" for k, v in {**ENVIRONMENT, **(environment or {})}.items())]
        if user:
            inside += ["runuser", "--user", user, "--"]
        return ["nsenter", "--target", str(self.leader.pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
                "--root", "--wd", *inside, *map(str, words)]

    def exec(self, *words, user=None, input=None, check=True, timeout=COMMAND_S, environment=None):
        """Quick, but in no unit of the machine's; as root, or as another user with all of their groups."""
        stdin = subprocess.DEVNULL if input is None else None
        done = subprocess.run(self.command(*words, user=user, environment=environment), input=input, stdin=stdin,
                              capture_output=True, text=True, timeout=timeout)
        assert not check or done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def spawn(self, *words, user=None, **popen):
        return subprocess.Popen(self.command(*words, user=user), preexec_fn=die_with_parent, **popen)

    def run(self, *words, unit=None, properties=(), check=True, timeout=COMMAND_S):
        """As a service of its own, waited for."""
        options = [*(["--unit", unit] if unit else []), *(f"--property={p}" for p in properties)]
        return self.exec("systemd-run", "--quiet", "--pipe", "--wait", "--collect", *options, "--", *words, check=check,
                         timeout=timeout)

    def systemctl(self, *words, check=True, timeout=COMMAND_S):
        return self.exec("systemctl", "--no-pager", *words, check=check, timeout=timeout)

    def properties(self, unit, *names) -> dict[str, str]:
        shown = self.systemctl("show", unit, *(f"--property={name}" for name in names)).stdout
        return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def add_user(self, name, *groups):
        more = ["--groups", ",".join(groups)] if groups else []
        self.exec("useradd", "--no-create-home", "--user-group", *more, name)

    # ---- files ----

    def path(self, inside) -> Path:
        """A path of the machine's as seen from outside. Links in it must be relative, as outside has another root."""
        return Path(f"/proc/{self.leader.pid}/root") / str(inside).lstrip("/")

    def write(self, inside, text, mode=0o644):
        target = self.path(inside)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def copy_tree(self, folder: Path):
        """Files, links and empty folders, with owners and modes. Folders that are there already are left alone: tar
        closes those that it unpacks to everybody else for a moment."""
        names = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*"))
                 if path.is_symlink() or not path.is_dir() or not any(path.iterdir())]
        packed = subprocess.run(["tar", "-C", str(folder), "--numeric-owner", "--no-recursion", "-cf", "-", *names],
                                check=True, capture_output=True).stdout
        unpack = self.command("tar", "-C", "/", "--numeric-owner", "-xpf", "-")
        subprocess.run(unpack, input=packed, check=True, timeout=COMMAND_S)

    # ---- journal ----

    def journal(self, *words) -> list[dict]:
        shown = self.exec("journalctl", "--no-pager", "--output=json", "--quiet", *words, check=False).stdout
        return [json.loads(line) for line in shown.splitlines() if line.startswith("{")]

    def journal_text(self, *words) -> str:
        if not self.leader or not self.leader.alive():
            return "(the machine is off)"
        return self.exec("journalctl", "--no-pager", "--quiet", *words, check=False).stdout

    def journal_cursor(self, unit) -> str:
        """The last entry of this unit: after one of another unit, journalctl leaves out the first of this one."""
        return self.journal("-n", "1", "--unit", unit)[0]["__CURSOR"]


def sweep():
    """Removes what runs that were killed left on the disk; their processes are gone."""
    for owner in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/owner"):
        try:
            pid, start, cgroup = json.loads(owner.read_text())
        except (OSError, ValueError):
            continue  # just being made or removed
        if not Process(pid, start).alive():
            Cgroups(cgroup, True).remove()
            shutil.rmtree(owner.parent, ignore_errors=True)
