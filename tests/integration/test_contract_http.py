# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.json is true: every status that it promises for a route is got from the daemon, and no other is ever answered.

What each status takes is written down here by kind: some can be had of any route, the rest are named one by one. A new
route or status of the document that nobody wrote down how to get fails the last test.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import openapi
import pytest
from client import Answer, Http, UnixConnection
from daemon import Daemon, free_port, wait_until
from spark import ENDED, install, reached, safe_folder

METHODS = ("get", "post", "put", "delete")
# A full disk is in tests/unit/ipc (HttpEvents.RefusalsOfTheIntakeKeepTheirCode) and in tests/fault.
ELSEWHERE = {"507"}
EXAMPLES = {"unique_index": "1", "id": "1", "job": "1", "source": "contract", "name": "x", "day": "20260102", "path": "a.html",
            "secret": "1-0"}
CONNECTIONS_PER_UID = 64
SCRIPTS = {
    "good": 'echo "{\\"spark_report_id\\": 17}" >&3',
    "slow": "while [ ! -e NOTES/go ]; do sleep 0.05; done",
    "later": 'echo "$TOCSIN_CALLBACK" > NOTES/callback; echo \'{"pending": true}\' >&3',
}
CONFIG = """
[listen]
http = "127.0.0.1:{port}"
[jobs]
directories = ["{spark}"]
[spark]
callback_base = "http://localhost"
[[script]]
name = "later"
callback = true
[[heartbeat]]
source = "configured"
interval = "1h"
"""


def operations():
    return [(method, path, item[method]) for path, item in openapi.document()["paths"].items() for method in METHODS
            if method in item]


def target_of(path):
    for name, value in EXAMPLES.items():
        path = path.replace("{%s}" % name, value)
    assert "{" not in path, path
    return path


def later(operation):
    return "later" in operation["tags"]


class Run:
    """Remembers which (method, path, status) were answered; each answer is held against the document."""

    def __init__(self, daemon, notes):
        self.daemon, self.notes, self.seen = daemon, notes, set()

    def note(self, method, target, answer):
        openapi.check(method, target, answer)
        template, operation = openapi.find(method, target)
        assert operation is not None, (method, target)
        self.seen.add((method.lower(), template, str(answer.status)))
        return answer

    def ask(self, method, target, body=None, headers=None):
        """A connection of its own; of a stream only the head is read."""
        connection = UnixConnection(self.daemon.socket)
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, target, body=body, headers=headers)
        response = connection.getresponse()
        stream = response.status == 200 and response.getheader("Content-Length") is None and method == "GET"
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, b"" if stream else response.read())
        response.close()
        connection.close()
        return self.note(method, target, answer)

    def expect(self, status, method, target, body=None, headers=None):
        answer = self.ask(method, target, body, headers)
        assert answer.status == status, (method, target, answer)
        return answer


@pytest.fixture(scope="module")
def run():
    with safe_folder() as folder:
        spark = install(folder, SCRIPTS)
        port = free_port()
        with Daemon(folder=folder / "daemon", config=CONFIG.format(spark=spark, port=port)) as daemon:
            run = Run(daemon, folder / "notes")
            run.port = port
            yield run


@contextmanager
def held(daemon, data, count):
    """That many connections which have sent `data` and wait."""
    with ExitStack() as stack:
        peers = []
        for _ in range(count):
            peer = stack.enter_context(socket.socket(socket.AF_UNIX))
            peer.settimeout(60)
            peer.connect(str(daemon.socket))
            peer.sendall(data)
            peers.append(peer)
        yield peers


# ---- of any route ----

def test_an_unreadable_target(run):
    for method, path, _ in operations():
        run.expect(400, method.upper(), target_of(path) + "?x=%zz")


def test_what_is_not_there_yet(run):
    for method, path, operation in operations():
        if later(operation):
            answer = run.expect(503, method.upper(), target_of(path))
            assert "not available in this version" in answer.json["detail"] and "retry-after" not in answer.headers


def over_tcp(run, method, path, headers):
    connection = http.client.HTTPConnection("127.0.0.1", run.port, timeout=60)
    connection.request(method, target_of(path), headers=headers)
    response = connection.getresponse()
    answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    connection.close()
    return run.note(method, target_of(path), answer)


def test_who_comes_over_the_network_without_a_token(run):
    for method, path, _ in operations():
        if path != "/":
            answer = over_tcp(run, method.upper(), path, {})
            assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Bearer"), (method, path, answer)


def test_what_was_meant_for_another_host(run):
    for method, path, _ in operations():
        assert over_tcp(run, method.upper(), path, {"Host": "evil.example"}).status == 421, (method, path)


def test_tokens_are_made_and_forgotten(run):
    assert run.expect(201, "POST", "/v1/tokens").json["address"] == f"http://127.0.0.1:{run.port}/"
    run.expect(204, "DELETE", "/v1/tokens")


def test_a_body_that_is_too_large(run):
    for method, path, operation in operations():
        if not later(operation):
            with held(run.daemon, f"{method.upper()} {target_of(path)} HTTP/1.1\r\nHost: l\r\nContent-Length: 99999999\r\n\r\n"
                      .encode(), 1) as (peer,):
                head = peer.recv(65536)
            assert head.startswith(b"HTTP/1.1 413 "), (method, path, head)
            body = head.partition(b"\r\n\r\n")[2]
            run.note(method.upper(), target_of(path), Answer(413, {"content-type": "application/problem+json"}, body))


def test_too_many_connections(run):
    with held(run.daemon, b"", CONNECTIONS_PER_UID):
        for method, path, _ in operations():
            answer = run.expect(429, method.upper(), target_of(path))
            assert int(answer.headers["retry-after"]) >= 1
    wait_until(lambda: run.ask("GET", "/healthz").status == 200, "room again")


def test_too_many_bodies(run):
    """256 MiB are for bodies that are not whole yet; beyond, nobody may send one."""
    size = 16 * 2**20
    head = f"POST /v1/events HTTP/1.1\r\nHost: l\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode()
    # A body has room for all of it once half has come; what is sent beyond has the daemon past that when sendall returns.
    with held(run.daemon, head + b"[" + b" " * (size * 5 // 8), 16):
        wait_until(lambda: Http(run.daemon.socket).request("GET", "/healthz", b"x").status == 503, "no room for bodies")
        for method, path, operation in operations():
            if not later(operation):
                answer = run.expect(503, method.upper(), target_of(path), b"x")
                assert int(answer.headers["retry-after"]) >= 1
    wait_until(lambda: Http(run.daemon.socket).request("GET", "/healthz", b"").status == 200, "room again")


def test_strangers_get_nothing_of_any_route(run):
    if os.getuid() != 0:
        pytest.skip("only root can become a stranger")
    for folder in (run.daemon.folder.parent, run.daemon.folder, run.daemon.runtime):
        folder.chmod(0o755)
    run.daemon.socket.chmod(0o666)  # as if the group were too large: the daemon looks for itself
    try:
        program = ("import json, socket, sys\n"
                   "for method, target in json.load(sys.stdin):\n"
                   "    peer = socket.socket(socket.AF_UNIX); peer.settimeout(60); peer.connect(sys.argv[1])\n"
                   "    peer.sendall(f'{method} {target} HTTP/1.1\\r\\nHost: l\\r\\nConnection: close\\r\\n\\r\\n'.encode())\n"
                   "    print(json.dumps(b''.join(iter(lambda: peer.recv(65536), b'')).decode()))\n")
        asked = [(method.upper(), target_of(path)) for method, path, _ in operations()]
        done = subprocess.run([sys.executable, "-c", program, str(run.daemon.socket)], input=json.dumps(asked), text=True,
                              capture_output=True, user=65534, group=65534, extra_groups=[], check=True, cwd="/")
    finally:
        run.daemon.socket.chmod(0o600)
    for (method, target), text in zip(asked, map(json.loads, done.stdout.splitlines()), strict=True):
        assert text.startswith("HTTP/1.1 403 "), (method, target, text)
        body = text.partition("\r\n\r\n")[2].encode()
        run.note(method, target, Answer(403, {"content-type": "application/problem+json"}, body))


def test_other_methods_are_told_which_there_are(run):
    for path in openapi.document()["paths"]:
        fitting = [item for _, pattern, _, item in openapi.routes() if pattern.match(target_of(path))]
        methods = {method.upper() for method in METHODS for item in fitting if method in item}
        wanted = methods | ({"HEAD"} if "GET" in methods else set()) | {"OPTIONS"}
        answer = run.daemon.http.request("BREW", target_of(path), check=False)
        assert answer.status == 405 and answer.code == "NotFound", (path, answer)
        assert set(answer.headers["allow"].split(", ")) == wanted, path
        answer = run.daemon.http.request("OPTIONS", target_of(path), check=False)
        assert answer.status == 204 and set(answer.headers["allow"].split(", ")) == wanted and answer.body == b"", path


# ---- one by one ----

def test_events(run):
    event = {"event_name": "x", "event_src": "s"}
    run.expect(201, "POST", "/v1/events", event)
    keyed = {**event, "idempotency_key": "k"}
    run.expect(201, "POST", "/v1/events", keyed)
    run.expect(200, "POST", "/v1/events", keyed)
    run.expect(409, "POST", "/v1/events", {**keyed, "description": "another"})
    run.expect(422, "POST", "/v1/events", {"event_name": "x"})
    for accept in ("application/json", "application/x-ndjson", "text/csv"):
        assert run.expect(200, "GET", "/v1/events", headers={"Accept": accept}).headers["content-type"].startswith(accept)
    run.expect(200, "GET", "/v1/events/1")
    run.expect(404, "GET", "/v1/events/999999")
    run.expect(200, "GET", "/v1/stream")


def test_statistics(run):
    run.expect(200, "GET", "/v1/statistics/totals?group_by=severity")
    run.expect(200, "GET", "/v1/statistics/hourly")
    day = "/v1/statistics/histogram/x/20260102"
    for accept in ("application/json", "image/png", "image/svg+xml"):
        answer = run.expect(200, "GET", day, headers={"Accept": accept})
        assert answer.headers["content-type"] == accept
        run.expect(304, "GET", day, headers={"Accept": accept, "If-None-Match": answer.headers["etag"]})


def test_heartbeats(run):
    for state in ("", "/start", "/finish", "/fail", "/alive"):
        for method in ("GET", "POST"):
            run.expect(200, method, f"/v1/heartbeats/contract{state}?interval=1h")
    run.expect(200, "GET", "/v1/heartbeats")
    for act in ("pause", "resume", "forget"):
        run.expect(404, "POST", f"/v1/heartbeats/nobody/{act}")
        run.expect(200, "POST", f"/v1/heartbeats/contract/{act}")
    run.expect(409, "POST", "/v1/heartbeats/configured/forget")


def test_jobs(run):
    http = run.daemon.http
    run.expect(200, "GET", "/v1/scripts")
    run.expect(404, "POST", "/v1/events/999999/jobs", {"script": "good"})
    index = http.submit(event_name="x", event_src="s")
    job = run.expect(200, "POST", f"/v1/events/{index}/jobs", {"script": "good"}).json["id"]
    reached(http, index, *ENDED)
    run.expect(200, "GET", "/v1/jobs")
    for act in ("", "/output"):
        run.expect(200, "GET", f"/v1/jobs/{job}{act}")
        run.expect(404, "GET", f"/v1/jobs/999999{act}")
    for act in ("cancel", "rerun"):
        run.expect(404, "POST", f"/v1/jobs/999999/{act}")
    run.expect(409, "POST", f"/v1/jobs/{job}/cancel")
    run.expect(200, "POST", f"/v1/jobs/{job}/rerun")
    held_by = http.submit(event_name="x", event_src="s")
    slow = run.expect(200, "POST", f"/v1/events/{held_by}/jobs", {"script": "slow"}).json["id"]
    reached(http, held_by, "running")
    run.expect(409, "POST", f"/v1/jobs/{slow}/rerun")
    run.expect(200, "POST", f"/v1/jobs/{slow}/cancel")
    run.expect(200, "POST", f"/v1/events/{index}/report", {"spark_report_id": 5})
    run.expect(404, "POST", "/v1/events/999999/report", {"spark_report_id": 5})


def test_callbacks(run):
    run.expect(404, "POST", "/v1/callbacks/1-0", {"spark_id": 5})
    index = run.daemon.http.submit(event_name="x", event_src="s", spark_script="later")
    reached(run.daemon.http, index, "waiting")
    secret = (run.notes / "callback").read_text().strip().rpartition("/")[2]
    run.expect(200, "POST", f"/v1/callbacks/{secret}", {"spark_id": 5})


def test_operation(run):
    for path in ("/healthz", "/metrics", "/v1/openapi.json", "/v1/status", "/v1/retention", "/v1/config"):
        run.expect(200, "GET", path)
    run.expect(200, "POST", "/v1/reload")
    run.expect(200, "POST", "/v1/backup")
    run.daemon.http.ndjson([{"event_name": "x", "event_src": "s", "payload": {"x": "y" * 50_000}} for _ in range(100)])
    with held(run.daemon, b"POST /v1/backup HTTP/1.1\r\nHost: l\r\n\r\n", 1) as (peer,):
        assert peer.recv(9) == b"HTTP/1.1 "  # it has begun, and is larger than what a socket holds
        run.expect(409, "POST", "/v1/backup")


# ---- all of it ----

def test_nothing_else_is_promised(run):
    promised = {(method, path, status) for method, path, operation in operations() for status in operation["responses"]
                if status not in ELSEWHERE and not (status == "403" and os.getuid() != 0)}
    missing = sorted(promised - run.seen)
    assert not missing, "documented, and never answered:\n" + "\n".join(" ".join(one) for one in missing)
