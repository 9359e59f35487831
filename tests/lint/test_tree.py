# SPDX-License-Identifier: Apache-2.0
"""The tree tells the truth about itself: pages exist, scripts parse, JSON is JSON, dependencies are explained."""

import json
import re
import subprocess

from house import ROOT


def test_shell_scripts_parse():
    scripts = [ROOT / ".ci/run"] + sorted((ROOT / "tools").glob("*.sh")) + sorted((ROOT / "bench").glob("*.sh")) + sorted((ROOT / "packaging").glob("*.sh"))
    for script in scripts:
        shell = script.read_text().splitlines()[0].removeprefix("#!").strip()
        assert subprocess.run([shell, "-n", script], capture_output=True).returncode == 0, script


def test_json_documents_parse():
    for name in ("docs/openapi.json", "CMakePresets.json"):
        json.loads((ROOT / name).read_text())


def test_every_dependency_has_its_reason():
    cmake = (ROOT / "cmake/dependencies.cmake").read_text()
    reasons = (ROOT / "docs/dependencies.md").read_text().lower()
    wanted = {m.lower() for m in re.findall(r"find_package\((\w+)", cmake)} | {
        m.lower() for m in re.findall(r"IMPORTED_TARGET ([\w+]+)", cmake)}
    wanted -= {"pkgconfig", "threads"}
    missing = sorted(name for name in wanted if name not in reasons)
    assert len(wanted) >= 8 and not missing, missing


def test_links_in_documents_lead_somewhere():
    pages = [ROOT / "README.md"] + sorted((ROOT / "docs").glob("*.md"))
    wrong = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                wrong.append(f"{page.name}: {target}")
    assert not wrong, wrong
