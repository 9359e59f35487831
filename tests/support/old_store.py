# SPDX-License-Identifier: Apache-2.0
"""Stores as earlier versions wrote them, kept as LMDB's own dumps (`mdb_dump -a`), and what is in them."""

import subprocess
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "integration/data"
EVENTS = 350  # submitted ten at a time with a tail of 100; the daemon's own daemon.started has index 1


def event(i):
    """The i-th event as it was submitted; its index is i + 2."""
    out = {"event_name": f"name-{i % 7}", "event_src": f"src-{i % 4}", "event_time": f"2026-01-02T03:{i % 60:02}:{i % 7:02}Z",
           "severity": ["info", "warning", "error", "critical"][i % 4], "summary": f"summary {i}", "idempotency_key": f"key-{i}"}
    if i % 3 == 0:
        out["scid"] = i % 5 - 2
    if i % 5 == 0:
        out["environment"] = f"env-{i % 2}"
    if i % 6 == 0:
        out["payload"] = {"n": i, "text": "räksmörgås"}
    if i % 9 == 0:
        out["count"] = i + 1
    if i % 10 == 0:
        out["event_rule_id"] = i % 3
    return out


def lay_down(schema, state):
    """Makes the store of that schema in a state directory that does not exist yet; gives its folder."""
    store = Path(state) / "store"
    store.mkdir(parents=True, mode=0o700)
    store.parent.chmod(0o700)
    subprocess.run(["mdb_load", "-f", DATA / f"schema-{schema}.dump", store], check=True, timeout=60)
    (store / "lock.mdb").unlink(missing_ok=True)
    return store


def age_program(store):
    """Makes the store one of a later version's, for which this program is too old."""
    dump = subprocess.run(["mdb_dump", "-s", "meta", store], check=True, capture_output=True, text=True, timeout=60).stdout
    lines = dump.splitlines()
    at = lines.index(" " + b"schema".hex()) + 1
    lines[at] = " " + (int.from_bytes(bytes.fromhex(lines[at]), "big") + 1).to_bytes(4, "big").hex()
    subprocess.run(["mdb_load", "-s", "meta", store], input="\n".join(lines) + "\n", check=True, text=True, timeout=60)


def check_events(http):
    """Every event is there once, as it was submitted."""
    found = {e["unique_index"]: e for e in http.events(order="index", limit=100) if e["event_name"].startswith("name-")}
    assert sorted(found) == list(range(2, EVENTS + 2))
    for i in range(EVENTS):
        seen, said = found[i + 2], event(i)
        said["event_time"] = said["event_time"].replace("Z", ".000000Z")
        assert {key: seen.get(key) for key in said if key != "idempotency_key"} == \
            {key: value for key, value in said.items() if key != "idempotency_key"}, i
