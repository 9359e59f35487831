#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A detector over D-Bus, run once a day: tells Tocsin when the newest backup is too old.

    backup_age.py FOLDER HOURS          backup_age.py /srv/backups 26

Needs python3-jeepney, a D-Bus library without dependencies; any other one does as well: the methods are what counts.
"""

import sys
import time
from pathlib import Path

from jeepney import DBusAddress, MessageType, new_method_call
from jeepney.io.blocking import open_dbus_connection

ROOT = "/org/tocsin/EventManager1"
NAME = "org.tocsin.EventManager1"
SECONDS = 30  # that an answer may take


def call(bus, interface, method, signature, *arguments):
    """The first value of the answer. An error has the daemon's own words, which name the field that is wrong."""
    address = DBusAddress(ROOT, bus_name=NAME, interface=f"{NAME}.{interface}")
    reply = bus.send_and_get_reply(new_method_call(address, method, signature, arguments), timeout=SECONDS)
    if reply.header.message_type == MessageType.error:
        name = reply.header.fields.get(4, "")  # org.tocsin.EventManager1.Error.InvalidEvent
        sys.exit(f"backup_age: {name.rsplit('.', 1)[-1]}: {reply.body[0] if reply.body else ''}")
    return reply.body[0] if reply.body else None


def newest(folder):
    files = [(p.stat().st_mtime, p.name) for p in Path(folder).iterdir() if p.is_file()]
    return max(files, default=(0.0, ""))


def main(folder, hours):
    bus = open_dbus_connection(bus="SYSTEM")
    modified, name = newest(folder)
    if time.time() - modified > hours * 3600:
        # A dictionary of variants: each value with its D-Bus type. "s" a string, "x" an integer, "a{sv}" an object.
        event = {
            "event_name": ("s", "backup.stale"),
            "event_src": ("s", "backup_age"),
            "severity": ("s", "error"),
            "event_rule": ("s", f"older than {hours} h"),
            "payload": ("a{sv}", {"folder": ("s", folder), "newest": ("s", name), "modified": ("x", int(modified))}),
            # However often it runs before somebody mends it: the same backup is one event.
            "idempotency_key": ("s", f"{folder} {name} {int(modified)} {hours}"),
        }
        print(call(bus, "Events", "Submit", "a{sv}", event))  # its unique_index: it is on disk now
    # "I have looked": where no beat comes for two days, Tocsin itself says that nobody looks.
    call(bus, "Heartbeats", "Beat", "sa{sv}", "backup_age", {"interval_usec": ("t", 2 * 86400 * 1_000_000)})


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: backup_age.py FOLDER HOURS")
    main(sys.argv[1], float(sys.argv[2]))
