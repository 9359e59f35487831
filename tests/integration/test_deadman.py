# SPDX-License-Identifier: Apache-2.0
"""The dead man's switch: somebody else hears the daemon's beats, notices their end, and a deaf receiver is told."""

import http.server
import threading

import pytest
from daemon import Daemon, wait_until


class Receiver:
    """A small ping service; refuse() makes it answer 500, close() takes it away, open() brings it back."""

    def __init__(self):
        self.beats, self.status, self.port = [], 200, 0
        self.open()

    def open(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                receiver.beats.append((self.path, self.headers.get("User-Agent")))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def url(self, name):
        return f"http://127.0.0.1:{self.port}/ping/{name}"


@pytest.fixture()
def receiver():
    made = Receiver()
    yield made
    made.close()


def config(url):
    return f"[deadman]\nurl = '{url}'\ninterval = '1s'\n"


def reasons(daemon):
    answer = daemon.http.get("/healthz")
    return [] if answer.status == 200 else answer.json["reasons"]


def test_beats_arrive_until_the_url_changes_or_goes(tmp_path, receiver):
    daemon = Daemon(folder=tmp_path / "d", config=config(receiver.url("one")), environment={"no_proxy": "127.0.0.1"})
    with daemon:
        wait_until(lambda: len(receiver.beats) >= 2, "two beats")
        path, agent = receiver.beats[0]
        assert path == "/ping/one" and agent.startswith("tocsind/")
        daemon.config_file.write_text(config(receiver.url("two")))
        assert daemon.http.post("/v1/reload").status == 200
        wait_until(lambda: receiver.beats[-1][0] == "/ping/two", "a beat to the other URL")
        daemon.config_file.write_text("")
        assert daemon.http.post("/v1/reload").status == 200
        assert reasons(daemon) == []
    assert "dead man" not in daemon.output()


def test_a_receiver_that_is_down_is_told_and_its_return_too(tmp_path, receiver):
    daemon = Daemon(folder=tmp_path / "d", config=config(receiver.url("secret")), environment={"no_proxy": "127.0.0.1"})
    with daemon:
        wait_until(lambda: receiver.beats, "the first beat")
        receiver.close()
        try:
            told = wait_until(lambda: [r for r in reasons(daemon) if r.startswith("deadman")], "the reason")
            assert "in a row" in told[0] and "secret" not in told[0], told
        finally:
            receiver.open()
        wait_until(lambda: reasons(daemon) == [], "all to be well again")
        receiver.status = 500
        assert "500" in wait_until(lambda: reasons(daemon), "the reason")[0]
        names = [e["event_name"] for e in daemon.http.events(event_src="tocsin", order="index")]
        assert names.count("daemon.restored") == 1 and names.count("daemon.degraded") >= 1
    assert daemon.output().count("a beat did not reach") == 2, "once per change"


@pytest.mark.parametrize("url", ["ftp://example.org/", "example.org/ping", "http://", "https:///x", "http://a b/"])
def test_only_urls_of_http_are_taken(tmp_path, url):
    daemon = Daemon(folder=tmp_path / "d", config=config(url))
    daemon.spawn()
    assert daemon.wait() == 2
    assert "deadman.url" in daemon.output()
    daemon.close()
