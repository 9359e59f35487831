# SPDX-License-Identifier: Apache-2.0
"""Real input: lines of an OpenSSH server under attack where the shared data set is present, else a small sample of our own."""

import re
from pathlib import Path

from house import ROOT

SHARED = ROOT.parent / "shared/data/sshd/OpenSSH_first_1000.log"
OWN = ROOT / "tests/data/sshd_sample.log"
LINE = re.compile(r"^(?P<stamp>\w+ +\d+ [\d:]+) (?P<host>\S+) sshd\[(?P<pid>\d+)\]: (?P<summary>.*)$")
KINDS = (("Failed password", "sshd.login_failed", "error"), ("Invalid user", "sshd.invalid_user", "warning"),
         ("POSSIBLE BREAK-IN", "sshd.break_in", "critical"), ("Accepted password", "sshd.login", "info"))


def sshd_lines(limit=None) -> list[str]:
    source = SHARED if SHARED.exists() else OWN
    return source.read_text(errors="replace").splitlines()[:limit]


def sshd_events(limit=None, year=2025) -> list[dict]:
    """One event a line, as a detector would make it."""
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    events = []
    for line in sshd_lines(limit):
        match = LINE.match(line)
        if not match:
            continue
        month, day, clock = match["stamp"].split()
        name, severity = next(((n, s) for text, n, s in KINDS if text in line), ("sshd.line", "info"))
        peer = re.search(r"(\d+\.\d+\.\d+\.\d+)", line)
        events.append({
            "event_name": name, "event_src": "sshd", "severity": severity, "scid": int(match["pid"]),
            "event_time": f"{year}-{months.index(month) + 1:02}-{int(day):02} {clock}", "summary": match["summary"],
            "environment": "on-premises", "event_rule_id": len(name),
            "payload": {"machine": match["host"], "pid": int(match["pid"]), **({"rhost": peer[1]} if peer else {})}})
    return events
