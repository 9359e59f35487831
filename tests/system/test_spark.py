# SPDX-License-Identifier: Apache-2.0
"""A script runs in a unit and as a user of its own: it reports, its files come back, and nothing of the daemon's is in
reach."""

import json
import re
import signal

import pytest
from daemon import wait_until
from house import ROOT
from installation import SERVICE, commands, host_pid, http, main_pid
from processes import Process

SPY = '''#!/usr/bin/python3 -I
import ctypes, errno, json, os, signal, socket, sys
event = json.load(sys.stdin)
daemon = event["payload"]["daemon"]
found = {"uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(), "cwd": os.getcwd()}
found["status"] = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines() if ":" in line)

def attempt(name, act):
    try:
        act()
        found[name] = "done"
    except OSError as error:
        found[name] = errno.errorcode[error.errno]

def ptrace():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, daemon, 0, 0) != 0:  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), "ptrace")

for path in ("/var/lib/tocsin", "/etc/tocsin/credentials", "/run/credentials", "/run/credentials/tocsind.service",
             "/root"):
    attempt("list " + path, lambda: os.listdir(path))
for name in ("mem", "environ", "maps", "root", "fd"):
    attempt(f"proc {name}", lambda: os.stat(f"/proc/{daemon}/{name}") and open(f"/proc/{daemon}/{name}").read(1))
for path in ("/etc/x", "/usr/bin/x", "/run/tocsin/x", "/etc/tocsin/spark.d/x", "/home/x"):
    attempt("write " + path, lambda: open(path, "w"))
attempt("ptrace", ptrace)
attempt("signal", lambda: os.kill(daemon, signal.SIGTERM))
attempt("spark.sock", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect("/run/tocsin/spark.sock"))
attempt("devices", lambda: open("/dev/mem"))
found["sees the daemon"] = str(daemon) in os.listdir("/proc")
json.dump(found, open("found.json", "w"))
'''
REPORTER = """#!/bin/sh
mkdir -p pages
cat > pages/event.json
echo '<p>made</p>' > index.html
echo '{"spark_report_id": 4711, "url": "https://reports.example.org/4711"}' >&3
echo said
"""
TALKER = """#!/bin/sh
exec curl --silent --show-error --unix-socket "$TOCSIN_SOCKET" --json '{"event_name":"spoken","event_src":"script"}' \\
  http://localhost/v1/events
"""
PARENT = """#!/bin/sh
setsid sleep 86401 &
(setsid sh -c 'sleep 86402; :' &)
nohup sh -c 'trap "" TERM HUP; sleep 86403; sleep 86403' &
"""
LINGERER = PARENT + "exec sleep 86400\n"
SCRIPTS = {"spy": SPY, "reporter": REPORTER, "talker": TALKER, "parent": PARENT, "lingerer": LINGERER,
           "who": "#!/bin/sh\nid -un\n"}
SLEEPERS = "sleep 8640"


@pytest.fixture(scope="module", autouse=True)
def scripts(machine):
    for name, text in SCRIPTS.items():
        machine.write(f"/etc/tocsin/spark.d/{name}", text, 0o755)


def job_of(reader, index):
    items = reader.get("/v1/jobs", {"unique_index": index}).json["items"]
    return items[0] if items else None


def run(reader, script, **fields):
    return reader.submit(event_name="asks", event_src="test", spark_script=script, **fields)


def finished(reader, index, state="succeeded"):
    job = wait_until(lambda: (j := job_of(reader, index)) and j["state"] not in ("queued", "running") and j,
                     "the job to end", 60)
    assert job["state"] == state, (job, reader.get(f"/v1/jobs/{job['id']}/output").body)
    return job


def output(reader, job):
    return reader.get(f"/v1/jobs/{job['id']}/output").body.decode()


def product(machine, job, name):
    return machine.path(f"/var/lib/tocsin/products/{job['id']}/{name}").read_text()


def sleepers(machine):
    return [line for line in commands(machine) if line.startswith(SLEEPERS)]


@pytest.fixture()
def lingering(machine, client):
    """A job that runs on, with a family."""
    index = run(client, "lingerer")
    wait_until(lambda: len(sleepers(machine)) == 4, "the script and its children to run")
    yield index
    job = job_of(http(machine), index)
    if job["state"] in ("queued", "running"):
        assert http(machine).post(f"/v1/jobs/{job['id']}/cancel").status == 200
    wait_until(lambda: not sleepers(machine), "the script's end")


# ---- what it can do ----

def test_a_report_and_its_files_come_back(machine, client):
    index = run(client, "reporter")
    job = finished(client, index)
    event = client.get(f"/v1/events/{index}").json
    assert (event["spark_report_id"], event["spark_report_url"]) == (4711, "https://reports.example.org/4711")
    assert output(client, job) == "said\n"
    assert product(machine, job, "index.html") == "<p>made</p>\n"
    assert json.loads(product(machine, job, "pages/event.json"))["unique_index"] == index
    owner = machine.exec("stat", "-c", "%U", f"/var/lib/tocsin/products/{job['id']}/index.html").stdout.strip()
    assert owner == "tocsin"


def test_a_script_may_use_the_socket(machine, client):
    job = finished(client, run(client, "talker"))
    event = client.get(f"/v1/events/{json.loads(output(client, job))['unique_index']}").json
    assert event["event_name"] == "spoken" and event["origin"]["unit"].startswith("tocsin-spark@")


# ---- what it cannot ----

@pytest.fixture(scope="module")
def found(machine):
    machine.write("/etc/tocsin/credentials/smtp-password", "hush", 0o600)
    machine.systemctl("restart", SERVICE)
    reader, pid = http(machine), main_pid(machine)
    job = finished(reader, run(reader, "spy", payload={"daemon": pid}))
    assert main_pid(machine) == pid, "the daemon runs on"
    return json.loads(product(machine, job, "found.json"))


def test_it_is_neither_root_nor_the_daemon(machine, found):
    assert found["uid"] not in (0, int(machine.exec("id", "-u", "tocsin").stdout)) and found["gid"] != 0
    assert found["uid"] >= 61184, "a user of this run alone"
    assert int(machine.exec("id", "-g", "tocsin").stdout) in found["groups"]
    status = {name: value.strip() for name, value in found["status"].items()}
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1"


REFUSED = {"EACCES", "EPERM", "ENOENT", "EROFS", "ESRCH"}


@pytest.mark.parametrize("act", [
    "list /var/lib/tocsin", "list /etc/tocsin/credentials", "list /run/credentials",
    "list /run/credentials/tocsind.service", "list /root", "proc mem", "proc environ", "proc maps", "proc root", "proc fd",
    "write /etc/x", "write /usr/bin/x", "write /run/tocsin/x", "write /etc/tocsin/spark.d/x", "write /home/x", "ptrace",
    "signal", "spark.sock", "devices"])
def test_it_is_refused(found, act):
    assert found[act] in REFUSED, (act, found[act])


def test_it_does_not_even_see_the_daemon(found):
    assert found["sees the daemon"] is False


def test_without_the_socket_no_script_runs_as_the_daemon(machine, client):
    machine.systemctl("stop", "tocsin-spark.socket")
    try:
        job = finished(client, run(client, "who"), "failed")
        assert "tocsin-spark.socket" in job["reason"], job
    finally:
        machine.systemctl("start", "tocsin-spark.socket")
    assert output(client, finished(client, run(client, "who"))) != "tocsin\n"


# ---- how it ends ----

def test_nothing_that_it_started_outlives_it(machine, client):
    finished(client, run(client, "parent"))
    assert not sleepers(machine)
    wait_until(lambda: not instances(machine), "its unit to go")


def instances(machine):
    shown = machine.systemctl("list-units", "--all", "--plain", "--no-legend", "tocsin-spark@*").stdout
    return [line.split()[0] for line in shown.splitlines() if line.strip()]


def test_a_cancelled_job_takes_its_family_along(machine, client, lingering):
    assert client.post(f"/v1/jobs/{job_of(client, lingering)['id']}/cancel").status == 200
    finished(client, lingering, "cancelled")
    assert not sleepers(machine)


def test_a_killed_helper_takes_the_family_along(machine, client, lingering):
    unit = instances(machine)[0]
    helper = host_pid(machine, int(machine.properties(unit, "MainPID")["MainPID"]))
    Process.of(helper).signal(signal.SIGKILL)
    assert "supervisor" in finished(client, lingering, "failed")["reason"]
    wait_until(lambda: not sleepers(machine), "the whole family's end")
    wait_until(lambda: unit not in instances(machine), "its unit to go")


def test_a_killed_daemon_takes_the_family_along(machine, client, lingering):
    before = instances(machine)
    Process.of(host_pid(machine, main_pid(machine))).signal(signal.SIGKILL)
    wait_until(lambda: not set(before) & set(instances(machine)), "the unit of the lost run to go", 60)
    reader = http(machine)
    job = wait_until(lambda: (j := job_of(reader, lingering)) and j["attempt"] == 2 and j, "the next attempt", 60)
    assert job["state"] in ("queued", "running")
    wait_until(lambda: len(sleepers(machine)) == 4, "one family, and not two")


def test_a_stopped_daemon_leaves_nothing(machine, lingering):
    machine.systemctl("stop", SERVICE)
    wait_until(lambda: not sleepers(machine) and not instances(machine), "the end of the unit")
    machine.systemctl("start", SERVICE)


# ---- more for one script ----

def test_a_pair_of_units_relaxes_it_for_one_script(machine, client):
    """As the document tells it."""
    page = (ROOT / "docs/operations.md").read_text()
    steps = re.search(r"```sh\n(# nightly.*?)```", page, re.S).group(1)
    machine.write("/etc/tocsin/spark.d/nightly", "#!/bin/sh\nid -un\ntouch /srv/reports/made && echo made\n", 0o755)
    machine.exec("sh", "-euc", steps)
    assert output(client, finished(client, run(client, "nightly"))) == "reports\nmade\n"
    assert output(client, finished(client, run(client, "who"))) != "reports\n", "the others are confined as before"


# ---- limits ----

def test_limits_that_do_not_bind_are_told(machine, client):
    """In this tree the controllers are missing, and systemd says nothing about it."""
    finished(client, run(client, "who"))
    wait_until(lambda: any(reason.startswith("job-limits") for reason in client.get("/v1/status").json["degraded"]),
               "the daemon to say so")
