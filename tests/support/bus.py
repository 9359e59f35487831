# SPDX-License-Identifier: Apache-2.0
"""A private message bus, so that tests neither need nor touch the machine's own."""

import os
import subprocess
import tempfile
from pathlib import Path

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>
    <allow send_destination="*" eavesdrop="false"/>
  </policy>
  <limit name="max_message_size">67108864</limit>
  <limit name="max_incoming_bytes">134217728</limit>
  <limit name="max_outgoing_bytes">134217728</limit>
</busconfig>
"""


class PrivateBus:
    def __init__(self):
        self._dir = tempfile.TemporaryDirectory(prefix="tocsin-bus-")
        folder = Path(self._dir.name)
        os.chmod(folder, 0o755)
        self.address = f"unix:path={folder}/bus"
        (folder / "bus.conf").write_text(CONFIG.format(path=folder / "bus"))
        self.process = subprocess.Popen(
            ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout.readline().startswith("unix:"), "dbus-daemon did not start"

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.process.stdout.close()
        self._dir.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
