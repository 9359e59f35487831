# SPDX-License-Identifier: Apache-2.0
"""Folders of scripts that the daemon takes (nobody else may write them, parents included), and looking at jobs."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from daemon import wait_until

ENDED = ("succeeded", "failed", "timed-out", "cancelled")


@contextmanager
def safe_folder():
    base = "/var/lib" if os.getuid() == 0 else os.path.expanduser("~")
    with tempfile.TemporaryDirectory(prefix="tocsin-test-", dir=base) as folder:
        yield Path(folder)


def install(folder: Path, scripts: dict[str, str]) -> Path:
    """Shell scripts without their first line; NOTES in them is a folder that outlives the jobs."""
    spark, notes = folder / "spark.d", folder / "notes"
    for made in (spark, notes):
        made.mkdir(exist_ok=True)
    for name, text in scripts.items():
        (spark / name).write_text("#!/bin/sh\n" + text.replace("NOTES", str(notes)) + "\n")
        (spark / name).chmod(0o755)
    return spark


def job_of(http, index):
    items = http.get("/v1/jobs", {"unique_index": index}).json["items"]
    return items[0] if items else None


def reached(http, index, *states, deadline_s=60):
    return wait_until(lambda: (j := job_of(http, index)) and j["state"] in states and j, f"job of {index}: {states}", deadline_s)


def processes_with(marker: str) -> list[int]:
    """Processes whose environment holds `marker`: scripts and all that they started."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if marker.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass  # it ended meanwhile
    return found
