# SPDX-License-Identifier: Apache-2.0
"""docs/events.md names every event that the code makes, and no other."""

import re

from house import ROOT, sources

FAMILIES = "heartbeat|job|alert|silence|anomaly|forecast|series|rule|delivery|input|intake|daemon|store|log|chain|sensitivity"
NAME = re.compile(rf'"((?:{FAMILIES})\.[a-z][a-z-]*)"')
NOT_EVENTS = re.compile(r"\.(toml|sock|mdb|conf|log|cpp|hpp|json)$")


def names_in(path):
    return NAME.findall(re.sub(r"//[^\n]*", "", path.read_text()))


def made_by_the_code():
    rooms = ("core", "storage", "heartbeats", "jobs")
    found = {n for p in sources(*rooms) for n in names_in(p)}
    # Keys of the configuration look alike: in daemon/ only what is given to daemon_event counts.
    for path in sources("daemon"):
        if not path.name.startswith("config"):
            found |= set(names_in(path))
    keys = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', (ROOT / "daemon/config_table.cpp").read_text()))
    return {n for n in found if not NOT_EVENTS.search(n)} - keys


def documented():
    return set(re.findall(r"^\| `([a-z.-]+)` \|", (ROOT / "docs/events.md").read_text(), re.M))


def test_the_document_is_complete_and_true():
    assert documented() == made_by_the_code()
