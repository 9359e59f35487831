# SPDX-License-Identifier: Apache-2.0
"""Completion in the shells themselves, with names of a running daemon."""

import os
import subprocess

import pytest
from house import ROOT, tool

BASH = r"""
source {scripts}/tocsinctl.bash
COMP_LINE={line}; COMP_POINT=${{#COMP_LINE}}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
compopt() {{ :; }}
_tocsinctl
printf '%s\n' "${{COMPREPLY[@]}}"
"""


def bash(socket, *words):
    """What bash would put in: the words as it splits them, at = and : too."""
    quoted = " ".join(f"'{w}'" for w in words)
    line = "".join(f"{'' if i == 0 or w in '=:' and w or words[i - 1] in ('=', ':') else ' '}{w}" for i, w in enumerate(words))
    script = BASH.format(scripts=ROOT / "completions", line=f"'{line}'", words=quoted)
    env = {**os.environ, "TOCSIN_SOCKET": str(socket)}
    done = subprocess.run(["bash", "--norc", "-c", script], env=env, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


@pytest.fixture(scope="module")
def names(daemon):
    daemon.http.submit(event_name="complete.me", event_src="completer")
    daemon.ctl("heartbeats", "beat", "complete-pump")
    return daemon


CASES = [(["quer"], ["query"]), (["heartbeats", "res"], ["resume"]), (["query", "--name", "complete."], ["complete.me"]),
         (["query", "--src", "compl"], ["completer"]), (["heartbeats", "show", "complete-p"], ["complete-pump"]),
         (["query", "-o", "nd"], ["ndjson"]), (["query", "--order", "=", "ol"], ["oldest"]), (["nothing", "x"], [])]


@pytest.mark.parametrize("words,wanted", CASES, ids=[" ".join(c[0]) for c in CASES])
def test_bash(names, words, wanted):
    assert bash(names.socket, str(tool("tocsinctl")), *words) == wanted


def test_without_a_daemon_verbs_are_still_offered_and_nothing_is_said(tmp_path):
    assert bash(tmp_path / "none", str(tool("tocsinctl")), "heartbeats", "show", "") == []
    assert bash(tmp_path / "none", str(tool("tocsinctl")), "retent") == ["retention"]


def test_fish(names):
    script = f"source {ROOT}/completions/tocsinctl.fish; complete -C 'tocsinctl query --name complete.'"
    env = {**os.environ, "TOCSIN_SOCKET": str(names.socket), "PATH": f"{tool('tocsinctl').parent}:{os.environ['PATH']}"}
    done = subprocess.run(["fish", "--no-config", "-c", script], env=env, capture_output=True, text=True, timeout=20)
    assert done.stdout.split() == ["complete.me"], done.stderr


def test_zsh_reads_its_script(names):
    script = "autoload -U compinit && compinit -u; fpath=($1 $fpath); compadd() { print -l -- ${@[5,-1]} }; " \
             "source $1/_tocsinctl; words=(tocsinctl query --name complete.); CURRENT=4; _tocsinctl"
    env = {**os.environ, "TOCSIN_SOCKET": str(names.socket), "PATH": f"{tool('tocsinctl').parent}:{os.environ['PATH']}"}
    done = subprocess.run(["zsh", "-f", "-c", script, "zsh", str(ROOT / "completions")], env=env, capture_output=True,
                          text=True, timeout=20)
    assert "complete.me" in done.stdout, done.stderr
