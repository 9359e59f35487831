# SPDX-License-Identifier: Apache-2.0
"""backup and verify with the real daemon: over the bus and by tocsinctl, at rest and under load; and starting from one."""

import json
import os
import random
import shutil
import subprocess

import pytest
from bus import PrivateBus
from daemon import Daemon, wait_until
from dbusclient import Client, DBusError
from house import tool
from load import start_clients

LOAD = ("http_single", "http_ndjson", "dbus_json", "http_array")


@pytest.fixture()
def fds(bus):
    """A connection that may send descriptors."""
    from jeepney.io.blocking import open_dbus_connection
    client = Client.__new__(Client)
    client.connection = open_dbus_connection(bus=bus.address, enable_fds=True)
    yield client
    client.close()


def verify(*words):
    done = subprocess.run([tool("tocsinctl"), "verify", "--json", *map(str, words)], capture_output=True, text=True, timeout=300)
    return done, json.loads(done.stdout) if done.stdout.strip() else None


def start_from(backup, folder):
    """A daemon whose store is that file."""
    store = folder / "state/store"
    store.mkdir(parents=True)
    shutil.copyfile(backup, store / "data.mdb")
    return Daemon(folder=folder)



def test_every_acknowledged_event_is_in_it_under_load(bus, daemon, tmp_path):
    clients, stop = start_clients(daemon, LOAD)
    try:
        wait_until(lambda: all(len(c.acknowledged) > 100 for c in clients), "every client has been answered")
        before = {i: name for c in clients for i, (name, _) in list(c.acknowledged.items())}
        made = json.loads(daemon.ctl("backup", tmp_path / "copy", "--json").stdout)
        after = sum(len(c.acknowledged) for c in clients)
        wait_until(lambda: sum(len(c.acknowledged) for c in clients) > after, "intake goes on")
    finally:
        stop.set()
        for client in clients:
            client.join(60)
    assert not [c.unexpected for c in clients if c.unexpected]
    path = tmp_path / "copy/data.mdb"
    assert made["path"] == str(path) and made["bytes"] == path.stat().st_size and made["last_index"] >= max(before)
    assert sorted(os.listdir(tmp_path / "copy")) == ["data.mdb"]
    done, seen = verify(tmp_path / "copy")
    assert done.returncode == 0 and seen["problem_count"] == 0 and seen["last_index"] >= max(before), done
    with start_from(path, tmp_path / "other") as other:
        found = other.http.events(order="index")
        indexes = [e["unique_index"] for e in found]
        assert len(set(indexes)) == len(indexes), "once"
        names = {e["unique_index"]: e["event_name"] for e in found}
        assert all(names.get(i) == name for i, name in before.items()), "every one"
        mine = daemon.http.get(f"/v1/events/{max(before)}").json
        assert other.http.get(f"/v1/events/{max(before)}").json == mine, "whole"
        renewed = other.http.get("/v1/status").json["store_id"]
        assert renewed != daemon.http.get("/v1/status").json["store_id"]
        other.restart()
        assert other.http.get("/v1/status").json["store_id"] == renewed


def test_nothing_is_overwritten(daemon, tmp_path):
    daemon.ctl("backup", tmp_path / "a")
    before = (tmp_path / "a/data.mdb").read_bytes()
    again = daemon.ctl("backup", tmp_path / "a", check=False)
    assert again.returncode == 8 and "overwritten" in again.stderr
    assert (tmp_path / "a/data.mdb").read_bytes() == before and os.listdir(tmp_path / "a") == ["data.mdb"]
    assert daemon.ctl("backup", tmp_path / "no/such/place", check=False).returncode == 3


def test_a_copy_that_broke_off_is_not_kept(tmp_path):
    daemon = Daemon(folder=tmp_path / "d")
    try:
        daemon.start()
        daemon.kill()
        done = daemon.ctl("backup", tmp_path / "b", check=False)
        assert done.returncode == 5 and not os.listdir(tmp_path / "b")
    finally:
        daemon.close()


def test_over_the_bus(daemon, fds, tmp_path):
    index = daemon.http.submit(event_name="before", event_src="s")
    with open(tmp_path / "data.mdb", "xb") as file:
        fds.call("Manager", "Backup", "h", file)
    done, seen = verify(tmp_path / "data.mdb")
    assert done.returncode == 0 and seen["last_index"] >= index and seen["made"]
    with open(tmp_path / "data.mdb", "r+b") as full, pytest.raises(DBusError) as refused:
        fds.call("Manager", "Backup", "h", full)
    assert refused.value.code == "Conflict"
    (tmp_path / "r").touch()
    with open(tmp_path / "r", "rb") as reading, pytest.raises(DBusError) as refused:
        fds.call("Manager", "Backup", "h", reading)
    assert refused.value.code == "InvalidArgument"
    folder = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(DBusError) as refused:
        fds.call("Manager", "Backup", "h", folder)
    os.close(folder)
    assert refused.value.code == "InvalidArgument"


def test_over_http_it_is_the_file(daemon, tmp_path):
    answer = daemon.http.post("/v1/backup")
    assert answer.status == 200
    (tmp_path / "b.mdb").write_bytes(answer.body)
    assert verify(tmp_path / "b.mdb")[0].returncode == 0
    cut = tmp_path / "cut.mdb"
    cut.write_bytes(answer.body[:-4096])
    done, seen = verify(cut)
    assert done.returncode == 1 and seen["problems"]


def test_verify_of_a_running_daemon(daemon, tmp_path):
    daemon.http.submit(event_name="seen", event_src="s")
    out = daemon.ctl("verify").stdout
    assert "sound" in out
    seen = json.loads(daemon.ctl("verify", "--json").stdout)
    assert seen["problem_count"] == 0 and seen["store_id"] == daemon.http.get("/v1/status").json["store_id"]
    assert seen["event_count"] <= daemon.http.get("/v1/status").json["event_count"]
    used = daemon.ctl("verify", daemon.state, check=False)
    assert used.returncode == 8 and "in use" in used.stderr
    assert daemon.ctl("verify", tmp_path, check=False).returncode == 3


def test_verify_names_damage(tmp_path):
    daemon = Daemon(folder=tmp_path)
    try:
        daemon.start()
        daemon.http.ndjson([{"event_name": f"n{i % 7}", "event_src": "s", "payload": {"i": i}} for i in range(3_000)])
        assert daemon.stop() == 0
        data = daemon.state / "store/data.mdb"
        sound = data.read_bytes()
        assert verify(daemon.state)[0].returncode == 0
        place = sound.index(b'"i":2999')  # in a value of the log
        data.write_bytes(sound[:place] + b"X" + sound[place + 1:])
        done, seen = verify(daemon.state)
        assert done.returncode == 1 and seen["problem_count"] >= 1
        text = daemon.ctl("verify", daemon.state, check=False)
        assert text.returncode == 1 and "damaged" in text.stdout and "checksum" in text.stdout.lower() and "restore" in text.stderr
        rng = random.Random(5)
        for _ in range(60):
            at = rng.randrange(len(sound))
            data.write_bytes(sound[:at] + bytes([sound[at] ^ rng.randrange(1, 256)]) + sound[at + 1:])
            assert verify(daemon.state)[0].returncode in (0, 1, 5, 8), at
        data.write_bytes(sound)
        assert verify(daemon.state)[0].returncode == 0
    finally:
        daemon.close()


def test_who_may(daemon):
    """Declared where it is registered; who is refused is tested with users in tests/system and tests/unit/ipc."""
    assert daemon.http.get("/v1/backup", check=False).status == 405
