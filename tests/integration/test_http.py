# SPDX-License-Identifier: Apache-2.0
"""The socket as HTTP: keep-alive, pipelining, 100-continue, limits, peers, and a document that is true."""

import os
import socket
import stat
import subprocess

from client import UnixConnection
from openapi import document


def raw(daemon, data, until=None):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(20)
        peer.connect(str(daemon.socket))
        peer.sendall(data)
        got = b""
        while until is None or not until(got):
            part = peer.recv(65536)
            if not part:
                break
            got += part
        return got


def test_socket_is_not_for_everyone(daemon):
    mode = stat.S_IMODE(os.stat(daemon.socket).st_mode)
    assert mode in (0o600, 0o660)


def test_strangers_are_refused(daemon):
    if os.getuid() != 0:
        return  # only root can become a stranger
    reach = subprocess.run(["curl", "-sS", "--unix-socket", daemon.socket, "http://localhost/v1/status"], user=65534,
                           group=65534, extra_groups=[], capture_output=True, text=True)
    assert reach.returncode != 0, reach.stdout


def test_curl_works_as_it_reads(daemon):
    done = subprocess.run(["curl", "-sS", "--unix-socket", daemon.socket, "http://localhost/v1/events"], check=True,
                          capture_output=True, text=True)
    assert '"items"' in done.stdout


def test_pipelined_requests_are_answered_in_order(daemon):
    requests = b"".join(b"GET /v1/events/%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % i for i in range(500_001, 500_021))
    got = raw(daemon, requests, lambda d: d.count(b"HTTP/1.1 404") >= 20 and d.endswith(b"}"))
    positions = [got.index(str(i).encode()) for i in range(500_001, 500_021)]
    assert positions == sorted(positions)


def test_expect_continue(daemon):
    body = b'{"event_name":"x","event_src":"y"}'
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(20)
        peer.connect(str(daemon.socket))
        peer.sendall(b"POST /v1/events HTTP/1.1\r\nHost: l\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                     b"Content-Length: %d\r\n\r\n" % len(body))
        assert peer.recv(100).startswith(b"HTTP/1.1 100")
        peer.sendall(body)
        assert b"201" in peer.recv(1000)


def test_chunked_body(daemon):
    connection = UnixConnection(daemon.socket)
    lines = (b'{"event_name":"chunked","event_src":"y"}\n' for _ in range(5))
    connection.request("POST", "/v1/events", body=lines, headers={"Content-Type": "application/x-ndjson"},
                       encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()


def test_header_too_large(daemon):
    got = raw(daemon, b"GET / HTTP/1.1\r\nHost: l\r\nX: " + b"a" * 100_000 + b"\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 4"), got[:100]


def test_garbage_is_refused_and_closed(daemon):
    got = raw(daemon, b"\x16\x03\x01 hello\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 400"), got[:100]
    assert daemon.http.get("/healthz").status == 200


def test_trailing_slash_and_head(http):
    assert http.get("/v1/status/").status == 200
    answer = http.request("HEAD", "/v1/status", check=False)
    assert answer.status == 200 and answer.body == b""


def test_the_document_is_served_and_names_every_route(http):
    assert http.get("/v1/openapi.json").json == document()
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "delete"):
                assert operation.get("summary"), (method, path)
                assert operation["responses"], (method, path)


def test_curl_unpacks_what_it_asked_for(daemon, http):
    http.ndjson([{"event_name": "packed", "event_src": "s", "scid": i} for i in range(2_000)])
    curl = ["curl", "-sS", "--unix-socket", daemon.socket, "http://localhost/v1/events?event_name=packed&limit=2000"]
    plain = subprocess.run(curl, check=True, capture_output=True).stdout
    packed = subprocess.run([*curl, "--compressed", "-w", "%{size_download}"], check=True, capture_output=True).stdout
    assert packed[:len(plain)] == plain and int(packed[len(plain):]) < len(plain) / 4


def test_curl_fetches_a_picture_once(daemon, tmp_path):
    curl = ["curl", "-sS", "--unix-socket", daemon.socket, "--etag-save", tmp_path / "tag", "--etag-compare", tmp_path / "tag",
            "-w", "%{http_code}", "-o", tmp_path / "day.png", "http://localhost/v1/statistics/histogram/x/20260102.png"]
    codes = [subprocess.run(curl, check=True, capture_output=True, text=True).stdout for _ in range(2)]
    assert codes == ["200", "304"]
