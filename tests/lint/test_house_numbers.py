# SPDX-License-Identifier: Apache-2.0
"""Sizes a reader can hold in mind, and calls that are not made."""

import re

from house import ROOMS, ctags, relative, sources

FILE_LINES = 600
FUNCTION_LINES = 70
LINE_WIDTH = 120
CODE = ROOMS + ("tests", "bench", "examples")

BANNED = {
    r"\bsto(i|l|ll|ul|ull|f|d)\s*\(": "throwing number conversion; use std::from_chars",
    r"\bato(i|l|f)\s*\(": "unchecked number conversion; use std::from_chars",
    r"(?<![\w.>:])system\s*\(": "a shell; use posix_spawn with an argument array",
    r"\bpopen\s*\(": "a shell; use posix_spawn with an argument array",
    r"\.detach\s*\(\s*\)": "a thread nobody joins",
    r"\bsleep_for\b|\bsleep_until\b|(?<![\w.])u?sleep\s*\(|\bnanosleep\s*\(": "waiting for time instead of for the thing",
    r"\b(TODO|FIXME|XXX|HACK)\b": "an unfinished thought",
    r"\bstd::(regex|async)\b": "unbounded time or threads",
    r"\busing namespace std\b": "names from everywhere",
    r"\bstrcpy\s*\(|\bsprintf\s*\(|\bstrcat\s*\(|\bgets\s*\(": "unbounded copy",
    r"(?<![\w.])v?fork\s*\(\s*\)": "fork; children are made by posix_spawn (the helper tocsin-spark makes its script by vfork)",
}
# The helper has one thread, and its one script needs limits and a death signal that posix_spawn cannot give.
EXEMPT = {("jobs/spark/", "fork"), ("tests/fault/bystanders.c", "fork")}


def code_lines(path):
    """Lines without comments and string contents, roughly: enough for the rules above."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), path.read_text(), flags=re.S)
    for number, line in enumerate(text.splitlines(), 1):
        yield number, re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]


def test_files_are_short():
    wrong = [f"{relative(p)}: {n} lines" for p in sources(*CODE) if (n := len(p.read_text().splitlines())) > FILE_LINES]
    assert not wrong, "\n".join(wrong)


def test_functions_are_short():
    wrong = [f"{relative_of(t)}:{t['line']} {t['name']}: {t['end'] - t['line'] + 1} lines"
             for t in ctags(sources(*CODE)) if t.get("end") and t["end"] - t["line"] + 1 > FUNCTION_LINES]
    assert not wrong, "\n".join(wrong)


def relative_of(tag):
    from pathlib import Path
    return relative(Path(tag["path"]))


def test_lines_fit():
    wrong = [f"{relative(p)}:{i}" for p in sources(*CODE) for i, line in enumerate(p.read_text().splitlines(), 1)
             if len(line) > LINE_WIDTH]
    assert not wrong, "\n".join(wrong)


def test_banned_calls():
    wrong = []
    for path in sources(*CODE):
        for number, line in code_lines(path):
            for pattern, why in BANNED.items():
                exempt = any(relative(path).startswith(place) and word in pattern for place, word in EXEMPT)
                if not exempt and re.search(pattern, line):
                    wrong.append(f"{relative(path)}:{number}: {why}: {line.strip()}")
    assert not wrong, "\n".join(wrong)


def test_throwing_filesystem_calls_are_not_made():
    names = r"(exists|create_director(y|ies)|remove|remove_all|rename|file_size|is_directory|is_regular_file|copy_file|space)"
    wrong = [f"{relative(p)}:{n}: {line.strip()}" for p in sources() for n, line in code_lines(p)
             if re.search(r"(std::filesystem|fs)::" + names + r"\(", line) and not re.search(r"\b\w*(ec|error|ignored)\w*\s*\)", line)]
    assert not wrong, "\n".join(wrong)


def test_every_source_names_its_licence():
    wrong = [relative(p) for p in sources(*CODE) if "SPDX-License-Identifier: Apache-2.0" not in p.read_text()[:300]]
    assert not wrong, "\n".join(wrong)


def test_public_headers_open_with_their_purpose():
    wrong = [relative(p) for p in sources(suffixes=(".hpp", ".h"))
             if not re.match(r"// SPDX[^\n]*\n(//[^\n]{20,}\n)", p.read_text())]
    assert not wrong, "\n".join(wrong)


def test_asynchronous_lambdas_name_what_they_capture():
    wrong = [f"{relative(p)}:{n}: {line.strip()}" for p in sources("ipc", "jobs", "heartbeats", "daemon", "storage")
             for n, line in code_lines(p) if re.search(r"\[(&|=)\]", line)]
    assert not wrong, "\n".join(wrong)


def test_the_rules_can_fail():
    line = 'int n = stoi(text); std::this_thread::sleep_for(1s); // TODO'
    hits = [why for pattern, why in BANNED.items() if re.search(pattern, line)]
    assert len(hits) == 3
