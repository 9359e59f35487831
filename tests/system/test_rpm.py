# SPDX-License-Identifier: Apache-2.0
"""The rpm in a root of its own, with its scriptlets: as an image builder installs it, then booted, then erased."""

import re
import subprocess
from contextlib import contextmanager

import pytest
from daemon import wait_until
from house import BUILD
from installation import SERVICE, SOCKET, http, is_active
from machine import Machine

FILES = {"/etc/tocsin/credentials": 0o700, "/etc/tocsin/conf.d": 0o750, "/usr/sbin/tocsind": 0o755, "/etc/tocsin/tocsin.toml": 0o644}


def built(name):
    found = sorted((BUILD / "packages").glob(f"{name}-[0-9]*.rpm"))
    assert len(found) == 1, f"packaging/package.sh makes the package; there are {found}"
    return found[0]


@contextmanager
def disk(machine):
    """The disk of a machine that is off, and /proc in it, as who makes an image has them."""
    folder = machine.folder
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                    f"lowerdir={machine.lower},upperdir={folder / 'upper'},workdir={folder / 'work'}", folder / "root"], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", folder / "root/proc"], check=True)
    try:
        yield folder / "root"
    finally:
        subprocess.run(["umount", folder / "root/proc", folder / "root"], check=True)


def rpm(root, *words):
    # What it needs is there as Debian's packages, of which its database knows nothing.
    done = subprocess.run(["rpm", "--root", root, "--define", "_dbpath /var/lib/rpm", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search("failed|error|required", done.stderr, re.I), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def off(root):
    machine = Machine(root)
    yield machine
    machine.close()


def test_installed_into_a_root_it_works_from_the_first_boot(off):
    with disk(off) as root:
        rpm(root, "--install", "--nodeps", built("tocsin"), built("libtocsin0"))
        assert "tocsin:" in (root / "etc/passwd").read_text()
        for path, mode in FILES.items():
            assert (root / path.lstrip("/")).stat().st_mode & 0o7777 == mode, path
        changed = rpm(root, "--verify", "--nodeps", "tocsin")
        assert not changed, changed
    off.boot()
    wait_until(lambda: is_active(off), "the daemon to run")
    index = http(off).submit(event_name="kept", event_src="test")
    assert off.properties(SERVICE, "UnitFileState")["UnitFileState"] == "enabled"
    assert off.exec("busctl", "get-property", "org.tocsin.EventManager1", "/org/tocsin/EventManager1",
                    "org.tocsin.EventManager1.Manager", "Version").returncode == 0
    off.power_off()
    with disk(off) as root:
        with open(root / "etc/tocsin/tocsin.toml", "a") as file:
            file.write("[store.retention]\ninfo = \"3d\"\n")
        rpm(root, "--upgrade", "--replacepkgs", "--nodeps", built("tocsin"))
        assert "3d" in (root / "etc/tocsin/tocsin.toml").read_text(), "an edited configuration stays"
    off.boot()
    wait_until(lambda: is_active(off), "the daemon to run after the upgrade")
    assert http(off).get(f"/v1/events/{index}").json["event_name"] == "kept"
    assert off.path(SOCKET).exists()
    off.power_off()


def test_erased_it_is_gone_but_for_the_data(off):
    with disk(off) as root:
        rpm(root, "--erase", "tocsin", "libtocsin0")
        assert not (root / "usr/sbin/tocsind").exists() and not (root / "usr/lib/systemd/system/tocsind.service").exists()
        left = subprocess.run(["find", root / "etc/systemd", "-name", "tocsin*"], capture_output=True, text=True, check=True).stdout
        assert not left, "no link to a unit that is gone"
        assert (root / "var/lib/tocsin/store").is_dir()
