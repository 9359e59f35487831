# SPDX-License-Identifier: Apache-2.0
"""What is installed agrees with itself: bus policy with the interfaces, units with the places of the programs, document with units."""

import re
import xml.etree.ElementTree as tree

from house import ROOT

UNITS = sorted(p for p in (ROOT / "systemd").iterdir() if p.suffix in (".service", ".socket") and "EventManager1" not in p.name)
POLICY = ROOT / "systemd/org.tocsin.EventManager1.conf"
NAME = "org.tocsin.EventManager1"
ACTIONS = ROOT / "systemd/org.tocsin.EventManager1.policy"


def interfaces():
    found = set()
    for page in (ROOT / "ipc/dbus").glob("*.xml"):
        found |= {node.get("name") for node in tree.parse(page).iter("interface")}
    return {name for name in found if name.startswith(NAME)}


def test_strangers_may_call_our_interfaces_and_nothing_else():
    default = tree.parse(POLICY).find("policy[@context='default']")
    allowed = {rule.get("send_interface") for rule in default.findall("allow")}
    assert len(interfaces()) >= 5 and interfaces() <= allowed
    assert {name for name in allowed if not name.startswith(NAME)} == {"org.freedesktop.DBus.Peer"}
    assert all(rule.get("send_destination") == NAME for rule in default.findall("allow"))
    assert [dict(rule.attrib) for rule in default.findall("deny")] == [{"receive_sender": NAME, "receive_type": "signal"}]


def test_the_daemons_user_alone_owns_the_name():
    owners = [policy for policy in tree.parse(POLICY).findall("policy") if policy.find("allow[@own]") is not None]
    assert [dict(policy.attrib) for policy in owners] == [{"user": "tocsin"}]


def test_units_start_programs_that_are_installed():
    rules = (ROOT / "systemd/CMakeLists.txt").read_text()
    places = {"SBINDIR": "/usr/sbin", "BINDIR": "/usr/bin", "LIBEXECDIR": "/usr/libexec"}
    installed = {f"{places[kind]}{folder}/{name}" for name, kind, folder in
                 re.findall(r"install\(TARGETS (\S+) DESTINATION \$\{CMAKE_INSTALL_(\w+)\}(\S*)\)", rules)}
    started = {path for unit in UNITS for path in re.findall(r"^Exec\w+=(\S+)", unit.read_text(), re.M)}
    assert len(started) == 3 and started <= installed


def test_every_unit_is_installed_and_described():
    rules, page = (ROOT / "systemd/CMakeLists.txt").read_text(), (ROOT / "docs/operations.md").read_text()
    assert len(UNITS) >= 4
    for unit in UNITS:
        assert unit.name in rules and f"`{unit.name}`" in page, unit.name


def test_the_runtime_directory_is_never_the_daemons():
    assert not [unit.name for unit in UNITS if re.search(r"^RuntimeDirectory=", unit.read_text(), re.M)]


def acts():
    """The names of ipc/action.cpp, those of everybody's left out."""
    table = re.search(r"names = \{(.*?)\};", (ROOT / "ipc/action.cpp").read_text(), re.S).group(1)
    return set(re.findall(r'"([\w-]+)"', table)) - {"read", "submit"}


def test_polkit_knows_every_guarded_act_and_no_other():
    actions = tree.parse(ACTIONS).findall("action")
    assert len(acts()) == 19
    assert sorted(action.get("id") for action in actions) == sorted(f"{NAME}.{act}" for act in acts())
    for action in actions:
        defaults = {rule.tag: rule.text for rule in action.find("defaults")}
        assert defaults == {"allow_any": "auth_admin", "allow_inactive": "auth_admin", "allow_active": "auth_admin_keep"}
        assert [(note.get("key"), note.text) for note in action.findall("annotate")] == [
            ("org.freedesktop.policykit.owner", "unix-user:tocsin")], action.get("id")
        assert action.find("description").text and action.find("message").text
    assert ACTIONS.name in (ROOT / "systemd/CMakeLists.txt").read_text()


def test_commands_that_refusals_name_are_verbs():
    named = set(re.findall(r'"tocsinctl ([a-z ]+)"', (ROOT / "ipc/http/command.cpp").read_text()))
    sources = "".join(page.read_text() for page in (ROOT / "cli").glob("*.cpp"))
    verbs = set(re.findall(r'(?:\.name = |act_verb\()"([a-z ]+)"', sources))
    assert len(named) >= 9 and named <= verbs, named - verbs


def test_every_message_with_a_number_is_explained():
    ids = re.findall(r'\.id = "([0-9a-f]{32})"', (ROOT / "daemon/messages.hpp").read_text())
    catalog = (ROOT / "systemd/tocsin.catalog").read_text()
    entries = re.findall(r"^-- ([0-9a-f]{32})\nSubject: \S.*\nDefined-By: Tocsin\nDocumentation: man:\S+\n\n\S", catalog, re.M)
    assert len(ids) >= 11 and len(set(ids)) == len(ids) and sorted(ids) == sorted(entries)
