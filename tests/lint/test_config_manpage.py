# SPDX-License-Identifier: Apache-2.0
"""The configuration table of the daemon and the man page tell the same keys, types and defaults."""

import json
import re
import subprocess

from house import ROOT, tool

MANPAGE = (ROOT / "docs/man/tocsin.toml.5").read_text()


def table():
    out = subprocess.run([tool("tocsind"), "--describe-config"], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def documented():
    """Keys that open an entry of the man page: .TP, then \\fBkey\\fR."""
    return set(re.findall(r"^\.TP\n\\fB([\w.\[\]\\-]+)\\fR", MANPAGE.replace("\\-", "-"), re.M))


def test_every_key_is_documented_and_no_other():
    keys = {row["key"] for row in table()}
    assert len(keys) > 20
    assert keys == documented()


def entries():
    """key -> (type, bounds and default in a line; the word in brackets below it, or nothing)"""
    found = re.findall(r"^\.TP\n\\fB([\w.\[\]-]+)\\fR\n([^\n]*)\n(?:\.I \(([^)\n]*)\))?", MANPAGE.replace("\\-", "-"), re.M)
    return {key: (line, mark) for key, line, mark in found}


def test_bounds_defaults_and_when_a_change_takes_hold_are_those_of_the_table():
    told = entries()
    for row in table():
        line, mark = told[row["key"]]
        assert row.get("bounds", "") in line.split("; ")[1:] + [""], (row["key"], line)
        if "[" not in row["key"]:  # entries of lists have words for what is not given
            default = row.get("default") or '""'
            told_default = line.rpartition("default: ")[2].removeprefix("that of ")
            assert "default" not in row or told_default == default, (row["key"], line)
            wanted = "not in effect" if not row["available"] else "" if row["reloadable"] else "restart"
            assert mark == wanted, row["key"]


def test_the_man_page_is_well_formed():
    for page in sorted((ROOT / "docs/man").glob("*.[158]")):
        out = subprocess.run(["man", "--warnings=w", "-E", "UTF-8", "-l", "-Tutf8", page], capture_output=True, text=True)
        assert out.returncode == 0, page
        assert not out.stderr.strip(), f"{page}: {out.stderr}"
