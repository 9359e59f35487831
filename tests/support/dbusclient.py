# SPDX-License-Identifier: Apache-2.0
"""A D-Bus client of its own kind (jeepney): calls with typed dictionaries, errors by name, and a recorder of signals."""

from jeepney import DBusAddress, MatchRule, MessageType, new_method_call
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

NAME = "org.tocsin.EventManager1"
ROOT = "/org/tocsin/EventManager1"


class DBusError(Exception):
    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message

    @property
    def code(self):
        return self.name.removeprefix(NAME + ".Error.")


def label(text):
    """As sd_bus_path_encode does it: every byte that is no letter or digit, and a leading digit, becomes _xx."""
    coded = "".join(chr(b) if chr(b).isalnum() and b < 128 and not (i == 0 and chr(b).isdigit()) else f"_{b:02x}"
                    for i, b in enumerate(str(text).encode()))
    return coded or "_"


def heartbeat_path(source, scid=0):
    return f"heartbeat/{label(source)}/{label(scid)}"


def job_path(job):
    return f"job/{label(job)}"


def variant(value):
    """The obvious D-Bus type of a Python value; a (signature, value) pair is taken as it is."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, bool):
        return ("b", value)
    if isinstance(value, int):
        return ("x", value) if -(2**63) <= value < 2**63 else ("t", value)
    if isinstance(value, float):
        return ("d", value)
    if isinstance(value, str):
        return ("s", value)
    if isinstance(value, dict):
        return ("a{sv}", {k: variant(v) for k, v in value.items()})
    if isinstance(value, list):
        return ("av", [variant(v) for v in value])
    raise TypeError(type(value))


def dictionary(fields):
    return {key: variant(value) for key, value in fields.items()}


def plain(value):
    """The reverse: variants and their signatures stripped."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and value[0]:
        return plain(value[1])
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


class Client:
    def __init__(self, bus):
        self.connection = open_dbus_connection(bus=bus.address)

    def call(self, interface, method, signature=None, *arguments, path="", timeout=60):
        full = interface if "." in interface else f"{NAME}.{interface}"
        address = DBusAddress(ROOT + (f"/{path}" if path else ""), bus_name=NAME, interface=full)
        message = new_method_call(address, method, signature, tuple(arguments))
        reply = self.connection.send_and_get_reply(message, timeout=timeout)
        if reply.header.message_type == MessageType.error:
            from jeepney.low_level import HeaderFields
            text = reply.body[0] if reply.body else ""
            raise DBusError(reply.header.fields[HeaderFields.error_name], text)
        return reply.body

    def submit(self, **fields) -> int:
        return self.call("Events", "Submit", "a{sv}", dictionary(fields))[0]

    def query(self, filter=None, limit=0, cursor=""):
        items, after = self.call("Events", "Query", "a{sv}us", dictionary(filter or {}), limit, cursor)
        return [plain(i) for i in items], after

    def get_property(self, interface, name, path=""):
        return plain(self.call("org.freedesktop.DBus.Properties", "Get", "ss", f"{NAME}.{interface}", name, path=path)[0])

    def watch(self, interface, member, path=None):
        """A queue of matching signals; unicast ones need no match rule."""
        rule = MatchRule(type="signal", interface=interface if "." in interface else f"{NAME}.{interface}", member=member,
                         path=path)
        self.connection.send_and_get_reply(message_bus.AddMatch(rule))
        return self.connection.filter(rule, bufsize=10_000)

    def next_signal(self, queue, timeout=30):
        return self.connection.recv_until_filtered(queue, timeout=timeout).body

    def close(self):
        self.connection.close()
