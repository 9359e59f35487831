#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy on one unit, unless the same text was found clean before: what the preprocessor makes of it, the rules and the
tool are remembered by their hash in the cache folder."""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

TOOL = "clang-tidy-19"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tocsin-tidy"


def preprocessed(unit):
    """None where that does not work: then it is judged in any case."""
    for entry in json.loads(Path("build/compile_commands.json").read_text()):
        if entry["file"] == str(Path(unit).resolve()):
            words = shlex.split(entry["command"])
            flags = [w for w in words if w.startswith(("-D", "-I", "-std", "-U"))]
            flags += [x for i, w in enumerate(words) if w == "-isystem" for x in words[i:i + 2]]
            done = subprocess.run(["clang++-19", "-E", "-C", *flags, unit], capture_output=True, cwd=Path.cwd())
            here = str(Path.cwd()).encode() + b"/"  # so that a checkout in another folder knows it, too
            return done.stdout.replace(here, b"") if done.returncode == 0 else None
    return None


def main(unit):
    version = subprocess.run([TOOL, "--version"], capture_output=True, check=True).stdout
    text = preprocessed(unit)
    stamp = CACHE / hashlib.sha256(b"\0".join([version, Path(".clang-tidy").read_bytes(), text or b""])).hexdigest()
    if text and stamp.exists():
        return 0
    code = subprocess.run([TOOL, "--quiet", "--warnings-as-errors=*", "-p", "build", unit], stderr=subprocess.DEVNULL).returncode
    if text and code == 0:
        CACHE.mkdir(parents=True, exist_ok=True)
        stamp.touch()
    return code


sys.exit(main(sys.argv[1]))
