# SPDX-License-Identifier: Apache-2.0
"""A page cache survives a kill, a power cut does not spare it. The store's writes and flushes are recorded; the file is
rebuilt as of random instants, with random subsets of what was not flushed; every index acknowledged before is in it.
The same daemon built without flushes must fail, else this test proves nothing."""

import contextlib
import json
import os
import random
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest
from bus import PrivateBus
from daemon import Daemon, wait_until
from house import ROOT, tool
from load import start_clients

CUTS = int(os.environ.get("TOCSIN_ROUNDS", "25"))
SEED = int(os.environ.get("TOCSIN_SEED", "77"))
PAGE = 4096
HEADER = struct.Struct("<Bqqq")
PLAIN, SYNCED, FLUSH = 1, 2, 3
WAYS = ("http_single", "http_array", "dbus_single", "dbus_batch")


def read_records(path):
    data, at, records = path.read_bytes(), 0, []
    while at + HEADER.size <= len(data):
        kind, when_ns, offset, length = HEADER.unpack_from(data, at)
        at += HEADER.size
        if at + length > len(data):
            break
        records.append((kind, when_ns, offset, data[at:at + length]))
        at += length
    return records


def pieces(record):
    """A write reaches the disk page by page, in any order or not at all."""
    kind, when_ns, offset, data = record
    at = 0
    while at < len(data):
        step = PAGE - (offset + at) % PAGE
        yield offset + at, data[at:at + step]
        at += step


def rebuild(records, cut, randomness, target):
    """The file after a power cut right after records[cut - 1]."""
    image = bytearray()

    def apply(offset, data):
        if len(image) < offset + len(data):
            image.extend(bytes(offset + len(data) - len(image)))
        image[offset:offset + len(data)] = data

    last_flush = max((i for i in range(cut) if records[i][0] == FLUSH), default=-1)
    for i, record in enumerate(records[:cut]):
        for offset, data in pieces(record):
            if i < last_flush or record[0] == SYNCED or randomness.random() < 0.5:
                apply(offset, data)
    target.write_bytes(image)


def indexes_of(folder):
    """(indexes that the rebuilt store holds, what is wrong with it)."""
    done = subprocess.run([tool("store_check"), "--list", folder], capture_output=True, text=True)
    lines = []
    for line in done.stdout.splitlines():
        with contextlib.suppress(ValueError):  # a line cut short when the check itself broke down: returncode tells
            lines.append(json.loads(line))
    found = {line["unique_index"]: line["event_name"] for line in lines if "unique_index" in line}
    return found, "" if done.returncode == 0 else done.stdout[-1000:] + done.stderr[-1000:]


def record_a_run(folder, program, environment=None):
    log = folder / "writes"
    with PrivateBus() as bus:
        daemon = Daemon(folder=folder / "daemon", bus=bus, settings=["store.tail_events=400"],
                        environment={"LD_PRELOAD": str(tool("flush_shim.so")), "FLUSH_SHIM_LOG": str(log)})
        daemon.command = lambda: [str(program), *Daemon.command(daemon)[1:]]
        try:
            daemon.start()
            clients, stop = start_clients(daemon, WAYS)
            wait_until(lambda: sum(len(c.acknowledged) for c in clients) > 1500, "1500 acknowledged events", 120)
            stop.set()
            for client in clients:
                client.join(30)
                assert client.unexpected is None, client.unexpected
        finally:
            daemon.kill()
            daemon.close()
    acknowledged = {i: entry for c in clients for i, entry in c.acknowledged.items()}
    return read_records(log), acknowledged


def losses(records, acknowledged, cuts, seed):
    """What cuts at random instants lose: a list of descriptions, empty when nothing is lost."""
    randomness = random.Random(seed)
    wrong = []
    with tempfile.TemporaryDirectory(prefix="tocsin-cut-") as folder:
        store = Path(folder)
        first = next(i for i, r in enumerate(records) if r[1] > min(t for _, t in acknowledged.values()))
        for _ in range(cuts):
            cut = randomness.randrange(first, len(records) + 1)
            rebuild(records, cut, randomness, store / "data.mdb")
            (store / "lock.mdb").unlink(missing_ok=True)
            instant = records[cut - 1][1]
            required = {i: name for i, (name, when) in acknowledged.items() if when < instant}
            found, problem = indexes_of(store)
            lost = [i for i, name in required.items() if found.get(i) != name]
            if problem or lost:
                wrong.append(f"cut after record {cut} of {len(records)}: {len(lost)} of {len(required)} lost; {problem}")
    return wrong


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(prefix="tocsin-power-") as name:
        yield Path(name)


def test_a_power_cut_loses_nothing_acknowledged(folder):
    records, acknowledged = record_a_run(folder / "real", tool("tocsind"))
    kinds = {r[0] for r in records}
    assert kinds == {PLAIN, SYNCED, FLUSH}, "the recorder missed a kind of write"
    wrong = losses(records, acknowledged, CUTS * 4, SEED)
    assert not wrong, "\n".join(wrong[:5])


def test_without_flushes_this_test_fails(folder):
    program = ROOT / "build-nosync/bin/tocsind"
    assert program.exists(), "build the preset 'nosync' first (tools/check.sh does)"
    records, acknowledged = record_a_run(folder / "nosync", program)
    assert not any(r[0] == FLUSH for r in records)
    assert losses(records, acknowledged, 10, SEED), "nothing was lost without flushes: the test cannot see a loss"
