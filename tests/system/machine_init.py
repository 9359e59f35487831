# SPDX-License-Identifier: Apache-2.0
"""PID 1 of a test machine until systemd takes over: mounts what a machine has, then turns into /sbin/init.

Started by machine.py through unshare(1) in new namespaces, with one argument, a JSON object: root, lower, upper, work,
cgroups (list of [hierarchy, path]), hybrid, and two descriptors, `ready` to write to and `go` to read from."""

import json
import os
import subprocess
import sys

LINKS = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def mount(kind, source, target, options=""):
    os.makedirs(target, exist_ok=True)
    subprocess.run(["mount", "-t", kind, *(["-o", options] if options else []), source, target], check=True)


def mount_devices(dev):
    mount("tmpfs", "dev", dev, "mode=755,nosuid")
    for name in DEVICES:
        subprocess.run(["cp", "-a", f"/dev/{name}", f"{dev}/{name}"], check=True)
    mount("devpts", "devpts", f"{dev}/pts", "newinstance,ptmxmode=0666,mode=620,gid=5,nosuid,noexec")
    mount("tmpfs", "shm", f"{dev}/shm", "mode=1777,nosuid,nodev")
    os.mkdir(f"{dev}/mqueue")
    for name, target in LINKS.items():
        os.symlink(target, f"{dev}/{name}")


def mount_cgroups(base, cgroups, hybrid):
    if not hybrid:
        return mount("cgroup2", "cgroup2", base, "nosuid,nodev,noexec")
    mount("tmpfs", "cgroup", base, "mode=755,nosuid,nodev,noexec")
    for hierarchy, _ in cgroups:
        if not hierarchy:
            mount("cgroup2", "cgroup2", f"{base}/unified")
            continue
        name = hierarchy.removeprefix("name=")
        mount("cgroup", "cgroup", f"{base}/{name}", hierarchy if name == hierarchy else f"none,{hierarchy}")
        for controller in name.split(",") if "," in name else ():
            os.symlink(name, f"{base}/{controller}")
    return None


def main():
    plan = json.loads(sys.argv[1])
    root = plan["root"]
    mount("overlay", "machine", root, f"lowerdir={plan['lower']},upperdir={plan['upper']},workdir={plan['work']}")
    mount("proc", "proc", f"{root}/proc", "nosuid,nodev,noexec")
    mount("sysfs", "sysfs", f"{root}/sys", "nosuid,nodev,noexec")
    mount_devices(f"{root}/dev")
    mount("tmpfs", "run", f"{root}/run", "mode=755,nosuid,nodev")
    mount("tmpfs", "tmp", f"{root}/tmp", "mode=1777,nosuid,nodev")
    mount_cgroups(f"{root}/sys/fs/cgroup", plan["cgroups"], plan["hybrid"])
    os.write(plan["ready"], b"1")
    if os.read(plan["go"], 1) != b"1":  # our starter is gone
        sys.exit(1)
    os.chdir(root)
    os.makedirs(".old", exist_ok=True)
    subprocess.run(["pivot_root", ".", ".old"], check=True)
    os.chroot(".")
    subprocess.run(["umount", "-l", "/.old"], check=True)
    # Credentials and private mounts of units propagate from here.
    subprocess.run(["mount", "--make-rshared", "/"], check=True)
    environment = {"container": "tocsin-test", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb"}
    os.execve("/sbin/init", ["/sbin/init", "--log-target=journal"], environment)


main()
