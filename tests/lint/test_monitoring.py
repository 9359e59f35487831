# SPDX-License-Identifier: Apache-2.0
"""Metrics are named by Prometheus' conventions, and the examples for Prometheus and Grafana ask for those that there are."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from house import ROOT

EXAMPLES = ROOT / "examples/monitoring"
RULES, DASHBOARD = EXAMPLES / "tocsin.rules.yml", EXAMPLES / "tocsin-dashboard.json"
FAMILY = re.compile(r'family\("(tocsin_\w+)", "(\w+)",\s*"([^"]*)"', re.S)
PARTS = {"histogram": ("_bucket", "_sum", "_count")}


def families():
    found = {name: (kind, text) for page in (ROOT / "daemon").glob("*.cpp") for name, kind, text in FAMILY.findall(page.read_text())}
    assert len(found) >= 12
    return found


def offered():
    return {name + part for name, (kind, _) in families().items() for part in PARTS.get(kind, ("",))}


def asked(text):
    return set(re.findall(r"\btocsin_\w+", text))


def test_names_and_units_follow_the_conventions():
    for name, (kind, text) in families().items():
        assert name.endswith("_total") == (kind == "counter"), name
        assert not re.search(r"_(ms|us|millis|minutes|kb|mb|gb)(_|$)", name), f"{name}: seconds and bytes"
        assert text.endswith("."), name


def test_the_examples_ask_for_what_there_is():
    dashboard = json.loads(DASHBOARD.read_text())
    questions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(questions) >= 8
    rules = " ".join(re.findall(r"expr: (.*)", RULES.read_text()))
    for text in [rules, *questions]:
        assert asked(text) and asked(text) <= offered(), asked(text) - offered()


def test_promtool_takes_the_rules():
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tocsin-tests"
    promtool = shutil.which("promtool") or shutil.which("promtool", path=str(cache))
    if promtool is None:
        pytest.skip("promtool is not here (make deps fetches it)")
    done = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
