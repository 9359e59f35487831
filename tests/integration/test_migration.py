# SPDX-License-Identifier: Apache-2.0
"""A store of the previous schema: copied, upgraded, whole; and the way back."""

import shutil
import subprocess

import old_store
from daemon import Daemon, wait_until
from house import tool

SETTINGS = ["store.tail_events=100"]


def verify(path):
    done = subprocess.run([tool("tocsinctl"), "verify", path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done
    return done.stdout


def sealed(daemon):
    """Each commit lets the daemon look for what is due."""
    daemon.http.submit(event_name="nudge", event_src="test")
    done = subprocess.run(["mdb_stat", "-s", "sealed", daemon.state / "store"], capture_output=True, text=True,
                          check=True, timeout=60)
    return "Entries: 0\n" not in done.stdout


def test_an_older_store_is_copied_and_upgraded(tmp_path):
    store = old_store.lay_down(1, tmp_path / "state")
    copy = store / "schema-1.mdb"
    with Daemon(folder=tmp_path, settings=SETTINGS) as daemon:
        assert f"upgraded from schema 1; what it was is in {copy}" in daemon.output()
        told = "\n".join(daemon.notify.messages)
        assert "keeping a copy of the store before it is upgraded, 100 %" in told and "EXTEND_TIMEOUT_USEC=" in told
        old_store.check_events(daemon.http)
        again = daemon.http.post("/v1/events", [old_store.event(i) for i in range(20)])
        assert again.status == 201 and again.json["unique_indexes"] == list(range(2, 22)), "keys are known as before"
        assert daemon.http.get("/v1/heartbeats/nightly").json["state"] == "up"
        wait_until(lambda: sealed(daemon), "older events get their indexes", 60)
        old_store.check_events(daemon.http)
        daemon.restart()
        old_store.check_events(daemon.http)
        assert daemon.output().count("upgraded from schema") == 1
    verify(store)
    assert "351" in verify(copy)
    assert sorted(p.name for p in store.iterdir()) == ["data.mdb", "lock", "lock.mdb", "schema-1.mdb"]


def test_the_copy_is_a_way_back(tmp_path):
    store = old_store.lay_down(1, tmp_path / "state")
    before = subprocess.run(["mdb_dump", "-a", store], capture_output=True, check=True, timeout=60).stdout
    with Daemon(folder=tmp_path, settings=SETTINGS):
        pass
    back = tmp_path / "back"
    back.mkdir()
    shutil.copyfile(store / "schema-1.mdb", back / "data.mdb")
    assert subprocess.run(["mdb_dump", "-a", back], capture_output=True, check=True, timeout=60).stdout == before


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    daemon = Daemon(folder=tmp_path).start()
    daemon.http.submit(event_name="kept", event_src="test")
    daemon.stop()
    store = daemon.state / "store"
    old_store.age_program(store)
    before = subprocess.run(["mdb_dump", "-a", store], capture_output=True, check=True, timeout=60).stdout
    assert daemon.spawn().wait() == 78, "the unit does not try again"
    assert "made by a newer Tocsin" in daemon.output() and "restore a backup" in daemon.output()
    assert subprocess.run(["mdb_dump", "-a", store], capture_output=True, check=True, timeout=60).stdout == before
    daemon.close()
