# SPDX-License-Identifier: Apache-2.0
"""Sets the daemon beside raw LMDB and bare echoes in interleaved rounds of one run, and prints medians and ratios."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from bus import PrivateBus  # noqa: E402
from daemon import Daemon  # noqa: E402
from house import BUILD  # noqa: E402

NAME, ECHO = "org.tocsin.EventManager1", "org.tocsin.Echo"


def program(name):
    return str(BUILD / "bench" / f"bench_{name}")


def rate(*words, env=None):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, env={**os.environ, **(env or {})})
    if done.returncode != 0 or done.stderr:
        sys.exit(f"{words}: {done.stderr}")
    return float(done.stdout)


@contextmanager
def server(*words, env=None):
    with subprocess.Popen(list(map(str, words)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **(env or {})}) as process:
        assert process.stdout.readline() == "ready\n"
        yield
        process.stdin.close()


def measures(folder, daemon, echo_socket, bus, seconds):
    """(name, function that measures once), in the order of one round."""
    env = {"DBUS_SYSTEM_BUS_ADDRESS": bus.address}

    def raw(batch):
        with tempfile.TemporaryDirectory(dir=folder) as store:
            return rate(program("raw_lmdb"), store, batch, seconds)

    for batch in (1, 100, 1000, 10000):
        yield f"raw LMDB, {batch} a commit", lambda batch=batch: raw(batch)
    for label, connections, events in (("1 connection, 1 event", 1, 1), ("16 connections, 1 event", 16, 1),
                                       ("1 connection, NDJSON of 1,000", 1, 1000), ("1 connection, NDJSON of 10,000", 1, 10000)):
        yield f"HTTP {label}: echo", lambda c=connections, e=events: rate(program("http_load"), echo_socket, c, e, seconds)
        yield f"HTTP {label}: tocsin", lambda c=connections, e=events: rate(program("http_load"), daemon.socket, c, e, seconds)
    for label, *words in (("Submit, 1 in flight", 1, 1), ("Submit, 64 in flight", 64, 1), ("SubmitBatch of 200, 4 in flight", 4, 200, "batch"),
                          ("SubmitJson of 200, 4 in flight", 4, 200)):
        flight, events, *kind = words
        for who, name in (("echo", ECHO), ("tocsin", NAME)):
            yield f"D-Bus {label}: {who}", lambda n=name, f=flight, e=events, k=kind: rate(program("dbus_load"), n, f, e, seconds, *k, env=env)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    results: dict[str, list[float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-bench-", dir="/var/tmp")))
        bus = stack.enter_context(PrivateBus())
        daemon = stack.enter_context(Daemon(folder=folder / "daemon", bus=bus, settings=["store.max_bytes=64G"]))
        stack.enter_context(server(program("http_echo"), folder / "echo.sock"))
        stack.enter_context(server(program("dbus_echo"), ECHO, env={"DBUS_SYSTEM_BUS_ADDRESS": bus.address}))
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            for name, measure in measures(folder, daemon, folder / "echo.sock", bus, options.seconds):
                results.setdefault(name, []).append(measure())
    print(f"{'durable events per second, median [min-max]':50} {'':>28}  ratio")
    for name, values in results.items():
        middle = statistics.median(values)
        peer = results.get(name.replace("tocsin", "echo")) if name.endswith("tocsin") else None
        ratio = f"{middle / statistics.median(peer):5.2f} x echo" if peer else ""
        if name.endswith("tocsin") and "NDJSON of 1" in name:
            batch = 10000 if "10,000" in name else 1000
            ratio += f", {middle / statistics.median(results[f'raw LMDB, {batch} a commit']):.2f} x raw LMDB"
        if name.endswith("tocsin") and "of 200" in name:
            ratio += f", {middle / statistics.median(results['D-Bus Submit, 64 in flight: tocsin']):.1f} x Submit"
        print(f"{name:50} {middle:10,.0f} [{min(values):,.0f}-{max(values):,.0f}]  {ratio}")


def watches():
    """Lateness and cost of heartbeats: absolute bounds, not ratios."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-", dir="/var/tmp") as folder:
        folders = [Path(folder) / "due", Path(folder) / "idle"]
        done = subprocess.run([program("watches"), *map(str, folders), os.environ.get("TOCSIN_IDLE_SECONDS", "60")])
        return done.returncode


if __name__ == "__main__":
    main()
    sys.exit(watches())
