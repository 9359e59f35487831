# SPDX-License-Identifier: Apache-2.0
"""An upgrade of an older store, killed at random instants: the store stays whole, its copy is whole or not there; on a
disk without room for a copy the upgrade goes on without one."""

import os
import random
import subprocess
import threading

import old_store
from daemon import Daemon, wait_until
from house import tool
from test_full_disk import small_disk

ROUNDS = int(os.environ.get("TOCSIN_ROUNDS", "10"))
SEED = int(os.environ.get("TOCSIN_SEED", "20264"))
SETTINGS = ["store.tail_events=100"]
PAUSE = threading.Event()


def verify(path):
    done = subprocess.run([tool("tocsinctl"), "verify", path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done


def test_killed_while_it_is_upgraded(tmp_path):
    randomness = random.Random(SEED)
    store = old_store.lay_down(1, tmp_path / "state")
    copy = store / "schema-1.mdb"
    daemon = Daemon(folder=tmp_path, settings=SETTINGS)
    try:
        for _ in range(ROUNDS):
            daemon.spawn()
            wait_until(lambda: (store / "lock").exists(), "the store is taken")
            PAUSE.wait(randomness.random() * 0.2)  # the instant of the kill is the test's random input
            daemon.kill()
            verify(store)
            if copy.exists():
                verify(copy)
        daemon.start()
        old_store.check_events(daemon.http)
    finally:
        daemon.close()
    assert copy.exists()


def test_without_room_for_a_copy():
    with small_disk("32m") as disk:
        store = old_store.lay_down(1, disk / "state")
        with Daemon(folder=disk, settings=SETTINGS) as daemon:
            old_store.check_events(daemon.http)
            assert "without a copy of what it was: the disk has too little space" in daemon.output()
        assert not (store / "schema-1.mdb").exists()
