# SPDX-License-Identifier: Apache-2.0
"""Every method, property and route, as root, as a member of the group, as a service that is a member by SupplementaryGroups=
alone, and as a stranger; on dbus-daemon and on dbus-broker. The steps come from the checked-in introspection, the description
of the HTTP interface and the tables that they are tested against, so what is new is walked over by itself."""

import json
import re
import xml.etree.ElementTree as ET

import openapi
import pytest
from house import ROOT as TREE
from house import tool
from installation import MEMBER, NAME, ROOT, STRANGER, install
from machine import Machine
from rootfs import root_file_system

OBJECTS = {f"{NAME}.Heartbeat": "heartbeat/walk/0", f"{NAME}.Job": "job/1", f"{NAME}.Alert": "alert/a_2d1"}
SAMPLES = {"a{sv}": ["0"], "aa{sv}": ["0"], "as": ["1", "severity"], "ay": ["0"], "t": ["1"], "x": ["1"], "u": ["1"], "s": ["walk"],
           "h": ["0"]}
NO_WAY = {"Backup"}  # busctl has no way to pass a descriptor; the unit tests of the gate do
NOT_THERE = "not available in this version"
# What the words of a refusal look like, by who says them.
REFUSED, BY_THE_BUS = "NotAuthorized", "Access denied"


def methods():
    """(interface, member, busctl's words, act or None where nothing stands behind it yet)."""
    acts = {}
    for file in ("events", "statistics", "heartbeats", "jobs", "manager"):
        source = (TREE / f"ipc/dbus/{file}.cpp").read_text()
        acts[file] = dict(re.findall(r'\{"(\w+)",\s*Action::(\w+)', source))
    for file in sorted((TREE / "ipc/dbus").glob("*.xml")):
        for interface in ET.parse(file).getroot().findall("interface"):
            name = interface.get("name")
            known = acts.get({"Heartbeat": "heartbeats", "Job": "jobs"}.get(name.split(".")[-1], name.split(".")[-1].lower()), {})
            for method in interface.findall("method"):
                if method.get("name") in NO_WAY:
                    continue
                types = [a.get("type") for a in method.findall("arg") if a.get("direction") == "in"]
                words = ["".join(types), *(word for kind in types for word in SAMPLES[kind])] if types else []
                yield name, method.get("name"), words, known.get(method.get("name"))


def properties():
    for file in sorted((TREE / "ipc/dbus").glob("*.xml")):
        for interface in ET.parse(file).getroot().findall("interface"):
            for found in interface.findall("property"):
                yield interface.get("name"), found.get("name")


def routes():
    """(method, target, act or None where nothing stands behind it yet)."""
    table = (TREE / "ipc/http/routes.cpp").read_text()
    acts = {(m, p): a.removeprefix("Action::") for m, p, a in re.findall(r'\{"(\w+)", "([^"]+)", ([\w:]+), (?!nullptr)', table)}
    for path, item in openapi.document()["paths"].items():
        for method in ("get", "post", "put", "delete"):
            if method in item:
                target = re.sub(r"\{(\w+)\}", lambda m: {"day": "20260102", "secret": "1-0"}.get(m[1], "1"), path)
                yield method.upper(), target, acts.get((method.upper(), path))


def walk(machine, who):
    steps = [["bus", f"{ROOT}/{OBJECTS[i]}" if i in OBJECTS else ROOT, i, m, *w] for i, m, w, _ in methods()]
    steps += [["bus", f"{ROOT}/{OBJECTS[i]}" if i in OBJECTS else ROOT, "org.freedesktop.DBus.Properties", "Get", "ss", i, p]
              for i, p in properties()]
    steps += [["route", m, t] for m, t, _ in routes()]
    machine.write("/opt/walker.py", (TREE / "tests/system/walker.py").read_text())
    machine.write("/opt/steps", "".join(json.dumps(step) + "\n" for step in steps))
    words = ["sh", "-c", "exec python3 /opt/walker.py </opt/steps"]
    if who == "service":
        done = machine.run(*words, properties=[f"User={STRANGER}", "SupplementaryGroups=tocsin"], timeout=600)
    else:
        done = machine.exec(*words, user={"root": None, "member": MEMBER, "stranger": STRANGER}[who], timeout=600)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(steps)
    assert not any("onnect" in said for said in results), results  # everybody reaches the bus
    count, more = len(list(methods())), len(list(properties()))
    return (list(zip(methods(), results)), list(zip(properties(), results[count:])), list(zip(routes(), results[count + more:])))


def with_bus(bus, staged):
    more = ("dbus-broker",) if bus == "dbus-broker" else ()
    root = root_file_system([tool("tocsind"), tool("tocsinctl"), tool("tocsin-spark")], more)
    machine = Machine(root)
    if more:
        machine.enable_before_boot("dbus-broker.service", "dbus.service")
    return machine


@pytest.fixture(scope="module", params=["dbus-daemon", "dbus-broker"])
def walked(request, staged):
    """Who came how far, in a machine with this bus."""
    with with_bus(request.param, staged) as machine:
        running = machine.properties("dbus.service", "ExecStart")["ExecStart"]
        assert request.param in running, running
        install(machine, staged)
        yield {who: walk(machine, who) for who in ("member", "service", "stranger", "root")}


def guarded(act):
    return act not in (None, "read", "submit")


def test_the_walk_is_long(walked):
    called, read, asked = walked["root"]
    assert len(called) > 50 and len(read) > 30 and len(asked) > 60
    assert sum(guarded(act) for (_, _, _, act), _ in called) >= 8 and sum(guarded(act) for (*_, act), _ in asked) >= 9


def test_root_is_refused_nowhere(walked):
    called, read, asked = walked["root"]
    for step, said in called:
        assert REFUSED not in said and "may not do this" not in said and BY_THE_BUS not in said, (step, said)
    for step, said in read:
        assert BY_THE_BUS not in said, (step, said)
    for step, said in asked:
        assert said not in ("401", "403", "closed"), (step, said)


@pytest.mark.parametrize("who", ["member", "service"])
def test_members_read_and_submit_and_do_no_guarded_act(walked, who):
    called, read, asked = walked[who]
    for (interface, name, _, act), said in called:
        if guarded(act):
            assert "password of an administrator" in said or "may not do this" in said, (interface, name, said)
        else:
            assert "password" not in said and "may not do this" not in said and BY_THE_BUS not in said, (interface, name, said)
    for (method, target, act), said in asked:
        assert (said == "403") == guarded(act), (method, target, act, said)
    if who == "member":  # the bus takes a user's groups from the user database
        assert all(BY_THE_BUS not in said for _, said in read), read


def test_a_stranger_gets_nothing(walked):
    called, read, asked = walked["stranger"]
    for (interface, name, _, act), said in called:
        assert "may not do this" in said or "password of an administrator" in said, (interface, name, act, said)
    for step, said in read:
        assert BY_THE_BUS in said, (step, said)
    assert {said for _, said in asked} == {"closed"}


def test_what_is_not_there_says_so(walked):
    called, _, asked = walked["member"]
    for (interface, name, _, act), said in called:
        if act is None:
            assert NOT_THERE in said, (interface, name, said)
    assert all(said == "503" for (_, _, act), said in asked if act is None), asked
