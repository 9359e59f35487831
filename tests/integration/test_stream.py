# SPDX-License-Identifier: Apache-2.0
"""Following: server-sent events that resume without gap or repeat, and D-Bus subscribers that are told what they missed."""

import pytest
from daemon import Daemon


def test_starts_at_now_and_sees_what_comes(daemon, http):
    http.submit(event_name="old", event_src="s")
    stream = daemon.stream()
    index = http.submit(event_name="new", event_src="s")
    assert stream.next()[0] == str(index)
    assert stream.retry == 2000
    stream.close()


def test_filters(daemon, http):
    stream = daemon.stream("/v1/stream?event_name=wanted&min_severity=error")
    http.submit(event_name="other", event_src="s", severity="critical")
    http.submit(event_name="wanted", event_src="s", severity="info")
    index = http.submit(event_name="wanted", event_src="s", severity="error")
    identity, kind, data = stream.next()
    assert (identity, kind, data["event_name"]) == (str(index), "event", "wanted")
    stream.close()


@pytest.mark.parametrize("way", ["after", "header"])
def test_resumes_without_gap_or_repeat(daemon, http, way):
    begin = http.submit(event_name="r", event_src="s")
    http.ndjson([{"event_name": "r", "event_src": "s", "scid": i} for i in range(3000)])
    stream = daemon.stream(f"/v1/stream?after={begin}&event_name=r" if way == "after" else "/v1/stream?event_name=r",
                           headers={} if way == "after" else {"Last-Event-ID": str(begin)})
    seen = [int(stream.next()[0]) for _ in range(1500)]
    http.ndjson([{"event_name": "r", "event_src": "s", "scid": i} for i in range(500)])
    seen += [int(stream.next()[0]) for _ in range(2000)]
    assert seen == list(range(begin + 1, begin + 3501))
    stream.close()


def test_survives_a_restart():
    daemon = Daemon()
    try:
        daemon.start()
        first = daemon.http.submit(event_name="a", event_src="s")
        daemon.restart()
        second = daemon.http.submit(event_name="b", event_src="s")
        stream = daemon.stream(f"/v1/stream?after={first}&event_src=s")
        assert int(stream.next()[0]) == second
        daemon.stop()
        with pytest.raises(EOFError):
            stream.next()
    finally:
        daemon.close()


def test_subscriber_on_the_bus(client, http):
    queue_of = client.watch("Events", "Added")
    with queue_of as queue:
        client.call("Events", "Subscribe", "a{sv}", {"event_name": ("s", "mine")})
        http.submit(event_name="other", event_src="s")
        indexes = http.post("/v1/events", [{"event_name": "mine", "event_src": "s"} for _ in range(3)]).json["unique_indexes"]
        got = []
        while len(got) < 3:
            got += [item["unique_index"][1] for item in client.next_signal(queue)[0]]
        assert got == indexes
        client.call("Events", "Subscribe", "a{sv}", {"event_name": ("s", "theirs")})
        http.submit(event_name="mine", event_src="s")
        last = http.submit(event_name="theirs", event_src="s")
        assert client.next_signal(queue)[0][0]["unique_index"][1] == last
        client.call("Events", "Unsubscribe")


def test_flooded_subscriber_is_told_what_it_missed(client, http):
    with client.watch("Events", "Added") as added, client.watch("Events", "Missed") as missed:
        client.call("Events", "Subscribe", "a{sv}", {})
        first = http.get("/v1/status").json["last_index"] + 1
        last = first - 1
        for _ in range(300):
            last = http.submit(event_name="flood", event_src="s", payload={"x": "y" * 20_000})
        lost_first, lost_last = client.next_signal(missed)
        assert first <= lost_first <= lost_last <= last
        seen = set()
        while added:
            seen |= {item["unique_index"][1] for item in added.popleft().body[0]}
        assert seen and not any(lost_first <= i <= lost_last for i in seen)
        client.call("Events", "Unsubscribe")
