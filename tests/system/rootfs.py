# SPDX-License-Identifier: Apache-2.0
"""A minimal Debian root file system, made once by mmdebstrap and kept in the cache; machines boot clones of it."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

# python3: the clients of the tests that must run inside; tzdata: named zones; curl: the client that everybody has; fonts: the
# labels of pictures.
BASE = ("systemd", "systemd-sysv", "dbus", "polkitd", "libnss-systemd", "python3-minimal", "libpython3-stdlib", "curl", "tzdata",
        "fonts-dejavu-core")
# Work that a machine of a few minutes does not need.
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
          "e2scrub_reap.service", "fstrim.timer", "systemd-networkd.service", "systemd-resolved.service",
          "systemd-timesyncd.service")
APT_OPTIONS = ("Acquire::Check-Valid-Until", "Acquire::Check-Date", "Acquire::http::Proxy", "Acquire::https::Proxy")
VERSION = "1"            # of what is done to the tree here
UNUSED_S = 14 * 86400    # a tree that no test asked for is removed after this
BUILD_S = 900


def cache() -> Path:
    """Outside the source tree, shared by all checkouts."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "tocsin-tests"


def output(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def suite() -> str:
    lines = Path("/etc/os-release").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["VERSION_CODENAME"].strip('"')


def libraries(programs) -> list[str]:
    """The packages that hold what these programs are linked with."""
    paths = set()
    for program in programs:
        paths |= {word for word in output("ldd", str(program)).split() if word.startswith("/")}
    # dpkg knows a path as it was packed, which may be on the other side of the /lib link.
    names = {path: {path, "/usr" + path, os.path.realpath(path), os.path.realpath(path).removeprefix("/usr")}
             for path in paths}
    asked = subprocess.run(["dpkg-query", "-S", *sorted(set().union(*names.values()))], capture_output=True, text=True)
    owners = dict(reversed(line.split(": ", 1)) for line in asked.stdout.splitlines())
    homeless = sorted(path for path, others in names.items() if not others & owners.keys())
    if homeless:
        raise LookupError(f"no package holds {homeless}")
    return sorted({owners[name].split(":")[0] for others in names.values() for name in others & owners.keys()})


def sources(release: str) -> str:
    """This machine's own apt sources of its release, whatever their format and wherever they point."""
    listed = output("apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
                    "Created-By: Packages").splitlines()
    lines = {line for line in listed if line.split()[2].startswith(release)}
    if not lines:
        raise LookupError(f"apt knows no package list of {release}; run apt-get update")
    return "".join(sorted(f"{line}\n" for line in lines))


def apt_options() -> list[str]:
    """What this machine needs to reach its archive."""
    words = []
    for name in APT_OPTIONS:
        value = output("apt-config", "shell", "v", name).removeprefix("v='").rstrip().removesuffix("'")
        if value:
            words.append(f'--aptopt={name} "{value}"')
    return words


def hooks() -> list[str]:
    masks = " ".join(f'"$1/etc/systemd/system/{unit}"' for unit in MASKED)
    return [
        '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/var/lib/dbus/machine-id"; : >"$1/etc/machine-id"; '
        ': >"$1/etc/fstab"; echo machine >"$1/etc/hostname"; mkdir -p "$1/var/log/journal"',
        f'--customize-hook=for unit in {masks}; do ln -sf /dev/null "$unit"; done',
    ]


def make(packages, folder: Path):
    release = suite()
    with_sources = folder.with_suffix(".list")
    with_sources.write_text(sources(release))
    words = ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--dpkgopt=force-unsafe-io", *apt_options(),
             "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg", "--keyring=/etc/apt/trusted.gpg.d",
             '--aptopt=Acquire::Languages "none"', "--dpkgopt=path-exclude=/usr/share/man/*",
             "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
             "--include=" + ",".join(packages), *hooks(), release, str(folder), str(with_sources)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=BUILD_S)
    finally:
        with_sources.unlink()
    if done.returncode != 0:
        raise RuntimeError(f"mmdebstrap failed with {done.returncode}:\n{done.stderr[-4000:]}")


@contextmanager
def locked(path: Path):
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove_unused(folder: Path, now: float):
    for mark in folder.glob("root-*/.complete"):
        if now - mark.stat().st_mtime > UNUSED_S:
            shutil.rmtree(mark.parent)


def root_file_system(programs=(), more=()) -> Path:
    """The cached tree with everything that the programs need; the first call for a list of packages takes a minute."""
    packages = sorted({*BASE, *more, *libraries(programs)})
    key = hashlib.sha256("\n".join([VERSION, suite(), *packages, *MASKED]).encode()).hexdigest()[:12]
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    root, unfinished = folder / f"root-{key}", folder / f"root-{key}.tmp"
    with locked(folder / "lock"):
        if not (root / ".complete").exists():
            for stale in (root, unfinished):
                shutil.rmtree(stale, ignore_errors=True)
            make(packages, unfinished)
            unfinished.rename(root)
        (root / ".complete").touch()
        remove_unused(folder, time.time())
    return root
