# SPDX-License-Identifier: Apache-2.0
"""What a program is built and linked against: header, exported names, soname, dependencies, pkg-config, both packages."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from house import BUILD, ROOT

LIBRARY = BUILD / "lib/libtocsin.so.0"
HEADER = ROOT / "lib/tocsin.h"
HERE = Path(__file__).parent
SANITIZE = os.environ.get("TOCSIN_SANITIZE", "")
plain = pytest.mark.skipif(bool(SANITIZE), reason="a library with sanitizers is no one's to link")


def out(*words, **more):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=300, **more)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def exported(library=LIBRARY):
    names = set()
    for line in out("readelf", "-W", "--dyn-syms", library).splitlines():
        words = line.split()
        if len(words) >= 8 and words[4] in ("GLOBAL", "WEAK", "UNIQUE") and words[6] not in ("UND", "ABS"):
            names.add(words[7])
    return names


def test_what_is_exported_is_what_is_promised():
    listed = {line for line in (HERE / "abi.txt").read_text().splitlines() if line and not line.startswith("#")}
    assert exported() == listed
    mapped = set(re.findall(r"^\s+(tocsin_\w+);", (ROOT / "lib/libtocsin.map").read_text(), re.M))
    assert {name.split("@@")[0] for name in listed} == mapped


def test_each_function_of_the_header_is_exported_and_no_other():
    text = re.sub(r"//[^\n]*", "", HEADER.read_text())
    declared = set(re.findall(r"\b(tocsin_\w+)\(", text)) - {"tocsin_done"}
    assert declared == {name.split("@@")[0] for name in exported()}


def test_the_values_of_codes_are_for_ever():
    codes = dict(re.findall(r"^\s+TOCSIN_(\w+) = (-?\d+)", HEADER.read_text(), re.M))
    assert codes == {"OK": "0", "INVALID_EVENT": "-1", "INVALID_ARGUMENT": "-2", "NOT_FOUND": "-3", "NOT_AUTHORIZED": "-4",
                     "UNAVAILABLE": "-5", "LIMIT_EXCEEDED": "-6", "STORAGE_FULL": "-7", "CONFLICT": "-8", "TIMEOUT": "-20",
                     "AGAIN": "-21", "NO_MEMORY": "-22", "FORKED": "-23", "CANCELLED": "-24", "PROTOCOL": "-25"}


@plain
def test_little_comes_with_it():
    dynamic = out("readelf", "-Wd", LIBRARY)
    assert re.search(r"\(SONAME\).*\[libtocsin\.so\.0\]", dynamic)
    needed = set(re.findall(r"\(NEEDED\).*\[([^\]]+)\]", dynamic))
    assert {re.split(r"\.so", name)[0] for name in needed} <= {"libsimdjson", "libstdc++", "libgcc_s", "libc", "libm",
                                                               "ld-linux-x86-64", "ld-linux-aarch64"}


@pytest.mark.parametrize("compiler", [
    ["gcc", "-xc", "-std=c99"], ["gcc", "-xc", "-std=c17"], ["clang-19", "-xc", "-std=c99", "-Weverything", "-Wno-padded",
                                                         "-Wno-unused-macros", "-Wno-declaration-after-statement"],
    ["g++", "-xc++", "-std=c++11"], ["g++", "-xc++", "-std=c++23"]], ids=" ".join)
def test_the_header_compiles_alone(compiler, tmp_path):
    (tmp_path / "use.c").write_text("#include <tocsin.h>\nint main(void) { tocsin_beat_options o = TOCSIN_BEAT_OPTIONS_INIT; "
                                    "return (int)o.scid; }\n")
    flags = ["-Wall", "-Wextra", "-Wpedantic", "-Wstrict-prototypes", "-Werror", "-fsyntax-only", f"-I{ROOT}/lib"]
    if "-xc++" in compiler:
        flags.remove("-Wstrict-prototypes")
    out(*compiler, *flags, tmp_path / "use.c")


@plain
def test_programs_are_built_from_what_is_installed(tmp_path):
    for component in ("libtocsin0", "tocsin-dev"):
        out("cmake", "--install", BUILD / "lib", "--component", component, "--prefix", f"{tmp_path}/{component}")
    files = lambda name: {str(p.relative_to(tmp_path / name)) for p in (tmp_path / name).rglob("*") if not p.is_dir()}
    version = (ROOT / "VERSION").read_text().strip()
    assert {Path(f).name for f in files("libtocsin0")} == {"libtocsin.so.0", f"libtocsin.so.0.{version}"}
    assert {Path(f).name for f in files("tocsin-dev")} == {"libtocsin.so", "libtocsin.pc", "tocsin.h", "libtocsin.3", "tocsin.h.3"}


@plain
def test_it_is_built_without_the_daemon(tmp_path):
    cache = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    out("cmake", "-S", ROOT / "lib", "-B", tmp_path, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", *cache)
    out("cmake", "--build", tmp_path, "-j", "2")
    assert exported(tmp_path / "lib/libtocsin.so.0") == exported()


@plain
def test_pkg_config_is_all_a_program_needs(tmp_path):
    out("cmake", "--install", BUILD / "lib", "--prefix", tmp_path / "usr")
    found = list((tmp_path / "usr").rglob("libtocsin.pc"))[0].parent
    env = {**os.environ, "PKG_CONFIG_PATH": str(found)}
    ask = lambda *words: out("pkg-config", f"--define-variable=prefix={tmp_path}/usr", *words, "libtocsin", env=env).split()
    assert ask("--modversion") == [(ROOT / "VERSION").read_text().strip()]
    out("g++", "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", HERE / "header.cpp", "-o", tmp_path / "use",
        *ask("--cflags", "--libs"))
    out(tmp_path / "use", env={**env, "LD_LIBRARY_PATH": str(found.parent)})
