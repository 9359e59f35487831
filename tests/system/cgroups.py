# SPDX-License-Identifier: Apache-2.0
"""The groups that a machine lives in: one below our own in each hierarchy, and in it `payload`, which systemd takes for
its root, and `supervisor`, for the process outside that holds the machine's namespaces."""

import os
from pathlib import Path

from daemon import wait_until


def own_groups() -> dict[str, str]:
    """Hierarchy → the group of this process. Hierarchies of version 1 are known by their controllers, version 2 by none."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    return {controllers: group for _, controllers, group in (line.split(":", 2) for line in lines)}


def hierarchies() -> dict[str, Path]:
    """Hierarchy → where it is mounted."""
    found = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, target, kind, options, *_ = line.split()
        for name in own_groups():
            wanted = set(name.split(",")) <= set(options.split(",")) if name else True
            if kind == ("cgroup" if name else "cgroup2") and wanted:
                found.setdefault(name, Path(target))
    return found


class Cgroups:
    """In every hierarchy for a hybrid tree: systemd mounts those that it misses, and would then work beside our groups."""

    def __init__(self, name: str, hybrid: bool):
        own = own_groups()
        self.name = name
        self.paths = [(hierarchy, str(mounted / own[hierarchy].lstrip("/") / name))
                      for hierarchy, mounted in hierarchies().items() if hybrid or not hierarchy]
        assert any(not hierarchy for hierarchy, _ in self.paths), \
            "no cgroup version 2 is mounted here: mount -t cgroup2 none /somewhere"

    def make(self):
        for _, path in self.paths:
            for part in ("", "payload", "supervisor"):
                folder = Path(path, part)
                folder.mkdir(exist_ok=True)
                for setting in ("cpuset.cpus", "cpuset.mems"):  # empty in a new group, which nobody may enter then
                    if (folder / setting).exists():
                        (folder / setting).write_text((folder.parent / setting).read_text())

    def enter(self, part: str):
        """This process; called between fork and exec."""
        self.move(0, part)

    def move(self, pid: int, part: str):
        for _, path in self.paths:
            with open(f"{path}/{part}/cgroup.procs", "w", encoding="ascii") as procs:
                procs.write(str(pid))

    def remove(self):
        """With everything that still runs in there."""
        for _, path in self.paths:
            kill = Path(path, "cgroup.kill")
            if kill.exists():
                kill.write_text("1")
        wait_until(self._removed, f"the groups of {self.name} to go", 30)

    def _removed(self) -> bool:
        left = False
        for _, path in self.paths:
            for folder, _, _ in os.walk(path, topdown=False):
                try:
                    os.rmdir(folder)
                except FileNotFoundError:
                    pass
                except OSError:
                    left = True  # a process is still ending in it
        return not left
