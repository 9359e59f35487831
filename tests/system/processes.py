# SPDX-License-Identifier: Apache-2.0
"""A process by its number and its start time, so that a number used again is never taken for it."""

import os
import signal
from pathlib import Path


def start_time(pid: int) -> int | None:
    """In clock ticks since boot; None when there is no such process, or only its zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


class Process:
    def __init__(self, pid: int, start: int | None):
        self.pid, self.start = pid, start

    @classmethod
    def of(cls, pid: int):
        return cls(pid, start_time(pid))

    @property
    def key(self):
        return self.pid, self.start

    def alive(self) -> bool:
        return self.start is not None and start_time(self.pid) == self.start

    def signal(self, number: signal.Signals) -> bool:
        """Through a descriptor, so that it reaches this process or none."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if not self.alive():
                return False
            signal.pidfd_send_signal(descriptor, number)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)
