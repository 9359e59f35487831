# SPDX-License-Identifier: Apache-2.0
"""A command inside a machine, on a terminal of its own, as a person would run it."""

import os
import pty
import select
import termios

from daemon import wait_until
from machine import die_with_parent

WAIT_S = 60


class Terminal:
    def __init__(self, words):
        self.said = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            die_with_parent()
            os.execvp(words[0], words)

    def _read(self) -> bool:
        readable, _, _ = select.select([self.fd], [], [], WAIT_S)
        assert readable, f"silent for {WAIT_S} s; it said: {self.said}"
        try:
            more = os.read(self.fd, 65536)
        except OSError:  # the other end is closed
            return False
        self.said += more.decode(errors="replace")
        return bool(more)

    def expect(self, text):
        while text not in self.said:
            assert self._read(), f"ended without {text!r}: {self.said}"

    def type_secret(self, text):
        """Once nothing typed is shown any more. What is typed before that is thrown away; behind ssh, where the far
        terminal cannot be looked at, its being shown tells that."""
        wait_until(lambda: not termios.tcgetattr(self.fd)[3] & termios.ECHO, "the terminal to hide what is typed")
        shown = True
        while shown:
            before = len(self.said)
            os.write(self.fd, f"{text}\n".encode())
            while "\n" not in self.said[before:]:
                assert self._read(), self.said
            shown = text in self.said[before:]

    def end(self) -> int:
        """Its exit status, when it has said all."""
        while self._read():
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)
