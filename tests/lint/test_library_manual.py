# SPDX-License-Identifier: Apache-2.0
"""libtocsin(3) is what the header says, and each function has words of its own."""

import re
import subprocess
import sys

from house import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from header_manual import HEADER, blocks, page  # noqa: E402

PAGE = ROOT / "docs/man/libtocsin.3"


def test_the_page_is_made_from_the_header():
    assert PAGE.read_text() == page(HEADER.read_text()), "tools/header_manual.py > docs/man/libtocsin.3"
    assert (ROOT / "docs/man/tocsin.h.3").read_text() == ".so man3/libtocsin.3\n"


def test_a_changed_header_is_seen():
    assert page(HEADER.read_text().replace("It must not throw", "It may throw")) != PAGE.read_text()


def test_each_declaration_is_on_the_page():
    text = re.sub(r"//[^\n]*", "", HEADER.read_text())
    shown = PAGE.read_text().replace("\\-", "-")
    names = set(re.findall(r"\b(tocsin_\w+|TOCSIN_\w+)\b", text)) - {"TOCSIN_H"}
    assert len(names) > 60 and not [name for name in names if not re.search(rf"\b{name}\b", shown)]


def test_declarations_have_words():
    bare = [code[0] for comment, code in blocks(HEADER.read_text()) if code and not comment]
    known = ("tocsin_event_free", "tocsin_result_code", "TOCSIN_BEAT_OPTIONS_INIT")  # say all in their names, or are told of above
    assert not [line for line in bare if not any(name in line for name in known)] and len(bare) == len(known), bare


def test_the_page_is_well_formed():
    done = subprocess.run(["man", "--warnings", "-l", str(PAGE)], capture_output=True, text=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0 and "warning" not in done.stderr and "An event is kept once" in done.stdout, done.stderr
