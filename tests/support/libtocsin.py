# SPDX-License-Identifier: Apache-2.0
"""libtocsin as any other language sees it: by its C functions alone (ctypes)."""

import ctypes as c
import json
import os

from house import BUILD

LIBRARY = BUILD / "lib/libtocsin.so.0"
CODES = {0: "OK", -1: "InvalidEvent", -2: "InvalidArgument", -3: "NotFound", -4: "NotAuthorized", -5: "Unavailable",
         -6: "LimitExceeded", -7: "StorageFull", -8: "Conflict", -20: "Timeout", -21: "Again", -22: "NoMemory", -23: "Forked",
         -24: "Cancelled", -25: "Protocol"}
PRELOAD = ""  # that a Python of one's own needs to load the library
DONE = c.CFUNCTYPE(None, c.c_void_p, c.c_void_p)


class BeatOptions(c.Structure):
    _fields_ = [("size", c.c_size_t), ("scid", c.c_int64), ("interval_us", c.c_int64), ("grace_us", c.c_int64),
                ("schedule", c.c_char_p), ("zone", c.c_char_p), ("state", c.c_char_p), ("run", c.c_char_p),
                ("status", c.c_char_p)]


def load(path=LIBRARY):
    library = c.CDLL(str(path))
    pointers = {"tocsin_event_new": [c.c_char_p] * 2, "tocsin_last": [c.c_void_p]}
    for name, arguments in pointers.items():
        getattr(library, name).restype = c.c_void_p
        getattr(library, name).argtypes = arguments
    for name in ("tocsin_result_message", "tocsin_result_field", "tocsin_result_error_field", "tocsin_result_error_reason",
                 "tocsin_code_name", "tocsin_version"):
        getattr(library, name).restype = c.c_char_p
    sizes = ("tocsin_result_count", "tocsin_result_errors", "tocsin_result_error_event", "tocsin_in_flight")
    for name in sizes:
        getattr(library, name).restype = c.c_size_t
    library.tocsin_result_index.restype = c.c_uint64
    return library


class Result:
    def __init__(self, library, pointer):
        pointer = c.c_void_p(pointer)
        self.code = CODES[library.tocsin_result_code(pointer)]
        self.message = library.tocsin_result_message(pointer).decode()
        self.field = library.tocsin_result_field(pointer).decode()
        self.indexes = [library.tocsin_result_index(pointer, c.c_size_t(i))
                        for i in range(library.tocsin_result_count(pointer))]
        self.duplicate = bool(library.tocsin_result_duplicate(pointer))
        self.retry_after_ms = library.tocsin_result_retry_after_ms(pointer)
        self.errors = [(library.tocsin_result_error_event(pointer, c.c_size_t(i)),
                        library.tocsin_result_error_field(pointer, c.c_size_t(i)).decode(),
                        library.tocsin_result_error_reason(pointer, c.c_size_t(i)).decode())
                       for i in range(library.tocsin_result_errors(pointer))]

    def __repr__(self):
        return f"<{self.code} {self.indexes} {self.message!r}>"


class Event:
    """Fields by keyword; payload as a dictionary."""

    def __init__(self, library, event_name="probe", event_src="libtocsin", payload=None, **fields):
        self.library = library
        coded = [None if t is None else t if isinstance(t, bytes) else t.encode() for t in (event_name, event_src)]
        self.pointer = c.c_void_p(library.tocsin_event_new(*coded))
        for name, value in fields.items():
            if isinstance(value, int):
                library.tocsin_event_set_int(self.pointer, name.encode(), c.c_int64(value))
            else:
                library.tocsin_event_set_text(self.pointer, name.encode(), value if isinstance(value, bytes) else value.encode())
        if payload is not None:
            library.tocsin_event_set_payload(self.pointer, json.dumps(payload).encode())

    def free(self):
        self.library.tocsin_event_free(self.pointer)


class Client:
    def __init__(self, socket):
        self.library = load()
        self.pointer = c.c_void_p()
        code = self.library.tocsin_open(c.byref(self.pointer), None if socket is None else os.fsencode(socket))
        assert code == 0, CODES[code]
        self.ended = []  # results of asynchronous calls, with what was given to them
        self._calls = {}  # that ctypes must keep

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        pointer, self.pointer = self.pointer, c.c_void_p()
        self.library.tocsin_close(pointer)

    def last(self):
        return Result(self.library, self.library.tocsin_last(self.pointer))

    def event(self, **fields):
        return Event(self.library, **fields)

    def submit(self, event=None, timeout_ms=10_000, **fields):
        made = event or self.event(**fields)
        self.library.tocsin_submit(self.pointer, made.pointer, timeout_ms, None)
        if event is None:
            made.free()
        return self.last()

    def _array(self, events):
        return (c.c_void_p * len(events))(*[event.pointer.value for event in events])

    def batch(self, many, timeout_ms=10_000):
        events = [self.event(**fields) for fields in many]
        indexes = (c.c_uint64 * len(events))()
        code = self.library.tocsin_submit_batch(self.pointer, self._array(events), c.c_size_t(len(events)), timeout_ms, indexes)
        for event in events:
            event.free()
        result = self.last()
        assert CODES[code] == result.code and (code != 0 or list(indexes) == result.indexes)
        return result

    def beat(self, source, timeout_ms=10_000, **options):
        given = BeatOptions(size=c.sizeof(BeatOptions))
        for name, value in options.items():
            setattr(given, name, value.encode() if isinstance(value, str) else value)
        self.library.tocsin_beat(self.pointer, source.encode(), c.byref(given), timeout_ms)
        return self.last()

    def start(self, mark=None, timeout_ms=30_000, on_end=None, **fields):
        """Starts one event; what became of it lands in `ended` as (mark, result)."""
        event = self.event(**fields)
        number = len(self._calls)

        def done(_, pointer):
            self.ended.append((mark, Result(self.library, pointer)))
            if on_end:
                on_end()

        self._calls[number] = DONE(done)
        code = self.library.tocsin_submit_async(self.pointer, event.pointer, timeout_ms, self._calls[number], None)
        event.free()
        return CODES[code]

    def fd(self):
        return self.library.tocsin_fd(self.pointer)

    def process(self):
        return self.library.tocsin_process(self.pointer)

    def wait(self, timeout_ms=60_000):
        return CODES[self.library.tocsin_wait(self.pointer, timeout_ms)]

    def in_flight(self):
        return self.library.tocsin_in_flight(self.pointer)
