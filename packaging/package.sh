#!/bin/bash
# package.sh [deb] [rpm]: packages of the tree as it stands, into build/packages/, with the distribution's own tools. Both when
# nothing is named. The same tree gives the same packages, to the byte: their time is the changelog's.
set -eu -o pipefail
cd "$(dirname "$0")/.."
ROOT=$PWD
OUT=$ROOT/build/packages
VERSION=$(cat VERSION)
NAME=tocsin-$VERSION
export LC_ALL=C.UTF-8 LANG=C.UTF-8 TZ=UTC
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l packaging/debian/changelog -S Timestamp)
export SOURCE_DATE_EPOCH
# Both tools set a home of their own; what the compiler's cache knows of these sources is in this one.
command -v ccache >/dev/null && CCACHE_DIR=$(ccache --get-config cache_dir) && export CCACHE_DIR

# What is under version control; in an archive everything but what was built.
files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1 && [ "$(git rev-parse --show-toplevel)" = "$ROOT" ]; then
    git ls-files --cached --others --exclude-standard | while read -r file; do [ ! -e "$file" ] || printf '%s\n' "$file"; done
  else
    find . -type f -not -path './build*' -not -path './.git/*' -printf '%P\n'
  fi | LC_ALL=C sort
}

source_tar() { # OUTPUT
  files | tar --create --no-recursion --verbatim-files-from --files-from=- --transform="s,^,$NAME/," --owner=0 --group=0 \
    --numeric-owner --mode=u=rwX,go=rX --mtime="@$SOURCE_DATE_EPOCH" | gzip -n >"$1"
}

deb() {
  local work=$OUT/work-deb
  rm -rf "$work"
  mkdir -p "$work"
  source_tar "$work/source.tar.gz"
  tar -C "$work" -xzf "$work/source.tar.gz"
  cp -r packaging/debian "$work/$NAME/debian"
  (cd "$work/$NAME" && dpkg-buildpackage --build=binary --no-sign >"$OUT/deb.log" 2>&1) || { tail -40 "$OUT/deb.log"; exit 1; }
  mv "$work"/*.deb "$work"/*.buildinfo "$work"/*.changes "$OUT/"
  rm -rf "$work"
}

rpm() {
  local work=$OUT/work-rpm
  rm -rf "$work"
  mkdir -p "$work/SOURCES"
  source_tar "$work/SOURCES/$NAME.tar.gz"
  # Debian has what is needed to build, but no database of rpm's that says so.
  rpmbuild -bb --nodeps --define "_topdir $work" packaging/tocsin.spec >"$OUT/rpm.log" 2>&1 || { tail -40 "$OUT/rpm.log"; exit 1; }
  find "$work/RPMS" -name '*.rpm' -exec mv {} "$OUT/" \;
  rm -rf "$work"
}

mkdir -p "$OUT"
[ $# -gt 0 ] || set -- deb rpm
for kind in "$@"; do
  case "$kind" in
    deb | rpm) "$kind" ;;
    *) echo "usage: $0 [deb] [rpm]" >&2; exit 2 ;;
  esac
done
ls -l "$OUT"/*.deb "$OUT"/*.rpm 2>/dev/null | awk '{print $5, $9}'
