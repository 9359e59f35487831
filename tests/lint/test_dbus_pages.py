# SPDX-License-Identifier: Apache-2.0
"""docs/dbus has a page for each interface, and each page says what the checked-in introspection and the sources say: members,
their arguments, who may call them, properties and what is signalled. (A unit test compares the introspection with the daemon.)"""

import re
import xml.etree.ElementTree as ET

import pytest

from house import ROOT

PREFIX = "org.tocsin.EventManager1."
PAGES = ROOT / "docs/dbus"
CHANGES = {"const": "never", "false": "not signalled", "true": "signalled"}
SOURCES = {"Events": "events", "Statistics": "statistics", "Heartbeats": "heartbeats", "Heartbeat": "heartbeats", "Jobs": "jobs",
           "Job": "jobs", "Manager": "manager"}


def interfaces():
    found = {}
    for file in sorted((ROOT / "ipc/dbus").glob("*.xml")):
        for interface in ET.parse(file).getroot().findall("interface"):
            found[interface.get("name").removeprefix(PREFIX)] = interface
    return found


def arguments(member, direction):
    return ", ".join(f"{a.get('type')} {a.get('name')}" for a in member.findall("arg") if a.get("direction", "out") == direction)


def members(interface):
    for method in interface.findall("method"):
        out = arguments(method, "out")
        yield f"{method.get('name')}({arguments(method, 'in')})" + (f" → {out}" if out else "")
    for signal in interface.findall("signal"):
        yield f"{signal.get('name')}({arguments(signal, 'out')})"


def properties(interface):
    for found in interface.findall("property"):
        annotation = found.find("annotation")
        yield (found.get("name"), found.get("type"), CHANGES[annotation.get("value") if annotation is not None else "true"])


def text(name):
    return (PAGES / f"{name}.md").read_text()


def property_rows(name):
    rows = re.findall(r"^\| (\w+) \| ([\w{}()]+) \| ([\w ]+) \| (.*) \|$", text(name), re.M)
    return [row for row in rows if row[0] != "name"]


@pytest.mark.parametrize("name", sorted(interfaces()))
def test_a_page_says_what_the_interface_has_and_nothing_else(name):
    interface = interfaces()[name]
    assert re.findall(r"^### (.*)$", text(name), re.M) == list(members(interface))
    assert [row[:3] for row in property_rows(name)] == list(properties(interface))


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_page_says_who_may_and_what_it_does(name):
    rows = dict(re.findall(r'\{"(\w+)",\s*Action::(\w+)', (ROOT / f"ipc/dbus/{SOURCES[name]}.cpp").read_text()))
    said = re.findall(r"^### (\w+)\(.*\n\nFor: (.*)\n\n(.+)", text(name), re.M)
    assert {member for member, _, _ in said} == {m.get("name") for m in interfaces()[name].findall("method")}
    for member, who, what in said:
        act = rows[member]
        guarded = f"`{PREFIX}{act.replace('_', '-')}`"
        assert who == ("members" if act in ("read", "submit") else guarded), (name, member, who)
        assert len(what) > 20, (name, member)
    for row in property_rows(name):
        assert row[3], (name, row)


def test_the_index_names_every_page():
    index = (PAGES / "README.md").read_text()
    assert set(re.findall(r"\((\w+)\.md\)", index)) - {"operations"} == set(interfaces()) == \
        {page.stem for page in PAGES.glob("*.md")} - {"README"}
