# SPDX-License-Identifier: Apache-2.0
"""export and import: what goes out comes back, once."""

import csv
import io
import json
import os

import pytest
from daemon import Daemon

DAEMONS = ("unique_index", "received_time", "host", "host_index", "origin", "cause", "cause_depth", "spark_report_id",
           "spark_report_url")


def rich(i):
    event = {"event_name": f"name-{i % 5}", "event_src": f"src {i % 3}", "event_time": f"2026-01-02T03:04:{i % 60:02}.{i:06}Z",
             "scid": i - 7, "count": 1 + i % 4, "severity": ("info", "warning", "error", "critical")[i % 4]}
    if i % 2:
        event["payload"] = {"n": i, "f": 1.25e-7, "big": 2**63 - 1, "list": [1, None, {"a": "ü\n\"q\",;"}], "t": "x" * (i % 90)}
    if i % 3 == 0:
        event.update(description=f"line one\nline two, \"quoted\" {i}", summary="  spaces and ☃ ", environment="aws")
    if i % 4 == 0:
        event.update(event_rule_id=-i, event_rule="a > 1, b < 2", gem_full_path="/data/é.gem")
    if i % 5 == 0:
        event["idempotency_key"] = f"key-{i}"
    if i % 6 == 0:
        event.update(event_type="dataset", event_id="set-1")
    return event


def kept(line):
    """What a sender says; a key that the import made is no part of it."""
    event = {k: v for k, v in json.loads(line).items() if k not in DAEMONS}
    if event.get("idempotency_key", "").startswith("import-"):
        del event["idempotency_key"]
    return json.dumps(event)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    with Daemon(folder=tmp_path_factory.mktemp("source")) as daemon:
        answer = daemon.http.ndjson([rich(i) for i in range(400)])
        assert answer.status == 201, answer
        # Two that only their index tells apart.
        for _ in range(2):
            daemon.http.submit(event_name="twin", event_src="s", event_time="2026-01-02T03:04:05Z")
        yield daemon


@pytest.fixture()
def target(tmp_path):
    with Daemon(folder=tmp_path / "target") as daemon:
        yield daemon


def exported(daemon, *words):
    return daemon.ctl("export", *words).stdout.splitlines()


def test_ndjson_there_and_back_and_again(source, target, tmp_path):
    lines = exported(source)
    indexes = [json.loads(line)["unique_index"] for line in lines]
    assert indexes == sorted(indexes) and len(indexes) == source.http.get("/v1/status").json["event_count"]
    file = tmp_path / "all.ndjson"
    told = source.ctl("export", file).stdout
    assert str(file) in told and file.read_text().splitlines() == lines
    first = target.ctl("import", file)
    assert "402 events kept" in first.stdout and "daemon's own left out" in first.stdout
    back = exported(target, "--where", 'event_src != "tocsin"')
    assert [kept(line) for line in back] == [kept(line) for line in lines if json.loads(line)["event_src"] != "tocsin"]
    again = json.loads(target.ctl("import", file, "--json").stdout)
    assert again["duplicates"] == 402
    assert len(exported(target, "--where", 'event_src != "tocsin"')) == 402
    # What came back goes out as it came: a second generation is the same, and is known as well.
    (tmp_path / "second.ndjson").write_text("\n".join(back) + "\n")
    assert json.loads(target.ctl("import", tmp_path / "second.ndjson", "--json").stdout)["duplicates"] == 402


def test_without_keys_the_bytes_are_the_same(source, target):
    lines = [line for line in exported(source) if json.loads(line)["event_src"] != "tocsin"]
    target.ctl("import", "--no-keys", "-", input="\n".join(lines))
    back = exported(target, "--where", 'event_src != "tocsin"')
    plain = lambda line: json.dumps({k: v for k, v in json.loads(line).items() if k not in DAEMONS})  # noqa: E731
    assert [plain(line) for line in back] == [plain(line) for line in lines]


def test_csv_there_and_back(source, target, tmp_path):
    file = tmp_path / "all.csv"
    source.ctl("export", "--src", "src 0", "--src", "src 1", "--src", "src 2", file)
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline="")))
    assert len(rows) == 400 and json.loads(rows[1]["payload"])["n"] == 1
    assert "400 events kept" in target.ctl("import", file).stdout
    lines = exported(source, "--src", "src 0", "--src", "src 1", "--src", "src 2")
    assert [kept(line) for line in exported(target, "--where", 'event_src != "tocsin"')] == [kept(line) for line in lines]
    assert json.loads(target.ctl("import", file, "--json").stdout)["duplicates"] == 400


def test_the_filters_of_query(source):
    assert all(json.loads(line)["severity"] == "critical" for line in exported(source, "--severity", "critical"))
    wanted = source.http.events(event_name="name-1", scid=[-6, -1], order="index")
    found = [json.loads(line) for line in exported(source, "--name", "name-1", "--scid", "-6", "--scid", "-1")]
    assert found == wanted and len(found) == 2
    assert source.ctl("export", "--format", "csv", "--name", "none").stdout.startswith("unique_index,")


def test_files_are_whole_and_never_overwritten(source, tmp_path):
    (tmp_path / "there").write_text("precious")
    done = source.ctl("export", tmp_path / "there", check=False)
    assert done.returncode == 8 and (tmp_path / "there").read_text() == "precious"
    done = source.ctl("export", "--name", "x", "--order", "no-such-order", tmp_path / "new", check=False)
    assert done.returncode == 2 and os.listdir(tmp_path) == ["there"]


def test_a_wrong_line_is_named_and_the_rest_can_follow(target, tmp_path):
    good = '{"event_name":"a","event_src":"s","unique_index":%d}'
    file = tmp_path / "wrong.ndjson"
    file.write_text("\n".join([good % 1, '{"unique_index":2,"event_src":"tocsin","event_name":"daemon.started"}', good % 3,
                               '{"event_name":"a","event_src":"s","severity":"loud"}']) + "\n")
    done = target.ctl("import", file, check=False)
    assert done.returncode == 1 and "line 4" in done.stderr and "severity" in done.stderr
    file.write_text(file.read_text().replace('"loud"', '"error"'))
    assert "3 events kept" in target.ctl("import", file).stdout
    broken = tmp_path / "broken.csv"
    broken.write_text('event_name,event_src,description\na,s,"two\nlines"\nb,s\n')
    done = target.ctl("import", broken, check=False)
    assert done.returncode == 2 and "line 4" in done.stderr and "columns" in done.stderr


def test_scripts_can_be_left_out(target):
    line = '{"event_name":"s","event_src":"s","spark_script":"report","unique_index":9}\n'
    target.ctl("import", "--no-scripts", "-", input=line)
    assert "spark_script" not in target.http.events(event_name="s")[0]
    assert not target.http.get("/v1/jobs").json["items"]
