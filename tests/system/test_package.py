# SPDX-License-Identifier: Apache-2.0
"""The package's life on a machine that never had it: first start, upgrade, downgrade, remove, purge, and again. The
packages are those of packaging/package.sh."""

import json
import re
import subprocess

import old_store
import pytest
from daemon import wait_until
from house import BUILD
from installation import MEMBER, NAME, ROOT, SERVICE, SOCKET, http, is_active, load
from machine import Machine

PACKAGES = BUILD / "packages"
EVENT = {"event_name": "kept", "event_src": "test"}


def built(name):
    found = sorted(PACKAGES.glob(f"{name}_*.deb"))
    assert len(found) == 1, f"packaging/package.sh makes the package; there are {found}"
    return found[0]


@pytest.fixture(scope="module")
def bare(root):
    """Nothing of Tocsin, not even its user."""
    with Machine(root) as booted:
        (booted.path("/root") / "tocsin.deb").write_bytes(built("tocsin").read_bytes())
        yield booted


def of_another_version(folder, version):
    """The same package under another number."""
    unpacked = folder / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", built("tocsin"), unpacked], check=True)
    control = unpacked / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(), flags=re.M))
    made = folder / "tocsin.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", unpacked, made], check=True, capture_output=True)
    return made


def dpkg(machine, *words, check=True):
    return machine.exec("dpkg", *words, check=check, environment={"DEBIAN_FRONTEND": "noninteractive"})


def install(machine):
    return dpkg(machine, "--install", "/root/tocsin.deb")


@pytest.fixture()
def installed(bare):
    if not bare.path("/usr/sbin/tocsind").exists():
        install(bare)
    wait_until(lambda: is_active(bare), "the daemon to run")
    return bare


def test_installed_it_works(bare):
    assert bare.exec("getent", "passwd", "tocsin", check=False).returncode != 0
    install(bare)
    assert is_active(bare)
    assert bare.properties(SERVICE, "UnitFileState")["UnitFileState"] == "enabled"
    bare.add_user(MEMBER, "tocsin")
    assert bare.exec("tocsinctl", "submit", "--name", "first", "--src", "test", user=MEMBER).returncode == 0
    version = bare.exec("busctl", "get-property", NAME, ROOT, f"{NAME}.Manager", "Version", user=MEMBER).stdout
    assert "0." in version, "the bus knows the policy"


def test_each_way_in_starts_it(installed):
    for words in (["busctl", "get-property", NAME, ROOT, f"{NAME}.Manager", "Version"],
                  ["curl", "--silent", "--fail", "--unix-socket", SOCKET, "http://localhost/v1/status"]):
        installed.systemctl("stop", SERVICE)
        installed.exec(*words, user=MEMBER)
        assert is_active(installed), words


def test_an_upgrade_keeps_data_and_configuration_and_the_socket(installed):
    index = http(installed).submit(**EVENT)
    with open(installed.path("/etc/tocsin/tocsin.toml"), "a") as file:
        file.write("[store.retention]\ninfo = \"3d\"\n")
    installed.systemctl("reload", SERVICE, check=False)
    pid = installed.properties(SERVICE, "MainPID")["MainPID"]
    socket = installed.properties("tocsind.socket", "ActiveEnterTimestampMonotonic")
    done = install(installed)
    assert "conffile" not in done.stdout + done.stderr, "nobody is asked about a file that the package did not change"
    wait_until(lambda: is_active(installed), "the daemon to be back")
    assert installed.properties(SERVICE, "MainPID")["MainPID"] != pid
    assert installed.properties("tocsind.socket", "ActiveEnterTimestampMonotonic") == socket
    assert http(installed).get(f"/v1/events/{index}").json["event_name"] == "kept"
    assert "3d" in installed.exec("tocsinctl", "config", "show").stdout


def test_an_upgrade_under_load_loses_nothing(installed, tmp_path):
    installed.path("/root/next.deb").write_bytes(of_another_version(tmp_path, "99.0").read_bytes())
    with load(installed, 100) as clients:
        for package in ("next", "tocsin"):  # up, and down again to a version that knows the store
            before = clients.count()
            dpkg(installed, "--install", f"/root/{package}.deb")
            wait_until(lambda known=before: clients.count() > known + 100 and is_active(installed), "answers after it", 60)
    assert installed.exec("dpkg-query", "--show", "--showformat", "${Version}", "tocsin").stdout != "99.0"


def test_doctor_has_no_fault_to_find(installed):
    seen = json.loads(installed.exec("tocsinctl", "doctor", "--json", check=False).stdout)["items"]
    wrong = [item for item in seen if item["check"] in ("daemon", "service", "bus", "permissions", "groups") and item["verdict"] != "ok"]
    assert not wrong


def test_a_store_of_a_newer_version_is_refused_clearly(installed):
    http(installed).submit(**EVENT)
    installed.systemctl("stop", "tocsind.socket", SERVICE)
    store = installed.path("/var/lib/tocsin/store")
    kept = {path.name: path.read_bytes() for path in store.iterdir()}
    old_store.age_program(store)
    installed.systemctl("start", SERVICE, check=False)
    try:
        state = installed.properties(SERVICE, "ExecMainStatus", "ActiveState", "NRestarts")
        assert (state["ExecMainStatus"], state["ActiveState"], state["NRestarts"]) == ("78", "failed", "0"), state
        said = installed.journal_text("--unit", SERVICE, "-n", "20")
        assert "made by a newer Tocsin" in said and "install that version again" in said
    finally:
        for name, content in kept.items():
            (store / name).write_bytes(content)
        installed.systemctl("reset-failed", "tocsind.*", check=False)
        installed.systemctl("start", "tocsind.socket", SERVICE)
    assert http(installed).get("/v1/status").status == 200


def test_removed_it_is_gone_but_for_data_and_configuration(installed):
    index = http(installed).submit(**EVENT)
    dpkg(installed, "--remove", "tocsin")
    for unit in ("tocsind.service", "tocsind.socket", "tocsin-spark.socket"):
        assert installed.properties(unit, "ActiveState")["ActiveState"] == "inactive", unit
    assert not installed.path("/usr/sbin/tocsind").exists() and not installed.path(SOCKET).exists()
    assert "info = \"3d\"" in installed.path("/etc/tocsin/tocsin.toml").read_text()
    install(installed)
    wait_until(lambda: is_active(installed), "the daemon to be back")
    assert http(installed).get(f"/v1/events/{index}").json["event_name"] == "kept"


def test_purged_nothing_is_left(installed):
    dpkg(installed, "--purge", "tocsin")
    left = installed.exec("find", "/etc", "/usr", "/var/lib", "/run", "-xdev", "-iname", "*tocsin*", check=False).stdout
    assert [line for line in left.splitlines() if "/var/lib/dpkg/" not in line] == [], left
    install(installed)
    wait_until(lambda: is_active(installed), "the daemon to be there again")
    assert http(installed).events(event_name="kept") == []


def test_the_library_is_a_package_of_its_own(bare):
    for name in ("libtocsin0", "tocsin-dev"):
        content = subprocess.run(["dpkg-deb", "--contents", built(name)], capture_output=True, text=True, check=True).stdout
        assert ("libtocsin.so.0" in content) == (name == "libtocsin0") or "->" in content, content
