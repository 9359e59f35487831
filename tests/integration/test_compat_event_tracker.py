# SPDX-License-Identifier: Apache-2.0
"""The event tracker's clients, by the curl lines of its documents: codes inside the envelope, lists, totals, pictures."""

import datetime
import json
import threading
from html.parser import HTMLParser

import pytest
from daemon import Daemon
from older import SWITCHES, ask, curl

BASE = "http://localhost:8000"


@pytest.fixture(scope="module")
def daemon():
    with Daemon(settings=SWITCHES) as running:
        yield running


def post(daemon, path, *words):
    return json.loads(curl(daemon, "-X", "POST", BASE + path, *words).stdout)


def read(daemon, path, *words):
    return json.loads(curl(daemon, BASE + path, *words).stdout)


def taken(code):
    return {"status": True, "response": code, "error": {"internal": None, "external": None}}


def totals(daemon):
    return {row["event"]: row["count"] for (row,) in read(daemon, "/api/events/unique/")["response"]}


def today():
    return datetime.datetime.now(datetime.timezone.utc)


def test_counting_and_adding(daemon):
    assert post(daemon, "/api/events/login/") == taken(201)
    assert post(daemon, "/api/events/login") == taken(201), "counted again"
    assert post(daemon, "/api/events/login/7510") == taken(204), "a known name"
    assert post(daemon, "/api/events/backup/12") == taken(201), "a new one"
    assert post(daemon, "/api/events/backup/5/") == taken(204)
    seen = totals(daemon)
    assert (seen["login"], seen["backup"]) == (7512, 17)
    refused = post(daemon, "/api/events/never-seen/0")
    assert (refused["status"], refused["response"]) == (False, 404) and "never counted" in refused["error"]["external"]
    refused = post(daemon, "/api/events/" + "x" * 256)
    assert (refused["status"], refused["response"]) == (False, 403) and refused["error"]["internal"] == "InvalidEvent"
    assert not any(name.startswith("daemon.") for name in totals(daemon)), "the daemon's own events are no counters"


def test_names_with_slashes(daemon):
    assert post(daemon, "/api/events/resource%2F209") == taken(201)
    assert post(daemon, "/api/events/resource/209/236") == taken(204), "the last number is how many"
    assert post(daemon, "/api/events/resource/209") == taken(201), "of a new name: resource"
    seen = totals(daemon)
    assert (seen["resource/209"], seen["resource"]) == (237, 209)


def test_a_description_in_a_form(daemon):
    assert post(daemon, "/api/events/described/", "-d", "desc=who came") == taken(201)
    assert post(daemon, "/api/events/described/", "-F", "desc=who went") == taken(201)
    events = daemon.http.events(event_name="described", event_src="event_tracker", order="index")
    assert [event["description"] for event in events] == ["who came", "who went"]


def test_the_list_has_real_hours(daemon):
    events = [("2020-09-11T12:05:00Z", 5), ("2020-09-11T12:59:59Z", 7), ("2020-09-11T13:00:00Z", 2000),
              ("2020-09-12T23:59:59Z", 5400), ("2020-09-13T00:00:00Z", 1), ("2020-09-11T11:59:59Z", 1)]
    for time, count in events:
        daemon.http.submit(event_name="old/login", event_src="s", event_time=time, count=count)
    for slash in ("", "/"):
        listed = read(daemon, f"/api/events{slash}?start_date=2020091112&end_date=20200912")
        assert listed["status"] is True
        assert listed["response"] == [[{"date": "2020091112", "event": "old/login", "count": 12}],
                                      [{"date": "2020091113", "event": "old/login", "count": 2000}],
                                      [{"date": "2020091223", "event": "old/login", "count": 5400}]]
    wrong = read(daemon, "/api/events?start_date=2020091212&end_date=20200911")
    assert wrong == {"status": False, "response": None,
                     "error": {"internal": "start_date is higher than end_date", "external": "Back to the future?"}}
    counts = read(daemon, "/api/events/histogram/json/old/login/20200911/")
    assert counts["chart_labels"] == list(range(24)) and len(counts["chart_colors"]) == 24
    assert counts["chart_events"] == [0] * 11 + [1, 12, 2000] + [0] * 10, "amounts, not requests"
    assert counts["response"] == {k: counts[k] for k in ("chart_labels", "chart_events", "chart_colors")}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.fetched = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.fetched += [v for k, v in attributes if k in ("src", "href") and v and not v.startswith("#")]

    def handle_data(self, data):
        self.text += data


def test_the_histogram_is_a_page_and_the_promised_pictures(daemon):
    day = today().strftime("%Y%m%d")
    post(daemon, "/api/events/chart%3Cscript%3E/41")
    path = f"/api/events/histogram/chart%3Cscript%3E/{day}"
    for target in (path, path + "/"):
        answer = ask(daemon, "GET", target, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
        page = Page(answer.body.decode())
        assert "svg" in page.tags and "script" not in page.tags and not page.fetched, "whole in itself"
        assert "chart<script>" in page.text and "41" in page.text
    for suffix, accept, kind, magic in [(".png", "*/*", "image/png", b"\x89PNG"), (".jpg", "*/*", "image/jpeg", b"\xff\xd8\xff"),
                                        ("", "image/png", "image/png", b"\x89PNG"),
                                        ("", "image/jpeg", "image/jpeg", b"\xff\xd8\xff")]:
        answer = ask(daemon, "GET", path + suffix, headers={"Accept": accept})
        assert (answer.status, answer.headers["content-type"]) == (200, kind)
        assert answer.body.startswith(magic) and len(answer.body) > 2_000
    assert answer.body.endswith(b"\xff\xd9"), "a whole JPEG"
    assert ask(daemon, "GET", "/api/events/histogram/login/2020").status == 400


def test_nothing_is_lost_when_many_count_at_once(daemon):
    def count():
        for _ in range(25):
            assert ask(daemon, "POST", "/api/events/crowd/2").json["status"] is True

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert totals(daemon)["crowd"] == 400


def test_counts_survive_a_kill(daemon):
    before = totals(daemon)
    daemon.kill()
    daemon.start()
    assert totals(daemon) == before
