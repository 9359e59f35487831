# SPDX-License-Identifier: Apache-2.0
"""What the daemon exports is what the checked-in contract says; and the bus name behaves."""

import json
import xml.etree.ElementTree as ET

from daemon import Daemon
from dbusclient import heartbeat_path
from house import ROOT

CONTRACT = ROOT / "ipc/dbus"
STANDARD = ("org.freedesktop.DBus.",)


def interfaces(text):
    """{interface: sorted list of its members with types}"""
    found = {}
    for interface in ET.fromstring(text).iter("interface"):
        name = interface.get("name")
        if name.startswith(STANDARD):
            continue
        members = set()
        for member in interface:
            if member.tag in ("method", "signal"):
                signature = [(a.get("direction", "out" if member.tag == "signal" else "in"), a.get("type"), a.get("name"))
                             for a in member.findall("arg")]
                members.add((member.tag, member.get("name"), json.dumps(signature)))
            elif member.tag == "property":
                changes = [a.get("value") for a in member.findall("annotation")
                           if a.get("name").endswith("EmitsChangedSignal")]
                members.add(("property", member.get("name"), json.dumps([member.get("type"), member.get("access"), changes])))
        found[name] = sorted(members)
    return found


def contract():
    found = {}
    for file in sorted(CONTRACT.glob("*.xml")):
        found |= interfaces(file.read_text())
    return found


def introspect(client, path=""):
    return client.call("org.freedesktop.DBus.Introspectable", "Introspect", path=path)[0]


def test_introspection_is_the_contract(client, http):
    client.call("Heartbeats", "Beat", "sa{sv}", "contract", {})
    index = http.submit(event_name="c", event_src="s", spark_script="no-such-script")
    job = client.call("Jobs", "Run", "ts", index, "no-such-script")[0]
    exported = interfaces(introspect(client))
    exported |= interfaces(introspect(client, heartbeat_path("contract")))
    exported |= interfaces(introspect(client, job.removeprefix("/org/tocsin/EventManager1/")))
    exported |= interfaces(introspect(client, "alert/x"))
    wanted = contract()
    assert exported.keys() == wanted.keys()
    for name in wanted:
        assert exported[name] == wanted[name], name


def test_tree_shows_objects(daemon, client):
    client.call("Heartbeats", "Beat", "sa{sv}", "tree/with slash", {"scid": ("x", 7)})
    tree = daemon.busctl("tree", "--list", "org.tocsin.EventManager1").stdout.split()
    assert "/org/tocsin/EventManager1" in tree
    assert any(path.endswith("/_37") and "/heartbeat/" in path for path in tree)


def test_manager_properties(client, http):
    status = http.get("/v1/status").json
    assert client.get_property("Manager", "Version") == status["version"]
    assert client.get_property("Manager", "StoreId") == status["store_id"]
    assert client.get_property("Manager", "EventCount") == status["event_count"]
    assert client.get_property("Manager", "Degraded") == []
    assert len(status["store_id"]) == 32


def test_second_daemon_does_not_take_the_name(bus, daemon):
    second = Daemon(bus=bus)
    second.spawn()
    assert second.wait() not in (0, None)
    assert "org.tocsin.EventManager1" in second.output()
    second.close()
    assert daemon.http.get("/healthz").status == 200


def test_no_message_over_8_mib(client, http):
    for _ in range(30):
        http.ndjson([{"event_name": "big", "event_src": "s", "payload": {"x": ["z" * 30_000, 1, 2, 3]}} for _ in range(20)])
    items, after, pages = [], "", 0
    while True:
        reply = client.call("Events", "Query", "a{sv}us", {"event_name": ("s", "big")}, 10_000, after)
        items += reply[0]
        after, pages = reply[1], pages + 1
        assert sum(len(i["payload"][1]["x"][1][0][1]) for i in reply[0]) < 8 * 1024 * 1024
        if not after:
            break
    assert len(items) == 600 and pages > 1
    assert len({i["unique_index"][1] for i in items}) == 600
