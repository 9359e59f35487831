# SPDX-License-Identifier: Apache-2.0
"""A full disk, on a small tmpfs: clear refusals, queries go on, intake resumes by itself, nothing acknowledged is lost."""

import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from bus import PrivateBus
from daemon import Daemon, wait_until
from dbusclient import Client, DBusError
from test_kill import stored


@contextmanager
def small_disk(size):
    with tempfile.TemporaryDirectory(prefix="tocsin-disk-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def fill(path):
    filler = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while os.write(filler, b"\0" * 4096) > 0:
            pass
    except OSError:
        pass
    finally:
        os.close(filler)


def submit_until_refused(http, acknowledged, limit=20_000):
    for number in range(limit):
        answer = http.post("/v1/events", {"event_name": f"fill-{number}", "event_src": "filler",
                                          "payload": {"text": "y" * 2000}})
        if answer.status != 201:
            return answer
        acknowledged[answer.json["unique_index"]] = f"fill-{number}"
    raise AssertionError("the disk never got full")


def test_full_disk():
    acknowledged = {}
    with small_disk("16m") as disk, PrivateBus() as bus:
        daemon = Daemon(folder=disk / "tocsin", bus=bus)
        try:
            daemon.start()
            http = daemon.http
            acknowledged[http.submit(event_name="before", event_src="test")] = "before"
            fill(disk / "filler")
            refused = submit_until_refused(http, acknowledged)
            assert (refused.status, refused.code) == (507, "StorageFull"), refused
            assert "space" in refused.json["detail"] or "full" in refused.json["detail"]
            client = Client(bus)
            try:
                client.submit(event_name="x", event_src="y", payload={"text": "z" * 60_000})
                raise AssertionError("accepted on a full disk")
            except DBusError as error:
                assert error.code == "StorageFull", error
            # Queries go on, and nobody is told that all is well.
            assert http.get("/v1/events", {"event_name": "before"}).json["items"][0]["event_src"] == "test"
            health = http.get("/healthz")
            assert health.status == 503 and any("full" in r for r in health.json["reasons"]), health
            os.unlink(disk / "filler")
            index = wait_until(lambda: (a := http.post("/v1/events", {"event_name": "after", "event_src": "test"}))
                               .status == 201 and a.json["unique_index"], "intake to resume")
            acknowledged[index] = "after"
            wait_until(lambda: http.get("/healthz").status == 200, "the daemon to say that it is well")
            names = {e["event_name"] for e in http.events(event_src="tocsin")}
            assert {"store.full", "store.resumed"} <= names
            daemon.kill()
            found = {e["unique_index"]: e["event_name"] for e in stored(daemon)}
            assert {i: found.get(i) for i in acknowledged} == acknowledged
        finally:
            daemon.close()
