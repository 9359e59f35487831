# SPDX-License-Identifier: Apache-2.0
"""The real daemon, started as a person without systemd would, in folders of its own."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from client import Http, Stream
from house import tool
from notify import NotifySocket

START_S = 60
STOP_S = 30
PAUSE = threading.Event()


def wait_until(probe, what="the condition", deadline_s=30.0):
    """Polls until probe() is true and returns what it gave."""
    end = time.monotonic() + deadline_s
    while True:
        value = probe()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not come true within {deadline_s} s"
        PAUSE.wait(0.01)  # between two looks, not instead of one


def free_port():
    """A port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    def __init__(self, folder=None, bus=None, settings=(), environment=None, config=None):
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="tocsin-test-")
        self.folder = Path(folder or self._temporary.name)
        self.state, self.runtime = self.folder / "state", self.folder / "run"
        self.config_file = self.folder / "tocsin.toml"
        if config is not None or not self.config_file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.config_file.write_text(config or "")
        self.bus, self.settings, self.environment = bus, list(settings), dict(environment or {})
        self.socket = self.runtime / "tocsin.sock"
        self.log = self.folder / "log"
        self.notify = NotifySocket()
        self.process = None
        self._http = None

    # ---- life ----

    def command(self):
        words = [str(tool("tocsind")), "--config", str(self.config_file), "--state-dir", str(self.state),
                 "--runtime-dir", str(self.runtime), "--bus", "system" if self.bus else "none"]
        for setting in self.settings:
            words += ["--set", setting]
        return words

    def spawn(self):
        """Starts the process without waiting for READY."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("TOCSIN_CONF_", "DBUS_"))}
        env.update(NOTIFY_SOCKET=self.notify.path, **self.environment)
        if self.bus:
            env["DBUS_SYSTEM_BUS_ADDRESS"] = self.bus.address
        self._since = self.notify.mark()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def start(self):
        self.spawn()
        try:
            self.notify.wait("READY=1", START_S, self._since, alive=lambda: self.process.poll() is None)
        except TimeoutError as error:
            raise AssertionError(f"the daemon did not get READY ({error}):\n{self.output()[-4000:]}") from None
        return self

    def stop(self) -> int:
        if self.process is None:
            return 0
        if self._http:
            self._http.close()
            self._http = None
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, deadline_s=STOP_S) -> int:
        try:
            code = self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the daemon did not stop within {deadline_s} s:\n{self.output()[-4000:]}") from None
        self.process = None
        return code

    def kill(self):
        """Power off for the process: SIGKILL."""
        if self._http:
            self._http.close()
            self._http = None
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self):
        assert self.stop() == 0, self.output()[-4000:]
        return self.start()

    def close(self):
        code = 0
        if self.process is not None:
            code = self.stop() if self.process.poll() is None else self.process.returncode
        self.notify.close()
        if self._temporary:
            self._temporary.cleanup()
        return code

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        output = self.output()
        code = self.close()
        if kind is None:
            assert code == 0, f"the daemon ended with {code}:\n{output[-4000:]}"
        assert "ERROR: AddressSanitizer" not in output and "runtime error:" not in output, output[-8000:]

    # ---- faces ----

    @property
    def http(self) -> Http:
        if self._http is None:
            self._http = Http(self.socket)
        return self._http

    def stream(self, target="/v1/stream", **kw) -> Stream:
        return Stream(self.socket, target, **kw)

    def ctl(self, *words, input=None, check=True, timeout=60) -> subprocess.CompletedProcess:
        env = {**os.environ, "TOCSIN_SOCKET": str(self.socket), "TZ": "UTC", "NO_COLOR": "1"}
        if self.bus:
            env["DBUS_SYSTEM_BUS_ADDRESS"] = self.bus.address
        done = subprocess.run([str(tool("tocsinctl")), *map(str, words)], env=env, input=input, capture_output=True,
                              text=True, timeout=timeout)
        assert not check or done.returncode == 0, f"tocsinctl {words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def busctl(self, *words, check=True, input=None):
        done = subprocess.run(["busctl", f"--address={self.bus.address}", "--json=short", *map(str, words)],
                              capture_output=True, text=True, timeout=60, input=input)
        assert not check or done.returncode == 0, f"busctl {words}: {done.stderr}"
        return done

    def call(self, interface, method, signature="", *arguments, path="", check=True):
        """busctl call; the reply's data, or the CompletedProcess when check is off."""
        full = "/org/tocsin/EventManager1" + (f"/{path}" if path else "")
        words = ["call", "org.tocsin.EventManager1", full, f"org.tocsin.EventManager1.{interface}", method]
        done = self.busctl(*words, *([signature] if signature else []), *arguments, check=check)
        if not check:
            return done
        return json.loads(done.stdout)["data"] if done.stdout.strip() else None

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""
