# SPDX-License-Identifier: Apache-2.0
"""The harness keeps its promises: a machine is a machine, and nothing of it is left, whatever happened to its owner."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cgroups import hierarchies
from daemon import wait_until
from house import ROOT
from machine import PREFIX, Machine, sweep
from processes import Process


def traces(folder: Path, name: str) -> list[str]:
    left = [str(folder)] if folder.exists() else []
    for mounted in hierarchies().values():
        left += [str(path) for path in mounted.rglob(f"{name}*") if path.is_dir()]
    return left


def test_boots_runs_and_powers_off(root):
    with Machine(root) as machine:
        assert machine.exec("cat", "/proc/1/comm").stdout.strip() == "systemd"
        group = machine.run("cat", "/proc/self/cgroup", unit="look").stdout.strip()
        assert group.endswith("/system.slice/look.service")
        assert machine.exec("id", "-un", user="nobody").stdout.strip() == "nobody"
        assert machine.exec("sh", "-c", "exit 3", check=False).returncode == 3
        machine.write("/etc/kept", "over the night\n")
        leader = machine.leader
        machine.power_off()
        assert not leader.alive()
        machine.boot()
        assert machine.exec("cat", "/etc/kept").stdout == "over the night\n"
        folder, name, leader = machine.folder, machine.cgroups.name, machine.leader
    assert not leader.alive() and not traces(folder, name)


def test_limits_bind_in_the_hybrid_tree_alone(root):
    hungry = "b = bytearray(200 * 1024 * 1024); print(len(b))"
    for hybrid, ends_well in ((False, True), (True, False)):
        with Machine(root, hybrid=hybrid) as machine:
            done = machine.run("python3", "-c", hungry, properties=["MemoryMax=64M", "MemorySwapMax=0"], check=False)
            assert (done.returncode == 0) == ends_well, done


def test_a_failure_inside_removes_the_machine(root):
    with pytest.raises(ZeroDivisionError), Machine(root) as machine:
        folder, name, leader = machine.folder, machine.cgroups.name, machine.leader
        raise ZeroDivisionError
    assert not leader.alive() and not traces(folder, name)


def test_a_killed_owner_takes_its_machine_along(root):
    code = ("import sys; from machine import Machine\n"
            f"m = Machine({str(root)!r}).boot()\n"
            "print(m.folder, m.cgroups.name, m.leader.pid, flush=True)\n"
            "sys.stdin.read()\n")
    paths = f"{Path(__file__).parent}:{ROOT / 'tests/support'}"
    owner = subprocess.Popen([sys.executable, "-B", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True, env={**os.environ, "PYTHONPATH": paths})
    folder, name, pid = owner.stdout.readline().split()
    leader = Process.of(int(pid))
    assert leader.alive() and Path(folder).name.startswith(PREFIX)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()
    wait_until(lambda: not leader.alive(), "the machine's PID 1 to end")
    sweep()
    assert not traces(Path(folder), name)
