# SPDX-License-Identifier: Apache-2.0
"""Where the sources and the build are, for tests that read them."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TOCSIN_BUILD", ROOT / "build"))
ROOMS = ("core", "storage", "heartbeats", "jobs", "ipc", "pictures", "daemon", "cli", "lib")


def tool(name: str) -> Path:
    """A built program of ours."""
    return BUILD / "bin" / name


def sources(*folders: str, suffixes=(".cpp", ".hpp", ".c", ".h")) -> list[Path]:
    found = []
    for folder in folders or ROOMS:
        found += [p for p in (ROOT / folder).rglob("*") if p.suffix in suffixes]
    return sorted(found)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def ctags(paths: list[Path]) -> list[dict]:
    """Function definitions with first and last line."""
    import json

    out = subprocess.run(
        ["ctags", "--output-format=json", "--fields=+neK", "--kinds-C++=f", "--languages=C,C++", "-f", "-"]
        + [str(p) for p in paths],
        check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]
