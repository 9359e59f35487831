# SPDX-License-Identifier: Apache-2.0
"""Synchronous calls: what comes in, what is refused and how it is said, and that every wait ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import libtocsin
import pytest
from daemon import Daemon
from house import ROOT
from libtocsin import Client, Event
from peers import Listener, Scripted, http, read_message

CREATED = http(201, '{"unique_index":5}')


def problem(status, code, *headers, **more):
    return http(status, json.dumps({"code": code, "detail": f"said {code}", **more}), *headers)


def test_an_event_arrives_as_it_was_made(daemon, client):
    event = client.event(event_name="disk.full", event_src="df", severity="error", summary='"\\ \n ü', scid=-4, count=3)
    library = client.library
    library.tocsin_event_add_text(event.pointer, b"mount", "/srv/\u00fc\"\x01".encode())
    import ctypes as c
    library.tocsin_event_add_int(event.pointer, b"free", c.c_int64(-(2**63)))
    library.tocsin_event_add_real(event.pointer, b"share", c.c_double(0.1))
    library.tocsin_event_add_real(event.pointer, b"whole", c.c_double(2.0))
    library.tocsin_event_add_bool(event.pointer, b"read_only", 1)
    result = client.submit(event)
    event.free()
    kept = daemon.http.get(f"/v1/events/{result.indexes[0]}").json
    assert (kept["severity"], kept["summary"], kept["scid"], kept["count"]) == ("error", '"\\ \n ü', -4, 3)
    assert kept["payload"] == {"mount": "/srv/ü\"\x01", "free": -(2**63), "share": 0.1, "whole": 2.0, "read_only": True}
    assert type(kept["payload"]["whole"]) is float and kept["origin"]["transport"] == "http"


def test_an_event_has_the_time_and_a_key_of_the_moment_it_is_queued(daemon, client):
    before = time.time()
    kept = [daemon.http.get(f"/v1/events/{client.submit().indexes[0]}").json for _ in range(2)]
    keys = {event["idempotency_key"] for event in kept}
    assert len(keys) == 2 and all(len(key) >= 32 for key in keys)
    stamp = time.mktime(time.strptime(kept[0]["event_time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert before - 2 < stamp < before + 10


@pytest.mark.parametrize("us, text", [
    (1_764_338_400_123_456, "2025-11-28T14:00:00.123456Z"),
    (1_000_000, "1970-01-01T00:00:01.000000Z"),
    (99_999_999_999_999, "1973-03-03T09:46:39.999999Z"),
])
def test_times_are_microseconds_in_each_century(daemon, client, us, text):
    import ctypes as c
    event = client.event()
    client.library.tocsin_event_set_time(event.pointer, c.c_int64(us))
    assert daemon.http.get(f"/v1/events/{client.submit(event).indexes[0]}").json["event_time"] == text
    event.free()


def test_a_wrong_field_is_named(daemon, client):
    result = client.submit(severity="hihg")
    assert (result.code, result.field, result.indexes) == ("InvalidEvent", "severity", [])
    assert "hihg" in result.message and "critical" in result.message
    assert client.submit(no_such_field="x").field == "no_such_field"
    assert client.submit(event_name="").field == "event_name"


def test_what_cannot_be_written_is_named_too(client):
    for field in ("event_name", "event_src", "summary"):
        result = client.submit(**{field: b"\xff"})
        assert (result.code, result.field) == ("InvalidEvent", field) and "UTF-8" in result.message
    assert client.submit(event_name=None).message == "event_name: is NULL"
    for text in (b"{", b"[]", b"7", b'{"a":1} {"b":2}', b'{"a":1},"event_src":"other"'):
        event = client.event()
        assert client.library.tocsin_event_set_payload(event.pointer, text) == -1
        assert client.submit(event).field == "payload"
        event.free()


def test_a_batch_is_kept_as_one_or_not_at_all(daemon, client):
    good = client.batch([{"event_name": "many"}] * 250)
    assert good.code == "OK" and len(set(good.indexes)) == 250 and good.indexes == sorted(good.indexes)
    bad = client.batch([{"event_name": "none"}, {"event_name": "none", "severity": "x"}, {"event_name": "none", "count": 0}])
    assert bad.code == "InvalidEvent" and [error[:2] for error in bad.errors] == [(1, "severity"), (2, "count")]
    own = client.batch([{"event_name": "none"}, {"event_name": "none", "summary": b"\xff"}])
    assert own.errors[0][:2] == (1, "summary")
    assert daemon.http.events(event_name="none") == []
    assert client.batch([]).code == "InvalidArgument"
    assert client.batch([{}] * 10_001).code == "LimitExceeded"
    assert client.batch([{"description": "x" * (1 << 20)}] * 17).code == "LimitExceeded"


def test_a_key_makes_a_repeat_the_same_event_and_other_content_a_conflict(client):
    first = client.submit(idempotency_key="k1", summary="a", event_time="2026-01-01T00:00:00Z")
    again = client.submit(idempotency_key="k1", summary="a", event_time="2026-01-01T00:00:00Z")
    assert not first.duplicate and again.duplicate and again.indexes == first.indexes
    other = client.submit(idempotency_key="k1", summary="b", event_time="2026-01-01T00:00:00Z")
    assert (other.code, other.field) == ("Conflict", "idempotency_key")


def test_a_renewed_key_holds_until_it_is_renewed(client):
    event = client.event()
    renew = lambda: client.library.tocsin_event_renew_key(event.pointer)
    assert renew() == 0
    first, again = client.submit(event), client.submit(event)
    renew()
    third = client.submit(event)
    event.free()
    assert again.duplicate and again.indexes == first.indexes and third.indexes != first.indexes


def test_beats(daemon, client):
    assert client.beat("backup/nightly", interval_us=1_500_000, grace_us=200_000, scid=7, status="well", state="start", run="r1").code == "OK"
    watch = daemon.http.get("/v1/heartbeats", {"source": "backup/nightly"}).json["items"][0]
    assert (watch["scid"], watch["interval_s"], watch["grace_s"], watch["status"], watch["run"]) == (7, 1.5, 0.2, "well", "r1")
    assert client.beat("plain").code == "OK"
    assert "interval" in client.beat("plain", interval_us=5).message
    assert client.beat("plain", interval_us=5).code == "InvalidArgument"
    assert client.beat("plain", state="dancing").message.startswith("state:")
    assert client.beat("").code == "InvalidArgument"
    assert client.beat("plain", size=0).code == "InvalidArgument"
    assert client.beat("plain", size=24, interval_us=60_000_000, status="not read").code == "OK", "an older program's options"
    older = daemon.http.get("/v1/heartbeats", {"source": "plain"}).json["items"][0]
    assert (older["interval_s"], older["status"]) == (60, "")


def test_without_a_daemon_the_deadline_ends_the_wait(tmp_path):
    with Client(tmp_path / "nobody.sock") as client:
        begin = time.monotonic()
        result = client.submit(timeout_ms=400)
        assert 0.35 < time.monotonic() - begin < 5
        assert result.code == "Unavailable" and "no daemon listens" in result.message and "nobody.sock" in result.message


def test_a_slow_daemon_does_not_hold_anybody(tmp_path):
    with Daemon(folder=tmp_path) as slow, Client(slow.socket) as client:
        assert client.submit().code == "OK"
        slow.process.send_signal(signal.SIGSTOP)
        begin = time.monotonic()
        result = client.submit(event_name="late", timeout_ms=400)
        assert 0.35 < time.monotonic() - begin < 5
        assert result.code == "Timeout" and "may have been kept" in result.message
        assert client.beat("slow", timeout_ms=50).code == "Timeout"
        slow.process.send_signal(signal.SIGCONT)
        assert client.submit(event_name="next").code == "OK", "a late answer is not taken for the next call's"
        names = {e["unique_index"]: e["event_name"] for e in slow.http.events()}
        assert names[client.last().indexes[0]] == "next"


def test_a_daemon_that_comes_in_time_is_waited_for(tmp_path):
    daemon = Daemon(folder=tmp_path)
    with Client(daemon.socket) as client:
        starter = threading.Thread(target=daemon.start)
        starter.start()
        assert client.submit(timeout_ms=60_000).code == "OK"
        starter.join()
    daemon.close()


def test_negative_timeouts_are_refused(client):
    assert client.submit(timeout_ms=-1).message.startswith("timeout_ms")
    assert client.wait(-1) == "InvalidArgument"


# ---- answers that a well daemon gives seldom ----

def test_a_daemon_that_stops_is_asked_again(tmp_path):
    stopping = problem(503, "Unavailable", "Retry-After: 0", "Connection: close")
    with Scripted(tmp_path / "s", [stopping, stopping, CREATED]) as peer, Client(peer.path) as client:
        assert client.submit().indexes == [5]
        assert len(peer.requests) == 3 and len(set(peer.requests)) == 1, "the same to the byte"


def test_a_wait_beyond_the_deadline_is_said_at_once(tmp_path):
    with Scripted(tmp_path / "s", [problem(503, "Unavailable", "Retry-After: 60")]) as peer, Client(peer.path) as client:
        begin = time.monotonic()
        result = client.submit(timeout_ms=20_000)
        assert time.monotonic() - begin < 10
        assert (result.code, result.message, result.retry_after_ms) == ("Unavailable", "said Unavailable", 60_000)


@pytest.mark.parametrize("status, code", [(429, "LimitExceeded"), (413, "LimitExceeded"), (507, "StorageFull"),
                                          (403, "NotAuthorized"), (404, "NotFound")])
def test_refusals_are_told_and_not_repeated(tmp_path, status, code):
    with Scripted(tmp_path / "s", [problem(status, code, "Retry-After: 3")]) as peer, Client(peer.path) as client:
        result = client.submit()
        assert (result.code, result.message, result.retry_after_ms) == (code, f"said {code}", 3_000)
        assert len(peer.requests) == 1


def test_a_refusal_says_nothing_of_an_earlier_sending(tmp_path):
    """The first one may have been kept: "too many" then would be no truth about the event."""
    answers = [None, problem(429, "LimitExceeded", "Retry-After: 0"), CREATED]
    with Scripted(tmp_path / "s", answers) as peer, Client(peer.path) as client:
        assert client.submit().indexes == [5] and len(peer.requests) == 3


@pytest.mark.parametrize("nonsense", [
    b"220 mail.example.org ESMTP\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    http(201, "welcome"), http(201, "{}"), http(201, '{"unique_indexes":[1,2]}'), http(201, '{"unique_index":"x"}'),
    http(200, ""), http(500, "<html>"), http(302, '{"code":"Elsewhere"}'),
], ids=range(10))
def test_who_is_no_daemon_is_found_out(tmp_path, nonsense):
    with Scripted(tmp_path / "s", [nonsense]) as peer, Client(peer.path) as client:
        result = client.submit(timeout_ms=20_000)
        assert (result.code, result.indexes, len(peer.requests)) == ("Protocol", [], 1)


def test_answers_in_pieces_and_with_a_continue_are_read(tmp_path):
    class Slowly(Listener):
        def serve(self, connection):
            stream = connection.makefile("rb")
            while read_message(stream):
                for byte in b"HTTP/1.1 100 Continue\r\n\r\n" + CREATED:
                    connection.sendall(bytes([byte]))

    with Slowly(tmp_path / "s") as peer, Client(peer.path) as client:
        assert client.submit().indexes == [5] and client.submit().indexes == [5]


def test_an_answer_before_the_end_of_the_request_is_read(tmp_path):
    class Early(Listener):
        def serve(self, connection):
            connection.recv(1000)
            connection.sendall(problem(413, "LimitExceeded", "Connection: close"))
            while connection.recv(1 << 16):  # as the daemon: read and drop
                pass

    with Early(tmp_path / "s") as peer, Client(peer.path) as client:
        assert client.submit(description="x" * (8 << 20)).message == "said LimitExceeded"


def test_an_answer_is_read_where_nothing_more_can_be_sent(tmp_path):
    class Hasty(Listener):
        def serve(self, connection):
            connection.recv(1000)
            connection.sendall(problem(413, "LimitExceeded", "Connection: close"))  # and leaves at once

    with Hasty(tmp_path / "s") as peer, Client(peer.path) as client:
        assert client.submit(description="x" * (8 << 20), timeout_ms=3_000).message == "said LimitExceeded"


def test_a_peer_that_leaves_amid_a_request_raises_no_signal(tmp_path):
    class Leaving(Listener):
        def serve(self, connection):
            connection.recv(1000)

    with Leaving(tmp_path / "s") as peer:
        done = run(peer.path, "x" * 120_000, timeout_ms=500)  # more than a socket takes in at once
        assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("Timeout")


# ---- who and where ----

SUBMIT = """
import signal, sys
from libtocsin import Client
signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as in any program but Python
client = Client(sys.argv[2] if len(sys.argv) > 2 else None)
summary = sys.argv[3] * 20 if len(sys.argv) > 3 else "by another process"
print(client.submit(timeout_ms=int(sys.argv[1]), summary=summary).code, client.last().message)
client.close()
"""


def run(*words, timeout_ms=5_000, **more):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tests/support"), "LD_PRELOAD": libtocsin.PRELOAD, **more.pop("env", {})}
    return subprocess.run([sys.executable, "-c", SUBMIT, str(timeout_ms), *map(str, words)], env=env, capture_output=True, text=True, timeout=60, **more)


def test_the_environment_names_the_socket(daemon):
    assert run(env={"TOCSIN_SOCKET": str(daemon.socket)}).stdout.startswith("OK")


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
def test_who_may_not_connect_is_told_at_once(tmp_path):
    with Daemon(folder=tmp_path) as closed:
        os.chmod(closed.socket, 0o600)
        for folder in (tmp_path, *list(tmp_path.parents)[:2]):
            os.chmod(folder, 0o755)
        began = time.monotonic()
        done = run(closed.socket, timeout_ms=50_000, user=65534, group=65534, extra_groups=[])
        assert done.stdout.startswith("NotAuthorized") and "group" in done.stdout, done
        assert time.monotonic() - began < 40, "before its deadline"


def test_a_path_that_no_socket_can_have_is_refused():
    with pytest.raises(AssertionError, match="InvalidArgument"):
        Client("/" + "x" * 200)
    with pytest.raises(AssertionError, match="InvalidArgument"):
        Client("")


def test_nothing_without_an_object_ends_the_program(client):
    library = client.library
    library.tocsin_close(None)
    library.tocsin_event_free(None)
    assert library.tocsin_event_set_text(None, b"a", b"b") == -22
    assert library.tocsin_submit(None, None, 1, None) == -2
    assert library.tocsin_submit(client.pointer, None, 1, None) == -22
    assert library.tocsin_submit_batch(client.pointer, None, 5, 1, None) == -2
    assert library.tocsin_result_code(None) == -22 and library.tocsin_result_message(None)
    assert library.tocsin_open(None, None) == -2
    assert Event(library, event_src=None).pointer


def test_threads_with_a_client_each_do_not_meet(daemon):
    """Python lets go of its lock while it is in the library."""
    indexes = []

    def detector(number):
        with Client(daemon.socket) as own:
            for _ in range(40):
                assert own.start(number, event_name="threads", scid=number) == "OK"
            indexes.extend(own.submit(event_name="threads", scid=number).indexes)
            assert own.wait() == "OK"
            indexes.extend(result.indexes[0] for mark, result in own.ended if mark == number)

    threads = [threading.Thread(target=detector, args=(number,)) for number in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(set(indexes)) == 6 * 41 == len(daemon.http.events(event_name="threads"))


def test_each_code_has_its_name(client):
    from libtocsin import CODES
    assert all(client.library.tocsin_code_name(code).decode() == name for code, name in CODES.items())
    assert client.library.tocsin_code_name(77) == b"unknown"
    assert client.library.tocsin_version().decode() == (ROOT / "VERSION").read_text().strip()
