#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libtocsin(3) from the comments of lib/tocsin.h, the one source of both: tools/header_manual.py > docs/man/libtocsin.3

The header's first comment is the description; "// ---- Title ----" begins a section; a comment and the declarations below it,
up to the next empty line, belong together; what is indented by four spaces stays as it is."""

import re
from pathlib import Path

HEADER = Path(__file__).resolve().parents[1] / "lib/tocsin.h"
NOT_SHOWN = ("#ifndef TOCSIN_H", "#define TOCSIN_H", "#include", "#ifdef", 'extern "C"', "#endif", "}", "// SPDX")
HEAD = """.\\" SPDX-License-Identifier: Apache-2.0
.\\" Made from lib/tocsin.h by tools/header_manual.py; a test compares them.
.TH LIBTOCSIN 3 "" "tocsin" "Tocsin"
.SH NAME
libtocsin, tocsin.h \\- C client library of the Tocsin daemon
.SH SYNOPSIS
.nf
.B #include <tocsin.h>
.PP
\\fBcc\\fR \\fIdetector.c\\fR \\fB$(pkg\\-config \\-\\-cflags \\-\\-libs libtocsin)\\fR
.fi
.SH DESCRIPTION
"""
TAIL = """.SH ENVIRONMENT
.TP
.B TOCSIN_SOCKET
the daemon's socket, where tocsin_open() is given none. Not looked at in a program with the rights of another user.
.SH FILES
.TP
.I /run/tocsin/tocsin.sock
.SH SEE ALSO
.BR tocsinctl (1),
.BR tocsind (8),
.BR tocsin.toml (5)
"""


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def prose(lines):
    """Comment lines, without their slashes."""
    out, verbatim = [], False
    for line in lines:
        indented = line.startswith("    ")
        if indented and not verbatim:
            out += [".PP", ".RS 4", ".nf"]
        if verbatim and not indented:
            out += [".fi", ".RE"]
        verbatim = indented
        if not line.strip():
            out.append(".PP")
        else:
            out.append(re.sub(r"`([^`]+)`", r"\\fB\1\\fR", roff(line[4:] if indented else line.strip())))
    return out + ([".fi", ".RE"] if verbatim else [])


def blocks(text):
    """Paragraphs of the header: (comment lines, code lines)."""
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if line and not line.startswith(NOT_SHOWN) or line.startswith("} ") or line == "};"]
        comment = [line[3:] if line != "//" else "" for line in lines if line.startswith("//")]
        code = [line for line in lines if not line.startswith("//")]
        yield comment, code


def page(text):
    out, first = [], True
    for comment, code in blocks(text):
        title = re.fullmatch(r"---- (.+) ----", comment[0]) if comment else None
        if title:
            out.append(f".SH {title.group(1).upper()}")
            comment = comment[1:]
        if code:
            out += [".PP", ".nf"] + [f"\\fB{roff(line)}\\fR" for line in code] + [".fi"]
            out += [".RS 4", *prose(comment), ".RE"] if comment else []
        elif comment:
            out += ([] if first or title else [".PP"]) + prose(comment)
        first = False
    return HEAD + "\n".join(out) + "\n" + TAIL


if __name__ == "__main__":
    print(page(HEADER.read_text()), end="")
