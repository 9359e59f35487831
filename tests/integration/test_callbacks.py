# SPDX-License-Identifier: Apache-2.0
"""Reports that come later, by the secret address of a run: who gets one, what it is good for, what it never tells."""

import json

import pytest
from daemon import Daemon, wait_until
from spark import ENDED, install, job_of, reached, safe_folder

SCRIPTS = {
    "later": 'echo "$TOCSIN_CALLBACK" > NOTES/$TOCSIN_EVENT_INDEX; echo \'{"pending": true}\' >&3',
    "slow": 'echo "$TOCSIN_CALLBACK" > NOTES/$TOCSIN_EVENT_INDEX; while [ ! -e NOTES/go ]; do :; done',
    "without": 'echo "[$TOCSIN_CALLBACK]"; env | grep -c ^TOCSIN_CALLBACK=',
}
CONFIG = """
[jobs]
directories = ["{spark}"]
callback_timeout = "{timeout}"
[spark]
callback_base = "http://tocsin.example.org:7878/"
[[script]]
name = "later"
callback = true
[[script]]
name = "slow"
callback = true
"""


@pytest.fixture(scope="module")
def site():
    with safe_folder() as folder:
        spark = install(folder, SCRIPTS)
        with Daemon(folder=folder / "daemon", config=CONFIG.format(spark=spark, timeout="10m")) as daemon:
            yield daemon, folder / "notes"


@pytest.fixture()
def http(site):
    return site[0].http


def submit(http, script):
    return http.submit(event_name="e", event_src="s", spark_script=script)


def secret_of(notes, index):
    address = wait_until(lambda: (notes / str(index)).exists() and (notes / str(index)).read_text().strip(), "the address")
    base, _, secret = address.rpartition("/")
    assert base == "http://tocsin.example.org:7878/v1/callbacks"
    assert len(secret.split("-")[1]) == 64, "256 bits"
    return secret


def test_a_callback_ends_the_job_once(site, http):
    index = submit(http, "later")
    reached(http, index, "waiting")
    secret = secret_of(site[1], index)
    answer = http.post(f"/v1/callbacks/{secret}", {"spark_report_id": 17, "url": "http://x/17"})
    assert answer.status == 200 and answer.json["state"] == "succeeded", answer
    event = http.get(f"/v1/events/{index}").json
    assert (event["spark_report_id"], event["spark_report_url"]) == (17, "http://x/17")
    again = http.post(f"/v1/callbacks/{secret}", {"spark_report_id": 18})
    assert (again.status, again.code) == (404, "NotFound")
    assert http.get(f"/v1/events/{index}").json["spark_report_id"] == 17


def test_the_words_of_the_older_server(site, http):
    index = submit(http, "later")
    reached(http, index, "waiting")
    answer = http.post(f"/v1/callbacks/{secret_of(site[1], index)}", {"job_id": index, "url": "http://y", "spark_id": 9})
    assert answer.status == 200, answer
    assert job_of(http, index)["report_id"] == 9


def test_a_callback_during_the_run_is_kept(site, http):
    index = submit(http, "slow")
    secret = secret_of(site[1], index)
    answer = http.post(f"/v1/callbacks/{secret}", {"spark_report_id": 5})
    assert answer.status == 200 and answer.json["state"] == "running", answer
    assert http.get(f"/v1/events/{index}").json["spark_report_id"] == 5
    (site[1] / "go").touch()
    assert reached(http, index, *ENDED)["report_id"] == 5


def test_scripts_without_the_switch_get_none(site, http):
    job = reached(http, submit(http, "without"), *ENDED)
    assert http.get(f"/v1/jobs/{job['id']}/output").body == b"[]\n0\n"


def test_wrong_ones_all_get_the_same_answer(site, http):
    index = submit(http, "later")
    reached(http, index, "waiting")
    secret = secret_of(site[1], index)
    wrong = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    unknown = "999999-" + secret.split("-")[1]
    answers = [http.post(f"/v1/callbacks/{s}", {"spark_report_id": 1}) for s in (wrong, unknown, "x", "%2e%2e", "1-")]
    assert {(a.status, a.json["detail"]) for a in answers} == {(404, answers[0].json["detail"])}
    assert job_of(http, index)["state"] == "waiting"
    assert http.post(f"/v1/callbacks/{secret}", {"spark_report_id": -1}).status == 400
    assert http.post(f"/v1/callbacks/{secret}", {"spark_report_id": 1}).status == 200, "a bad body costs nothing"


def test_the_secret_is_told_to_nobody(site, http):
    daemon, notes = site
    index = submit(http, "later")
    job = reached(http, index, "waiting")
    digits = secret_of(notes, index).split("-")[1]
    http.post(f"/v1/callbacks/{job['id']}-{digits[:-1]}", {"spark_report_id": 1})
    texts = [json.dumps(http.events()), json.dumps(http.get("/v1/jobs").json), json.dumps(http.get(f"/v1/jobs/{job['id']}").json),
             http.get("/metrics").body.decode(), daemon.output(), daemon.ctl("jobs").stdout, daemon.ctl("jobs", "show", job["id"]).stdout]
    assert not [t for t in texts if digits[:16] in t]


def test_waiting_and_its_end_survive_a_restart():
    with safe_folder() as folder:
        spark = install(folder, SCRIPTS)
        daemon = Daemon(folder=folder / "daemon", config=CONFIG.format(spark=spark, timeout="10m"))
        try:
            daemon.start()
            first, second = submit(daemon.http, "later"), submit(daemon.http, "later")
            for index in (first, second):
                reached(daemon.http, index, "waiting")
            daemon.kill()
            daemon.start()
            assert daemon.http.post(f"/v1/callbacks/{secret_of(folder / 'notes', first)}", {"spark_report_id": 3}).status == 200
            assert job_of(daemon.http, second)["state"] == "waiting"
            assert daemon.stop() == 0
            daemon.config_file.write_text(CONFIG.format(spark=spark, timeout="1s"))
            daemon.start()
            third = submit(daemon.http, "later")
            job = reached(daemon.http, third, "failed")
            assert job["reason"] == "no report came within 1s"
            assert job_of(daemon.http, second)["state"] == "waiting", "its own time counts: it was promised 10 minutes"
            secret = secret_of(folder / "notes", third)
            assert daemon.http.post(f"/v1/callbacks/{secret}", {"spark_report_id": 3}).status == 404
            assert daemon.http.get(f"/v1/events/{third}").json["spark_report_id"] == -1
        finally:
            daemon.close()
