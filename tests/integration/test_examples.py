# SPDX-License-Identifier: Apache-2.0
"""Each example does what it says, built and started as its reader would do it."""

import os
import re
import shutil
import signal
import subprocess
import time

import pytest
from daemon import wait_until
from house import BUILD, ROOT, tool

EXAMPLES = ROOT / "examples"
SANITIZE = os.environ.get("TOCSIN_SANITIZE", "")
plain = pytest.mark.skipif(bool(SANITIZE), reason="a library with sanitizers is no one's to link")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The library where a package puts it, and how to find it there."""
    usr = tmp_path_factory.mktemp("installed") / "usr"
    subprocess.run(["cmake", "--install", BUILD / "lib", "--prefix", usr], check=True, capture_output=True)
    folder = next(usr.rglob("libtocsin.pc")).parent
    return {"PKG_CONFIG_PATH": str(folder), "PKG_CONFIG": f"pkg-config --define-variable=prefix={usr}",
            "LD_LIBRARY_PATH": str(folder.parent)}


@pytest.fixture()
def environment(daemon, bus):
    return {**os.environ, "TOCSIN_SOCKET": str(daemon.socket), "DBUS_SYSTEM_BUS_ADDRESS": bus.address,
            "PATH": f"{tool('tocsinctl').parent}:/usr/bin:/bin"}


def make(language, tmp_path, installed):
    folder = tmp_path / language
    shutil.copytree(EXAMPLES / language, folder)
    flags = "-O1 -Wall -Wextra -Wpedantic -Werror"
    done = subprocess.run(["make", "-C", folder], env={**os.environ, **installed, "CFLAGS": flags, "CXXFLAGS": flags},
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def run(words, environment, code=0):
    done = subprocess.run([*map(str, words)], env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return done


def watch(daemon, source):
    return daemon.http.get("/v1/heartbeats", {"source": source}).json["items"][0]


@plain
def test_c_disk_full(daemon, environment, installed, tmp_path):
    program = make("c", tmp_path, installed) / "disk_full"
    assert "usage" in run([program], {**environment, **installed}, code=2).stderr
    process = subprocess.Popen([program, "0.000001", "1", tmp_path, "/proc", "/nowhere"], env={**environment, **installed},
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    events = wait_until(lambda: daemon.http.events(event_src="disk_full"), "an event")
    first = watch(daemon, "disk_full")
    wait_until(lambda: watch(daemon, "disk_full")["last"] > first["last"], "the next look")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "") and "/nowhere" in err, err
    events = daemon.http.events(event_src="disk_full")
    assert [(e["event_name"], e["severity"], e["payload"]["mount"]) for e in events] == [("disk.full", "error", str(tmp_path))]
    assert 0 < events[0]["payload"]["used_percent"] <= 100 and first["interval_s"] == 3


@plain
def test_c_disk_full_outlives_the_daemon(daemon, environment, installed, tmp_path):
    program = make("c", tmp_path, installed) / "disk_full"
    daemon.stop()
    process = subprocess.Popen([program, "0.000001", "60", "/"], env={**environment, **installed}, stderr=subprocess.PIPE, text=True)
    daemon.start()
    wait_until(lambda: [e for e in daemon.http.events(event_src="disk_full") if e["payload"]["mount"] == "/"], "the event")
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=20) == (None, "") and process.returncode == 0


@plain
def test_cpp_temperature(daemon, environment, installed, tmp_path):
    program = make("cpp", tmp_path, installed) / "temperature"
    for number, value in enumerate((41_000, 86_500, 97_000)):
        zone = tmp_path / f"thermal/thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "temp").write_text(f"{value}\n")
        (zone / "type").write_text(f"zone-{number}\n")
    run([program, 85, tmp_path / "thermal"], {**environment, **installed})
    found = {e["payload"]["zone"]: (e["payload"]["degrees"], e["severity"]) for e in daemon.http.events(event_name="temperature.high")}
    assert found == {"zone-1": (86.5, "warning"), "zone-2": (97, "critical")}
    assert watch(daemon, "temperature")["interval_s"] == 120
    nobody = run([program, 85, tmp_path / "thermal"], {**environment, **installed, "TOCSIN_SOCKET": str(tmp_path / "none")}, code=5)
    assert "Unavailable" in nobody.stderr and "no daemon" in nobody.stderr


def test_python_backup_age(daemon, environment, tmp_path):
    program = EXAMPLES / "python/backup_age.py"
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "old.tar").write_text("x")
    os.utime(folder / "old.tar", (time.time() - 100 * 3600,) * 2)
    first = run(["/usr/bin/python3", program, folder, 26], environment).stdout
    assert run(["/usr/bin/python3", program, folder, 26], environment).stdout == first, "the same backup is one event"
    events = daemon.http.events(event_name="backup.stale")
    assert [e["payload"]["newest"] for e in events] == ["old.tar"] and str(events[0]["unique_index"]) == first.strip()
    (folder / "new.tar").write_text("x")
    assert run(["/usr/bin/python3", program, folder, 26], environment).stdout == ""
    assert watch(daemon, "backup_age")["interval_s"] == 2 * 86400
    refused = run(["/usr/bin/python3", program, str(folder), "1e-9"], {**environment, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/none"}, code=1)
    assert refused.stderr


def test_shell_spool_length(daemon, environment, tmp_path):
    folder = tmp_path / 'spool "quoted"'
    folder.mkdir()
    script = EXAMPLES / "shell/spool_length.sh"
    for number in range(3):
        (folder / str(number)).write_text("")
    assert run([script, folder, 3], environment).stdout == ""
    index = re.search(r'"unique_index":(\d+)', run([script, folder, 2], environment).stdout)
    event = daemon.http.get(f"/v1/events/{index.group(1)}").json
    assert (event["event_name"], event["payload"]) == ("spool.long", {"folder": str(folder), "files": 3})


def test_shell_reboot_required(daemon, environment, tmp_path):
    script, file = EXAMPLES / "shell/reboot_required.sh", tmp_path / "reboot-required"
    assert run([script, file], environment).stdout == ""
    file.write_text("")
    first = run([script, file], environment).stdout
    assert first.startswith("t ") and run([script, file], environment).stdout == first
    assert len(daemon.http.events(event_name="reboot.required")) == 1


def test_shell_nightly_copy(daemon, environment, tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "from/file").write_text("text")
    run([EXAMPLES / "shell/nightly_copy.sh", tmp_path / "from", tmp_path / "to"], environment)
    assert (tmp_path / "to/file").read_text() == "text"
    kept = watch(daemon, "nightly-copy")
    assert (kept["interval_s"], kept["grace_s"], kept["state"]) == (86400, 3600, "up")
    run([EXAMPLES / "shell/nightly_copy.sh", tmp_path / "from", tmp_path / "none/there"], environment, code=1)
    assert watch(daemon, "nightly-copy")["state"] == "down"
    assert [e["payload"]["source"] for e in daemon.http.events(event_name="heartbeat.failed")] == ["nightly-copy"]


def test_the_overview_names_each_example():
    listed = set(re.findall(r"\]\(([^)]+)\)", (EXAMPLES / "README.md").read_text()))
    files = {str(p.relative_to(EXAMPLES)) for p in EXAMPLES.rglob("*") if p.is_file() and p.name not in ("Makefile", "README.md")
             and "__pycache__" not in p.parts}
    assert listed == files
