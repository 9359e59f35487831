# SPDX-License-Identifier: Apache-2.0
"""Dependencies point one way: which room may include which, and where each library may be seen."""

import re

from house import ROOMS, relative, sources

ALLOWED = {
    "core": {"core"},
    "storage": {"core", "storage"},
    "heartbeats": {"core", "heartbeats"},
    "jobs": {"core", "jobs"},
    "ipc": {"core", "ipc"},
    "pictures": {"core", "pictures"},
    "cli": {"core", "cli"},
    "lib": {"lib"},
    "daemon": {"core", "storage", "heartbeats", "jobs", "ipc", "pictures", "daemon"},
}
# Single headers of rooms of level 2 that the command line may use without a daemon: how a script is looked at, and how a
# store is verified, by the same code that the daemon decides by.
OFFLINE = {("cli", "jobs/script_lint.hpp"), ("cli", "storage/inspect.hpp")}
# header prefix → rooms that may include it
LIBRARIES = {
    "lmdb.h": {"storage"},
    "lz4": {"storage"},
    "cairo": {"pictures"},
    "systemd/sd-bus": {"ipc", "cli"},
    "systemd/sd-daemon": {"ipc", "daemon"},
    "systemd/sd-journal": {"daemon"},
    "boost/beast": {"ipc", "lib"},
    "boost/asio": {"ipc", "daemon", "heartbeats", "jobs", "lib"},
    "toml++": {"daemon"},
    "spdlog": {"daemon"},
    "curl/": {"cli", "daemon"},
    "zlib.h": {"ipc"},
    "jpeglib.h": {"pictures"},
    "simdjson": {"core", "ipc", "cli", "lib"},
    "re2/": {"core"},
    "date/": {"core"},
    "xxhash": {"core"},
    "zlib.h": {"ipc"},
}
# header prefix → the only files of a room that may include it
FILES = {
    ("daemon", "curl/"): {"daemon/curl_ping.cpp"},  # the dead man's switch and nothing else
    # acts that a person is asked a password for; what units and the bus say of themselves
    ("cli", "systemd/"): {"cli/bus_act.cpp", "cli/bus_handle.hpp", "cli/doctor_units.cpp"},
    ("pictures", "jpeglib.h"): {"pictures/jpeg.cpp"},
    ("lib", "boost/"): {"lib/reader.cpp"},  # headers alone: the parser of answers
    ("lib", "simdjson"): {"lib/event.cpp", "lib/result.cpp"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)


def includes(path):
    return INCLUDE.findall(path.read_text())


def room_violation(room, header):
    target = header.split("/")[0]
    return target in ROOMS and target not in ALLOWED[room] and (room, header) not in OFFLINE


def library_violation(room, header):
    return any(header.startswith(prefix) and room not in rooms for prefix, rooms in LIBRARIES.items())


def test_rooms_include_only_what_their_arrow_allows():
    wrong = [f"{relative(p)}: {h}" for room in ROOMS for p in sources(room) for h in includes(p)
             if room_violation(room, h) or library_violation(room, h)]
    assert not wrong, "\n".join(wrong)


def file_violation(path, header):
    return any(path.startswith(room + "/") and header.startswith(prefix) and path not in files
               for (room, prefix), files in FILES.items())


def test_libraries_are_seen_in_their_files_only():
    wrong = [f"{relative(p)}: {h}" for room in ROOMS for p in sources(room) for h in includes(p)
             if file_violation(relative(p), h)]
    assert not wrong, "\n".join(wrong)


def test_public_headers_are_light():
    """A header that other rooms include must not pull in a heavy library."""
    heavy = ("boost/", "simdjson", "lmdb", "toml++", "spdlog", "systemd/", "re2/", "date/", "xxhash", "curl/",
             "zlib.h")
    public = {h for room in ROOMS for p in sources(room) for h in includes(p)
              if h.split("/")[0] in ROOMS and h.split("/")[0] != room}
    wrong = [f"{relative(p)}: {h}" for p in sources() if relative(p) in public for h in includes(p) if h.startswith(heavy)]
    assert not wrong, "\n".join(wrong)


def test_the_rule_itself_can_fail():
    assert room_violation("core", "storage/store.hpp")
    assert room_violation("ipc", "heartbeats/watchboard.hpp")
    assert room_violation("cli", "jobs/engine.hpp")
    assert room_violation("lib", "core/error.hpp")
    assert room_violation("cli", "lib/tocsin.h")
    assert library_violation("lib", "curl/curl.h")
    assert file_violation("lib/client.cpp", "simdjson.h")
    assert library_violation("daemon", "lmdb.h")
    assert file_violation("daemon/app.cpp", "curl/curl.h")
    assert not room_violation("daemon", "storage/store.hpp")
