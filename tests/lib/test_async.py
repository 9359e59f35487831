# SPDX-License-Identifier: Apache-2.0
"""Asynchronous calls: what is started is kept once, whatever becomes of the daemon meanwhile; what is too much is refused."""

import os
import select
import signal
import time

import pytest
from daemon import Daemon
from libtocsin import Client
from peers import Interceptor


@pytest.fixture()
def own(tmp_path):
    daemon = Daemon(folder=tmp_path)
    daemon.start()
    yield daemon
    daemon.close()


def kept(daemon, name="probe"):
    return sorted(e["payload"]["n"] for e in daemon.http.events(event_name=name))


def turn(client, timeout_s=1.0):
    """One turn of a loop as a detector has it."""
    select.select([client.fd()], [], [], timeout_s)
    return client.process()


def test_a_hundred_are_in_flight_and_no_more(own):
    with Client(own.socket) as client:
        own.process.send_signal(signal.SIGSTOP)
        assert [client.start(n, payload={"n": n}) for n in range(100)] == ["OK"] * 100
        assert client.in_flight() == 100
        assert client.start(100, payload={"n": 100}) == "Again"
        assert client.last().code == "Again" and "100" in client.last().message
        assert client.submit(payload={"n": 101}).code == "Again"
        own.process.send_signal(signal.SIGCONT)
        while client.in_flight() == 100:
            turn(client)
        assert client.start(102, payload={"n": 102}) == "OK", "there is room again"
        assert client.wait() == "OK" and client.in_flight() == 0
    assert {result.code for _, result in client.ended} == {"OK"}
    assert sorted(mark for mark, _ in client.ended) == [*range(100), 102] == kept(own)
    assert len({result.indexes[0] for _, result in client.ended}) == 101


def test_bytes_in_flight_are_bounded(own):
    with Client(own.socket) as client:
        own.process.send_signal(signal.SIGSTOP)
        big = "x" * (15 << 20)
        started = [client.start(n, description=big) for n in range(6)]
        assert started == ["OK"] * 4 + ["Again"] * 2 and "64 MiB" in client.last().message
        own.process.send_signal(signal.SIGCONT)
        assert client.wait() == "OK"
    assert {result.code for _, result in client.ended} == {"InvalidEvent"}


def test_the_descriptor_tells_and_is_quiet_otherwise(own):
    with Client(own.socket) as client:
        quiet = lambda: select.select([client.fd()], [], [], 0.05)[0] == []
        assert quiet()
        client.start("one", payload={"n": 1})
        while not client.ended:
            assert select.select([client.fd()], [], [], 10)[0], "an answer wakes"
            client.process()
        assert quiet(), "nothing under way: nobody is woken"
        own.process.send_signal(signal.SIGSTOP)
        begin = time.monotonic()
        client.start("late", timeout_ms=150, payload={"n": 2})
        assert select.select([client.fd()], [], [], 10)[0], "a deadline wakes"
        while len(client.ended) < 2:
            turn(client)
        assert 0.14 < time.monotonic() - begin < 10
        own.process.send_signal(signal.SIGCONT)
        assert client.ended[1][1].code == "Timeout"


def test_an_answer_that_gets_lost_is_asked_for_again(own, tmp_path):
    """The daemon has kept the event and the answer never comes: sent again, it is the same event."""
    with Interceptor(tmp_path / "between", own.socket, lose=2) as between, Client(between.path) as client:
        result = client.submit(payload={"n": 1})
        assert between.lost == 2, "the test needs answers that were lost"
        assert result.code == "OK" and result.duplicate
        between.lose = between.lost + 1
        batch = client.batch([{"payload": {"n": 2}}, {"payload": {"n": 3}}])
        assert batch.code == "OK" and len(set(batch.indexes)) == 2
        for n in range(4, 54):
            between.lose = between.lost + 4
            assert client.start(n, payload={"n": n}) == "OK"
        assert client.wait() == "OK" and between.lost > 6
    assert kept(own) == list(range(1, 54))
    assert {result.code for _, result in client.ended} == {"OK"}


def test_killed_after_it_kept_and_before_it_answered(own, tmp_path):
    """Sent again to the daemon's successor, which knows the event from disk."""

    def die():
        own.kill()
        own.start()

    with Interceptor(tmp_path / "between", own.socket, lose=1, on_loss=die) as between, Client(between.path) as client:
        result = client.submit(payload={"n": 1}, timeout_ms=60_000)
        assert between.lost == 1 and result.code == "OK" and result.duplicate
        between.lose = 2
        batch = client.batch([{"payload": {"n": 2}}, {"payload": {"n": 3}}], timeout_ms=60_000)
        assert between.lost == 2 and batch.code == "OK" and len(batch.indexes) == 2
    assert kept(own) == [1, 2, 3]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_restarts_lose_nothing_and_double_nothing(own, how):
    total, rounds = 600, 4
    with Client(own.socket) as client:
        begun = 0
        for round_number in range(rounds):
            end = (round_number + 1) * total // rounds
            while begun < end - 60:
                if client.start(begun, timeout_ms=120_000, payload={"n": begun}) == "OK":
                    begun += 1
                else:
                    turn(client)
            assert client.in_flight() > 0, "the test needs calls under way"
            getattr(own, how)()
            while begun < end and client.start(begun, timeout_ms=120_000, payload={"n": begun}) == "OK":
                begun += 1
            client.process()
            own.start()
        assert begun >= total - 60 and client.wait(120_000) == "OK"
    assert {result.code for _, result in client.ended} == {"OK"}
    assert kept(own) == list(range(begun))
    by_index = {e["unique_index"]: e["payload"]["n"] for e in own.http.events(event_name="probe")}
    assert {result.indexes[0]: mark for mark, result in client.ended} == by_index


def test_killed_while_it_holds_requests(own):
    """Requests are in the socket of a process that never reads them again."""
    with Client(own.socket) as client:
        assert client.submit(payload={"n": 0}).code == "OK"
        own.process.send_signal(signal.SIGSTOP)
        for n in range(1, 51):
            assert client.start(n, timeout_ms=60_000, payload={"n": n}) == "OK"
        client.process()
        own.kill()
        own.start()
        assert client.wait() == "OK"
    assert kept(own) == list(range(51))
    assert {result.code for _, result in client.ended} == {"OK"}


def test_callbacks_may_start_and_may_not_wait(own):
    with Client(own.socket) as client:
        seen = []

        def on_end():
            seen.append(client.submit(payload={"n": 1}).code)
            seen.append(client.wait())
            seen.append(client.start("second", payload={"n": 2}))

        client.start("first", payload={"n": 0}, on_end=on_end)
        while len(client.ended) < 2:
            turn(client)
        assert seen == ["InvalidArgument", "InvalidArgument", "OK"]
    assert kept(own) == [0, 2]


def test_close_says_what_becomes_of_calls(own):
    own.process.send_signal(signal.SIGSTOP)
    client = Client(own.socket)
    for n in range(10):
        client.start(n, payload={"n": n})
    client.close()
    assert [result.code for _, result in client.ended] == ["Cancelled"] * 10
    own.process.send_signal(signal.SIGCONT)


def test_close_in_a_callback_waits_for_its_end(own):
    client = Client(own.socket)
    pointer = client.pointer

    def on_end():
        client.library.tocsin_close(pointer)
        assert client.start("after", payload={"n": 9}) == "InvalidArgument"

    client.start("first", payload={"n": 0}, on_end=on_end)
    for n in range(1, 5):
        client.start(n, payload={"n": n})
    while not client.ended:
        turn(client)
    assert len(client.ended) == 5, "the others had their answers or their cancellation"
    client.pointer = None


def test_a_child_is_told_that_the_client_is_not_its_own(own):
    with Client(own.socket) as client:
        assert client.submit(payload={"n": 0}).code == "OK"
        client.start(1, payload={"n": 1})
        child = os.fork()  # the tests' own process: exactly what a detector may do
        if child == 0:
            codes = [client.submit(payload={"n": 7}).code, client.start(8, payload={"n": 8}), client.fd(), client.process()]
            client.close()
            os._exit(0 if codes == ["Forked", "Forked", -23, -23] and not client.ended else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert client.wait() == "OK" and client.submit(payload={"n": 2}).code == "OK"
    assert kept(own) == [0, 1, 2]
