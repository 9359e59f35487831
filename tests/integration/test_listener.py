# SPDX-License-Identifier: Apache-2.0
"""[listen] http: the same interface for a browser, behind a token of `tocsinctl dashboard`."""

import http.client
import json
import socket
import subprocess

import pytest
from daemon import Daemon, free_port, wait_until
from house import tool


@pytest.fixture(scope="module")
def listening():
    port = free_port()
    with Daemon(settings=[f"listen.http=127.0.0.1:{port}"]) as daemon:
        daemon.port = port
        yield daemon


def tocsinctl(daemon, *words):
    return subprocess.run([str(tool("tocsinctl")), "--socket", str(daemon.socket), *words], capture_output=True, text=True,
                          timeout=60)


def link(daemon):
    done = tocsinctl(daemon, "dashboard", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ask(daemon, method, target, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
    connection.request(method, target, body=body, headers=headers)
    response = connection.getresponse()
    answer = (response.status, response.read())
    connection.close()
    return answer


def bearer(daemon):
    return {"Authorization": "Bearer " + link(daemon)["token"]}


def test_a_link_opens_it(listening):
    done = tocsinctl(listening, "dashboard")
    assert done.returncode == 0 and "show it to nobody" in done.stderr
    address, _, token = done.stdout.strip().partition("#token=")
    assert address == f"http://127.0.0.1:{listening.port}/"
    curl = subprocess.run(["curl", "-sS", "-H", f"Authorization: Bearer {token}", address + "v1/status"], check=True,
                          capture_output=True)
    assert json.loads(curl.stdout)["store_id"]
    assert ask(listening, "GET", "/v1/status")[0] == 401


def test_events_over_it_have_their_makers_origin(listening):
    headers = bearer(listening)
    status, body = ask(listening, "POST", "/v1/events", '{"event_name":"browser.says","event_src":"page"}', **headers,
                       **{"Content-Type": "application/json"})
    assert status == 201, body
    origin = json.loads(ask(listening, "GET", f"/v1/events/{json.loads(body)['unique_index']}", **headers)[1])["origin"]
    assert origin["transport"] == "http" and origin["uid"] == 0 and "pid" not in origin, origin


def test_a_stream_follows_over_it(listening):
    connection = http.client.HTTPConnection("127.0.0.1", listening.port, timeout=60)
    connection.request("GET", "/v1/stream?event_name=followed", headers=bearer(listening))
    response = connection.getresponse()
    assert response.status == 200
    listening.http.post("/v1/events", {"event_name": "followed", "event_src": "s"})
    lines = iter(response.readline, b"")
    assert any(b'"event_name":"followed"' in line for line in lines)
    connection.close()


def test_forgotten_links_are_useless(listening):
    headers = bearer(listening)
    assert ask(listening, "GET", "/v1/status", **headers)[0] == 200
    assert tocsinctl(listening, "dashboard", "--forget").stdout == "Your links are forgotten.\n"
    assert ask(listening, "GET", "/v1/status", **headers)[0] == 401


def test_no_token_outlives_the_daemon_and_none_is_logged(tmp_path):
    port = free_port()
    with Daemon(folder=tmp_path, settings=[f"listen.http=127.0.0.1:{port}", "daemon.log_level=trace"]) as daemon:
        daemon.port = port
        token = link(daemon)["token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert ask(daemon, "GET", "/v1/status", **headers)[0] == 200
        daemon.stop()
        daemon.start()
        assert ask(daemon, "GET", "/v1/status", **headers)[0] == 401
        assert token not in daemon.output()


def test_without_a_listener_the_verb_says_what_to_do(daemon):
    done = tocsinctl(daemon, "dashboard")
    assert done.returncode == 5 and "listen.http" in done.stderr and "127.0.0.1:7878" in done.stderr, done.stderr


def test_an_address_that_is_taken_is_said_and_tried_again(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with Daemon(folder=tmp_path, settings=[f"listen.http=127.0.0.1:{port}"]) as daemon:
            answer = daemon.http.get("/healthz")
            assert answer.status == 503 and "listen.http" in answer.json["reasons"][0], answer
            other.close()
            wait_until(lambda: daemon.http.get("/healthz").status == 200, "the listener", 60)
            daemon.port = port
            assert ask(daemon, "GET", "/v1/status", **bearer(daemon))[0] == 200


def test_a_member_of_the_machine_without_a_token_cannot_fill_it(listening):
    """Connections over TCP have a share of their own: those of the Unix socket go on."""
    idle = []
    try:
        for _ in range(120):
            one = socket.create_connection(("127.0.0.1", listening.port), timeout=60)
            idle.append(one)
        assert listening.http.get("/v1/status").status == 200
    finally:
        for one in idle:
            one.close()


def test_the_configuration_is_shown_with_its_origins(listening):
    shown = tocsinctl(listening, "config", "show", "listen", "--origin")
    assert f"127.0.0.1:{listening.port}" in shown.stdout and "--set" in shown.stdout, shown
