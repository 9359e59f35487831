# SPDX-License-Identifier: Apache-2.0
"""The installed service in a machine of its own with a real systemd: from start to READY, and what it takes while nothing
happens. Takes root. TOCSIN_IDLE_SECONDS says how long nothing happens."""

import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
for folder in ("tests/support", "tests/system"):
    sys.path.insert(0, str(ROOT / folder))

from house import tool  # noqa: E402
from installation import SERVICE, host_pid, install, main_pid, stage  # noqa: E402
from machine import Machine  # noqa: E402
from rootfs import root_file_system  # noqa: E402

STARTS, WAKE_UPS_MAX = 20, 2
IDLE_S = int(os.environ.get("TOCSIN_IDLE_SECONDS", "180"))


def start_ms(machine) -> float:
    machine.systemctl("restart", SERVICE)
    at = machine.properties(SERVICE, "ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    return (int(at["ActiveEnterTimestampMonotonic"]) - int(at["ExecMainStartTimestampMonotonic"])) / 1000


def wake_ups(pid) -> int:
    """How often a thread of it went on after it had waited."""
    status = (path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status"))
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1)) for text in status)


def anonymous_kib(pid) -> int:
    return int(re.search(r"^RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M).group(1))


def main():
    root = root_file_system([tool("tocsind"), tool("tocsinctl"), tool("tocsin-spark")])
    with tempfile.TemporaryDirectory() as staged, Machine(root) as machine:
        stage(Path(staged))
        install(machine, Path(staged))
        starts = [start_ms(machine) for _ in range(STARTS)]
        print(f"start to READY, {STARTS} times: {statistics.median(starts):.0f} ms, at most {max(starts):.0f}")
        pid = host_pid(machine, main_pid(machine))
        time.sleep(30)  # what belongs to the start
        before, began = wake_ups(pid), time.monotonic()
        time.sleep(IDLE_S)
        minutes = (time.monotonic() - began) / 60
        print(f"idle: {anonymous_kib(pid) / 1024:.1f} MiB of its own, {(wake_ups(pid) - before) / minutes:.1f} wake-ups a minute of all "
              f"threads together (at most {WAKE_UPS_MAX})")


if __name__ == "__main__":
    main()
