#!/bin/sh
# Installs what is missing to build and test Tocsin on Debian 12. Does nothing, and needs no root, when all is there.
set -eu

BUILD="g++ cmake ninja-build pkg-config ccache mold
  libboost1.81-dev libsimdjson-dev libtomlplusplus-dev liblmdb-dev liblz4-dev libcairo2-dev fonts-dejavu-core libspdlog-dev libfmt-dev
  libsystemd-dev libhowardhinnant-date-dev libre2-dev libxxhash-dev libcurl4-openssl-dev zlib1g-dev libjpeg-dev tzdata"
TEST="libgtest-dev libgmock-dev clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev universal-ctags
  python3 python3-pytest python3-jeepney python3-jsonschema lmdb-utils dbus polkitd systemd curl jq man-db valgrind mmdebstrap less zsh fish"

# What 'make package' needs: each distribution's own tools.
PACKAGE="debhelper dpkg-dev fakeroot lintian rpm rpmlint"

# What 'make bench' sets beside the daemon, where it is there. Installed, their services may start.
BENCH="redis-server postgresql systemd-journal-remote"

case "${1:-all}" in
  build) WANTED="$BUILD" ;;
  all) WANTED="$BUILD $TEST $PACKAGE" ;;
  package) WANTED="$BUILD $PACKAGE" ;;
  bench) WANTED="$BUILD $TEST $PACKAGE $BENCH" ;;
  *) echo "usage: $0 [build|all|package|bench]" >&2; exit 2 ;;
esac

# One program of Prometheus' package, which would start a server if it were installed.
fetch_promtool() {
  folder="${XDG_CACHE_HOME:-$HOME/.cache}/tocsin-tests"
  command -v promtool >/dev/null || [ -x "$folder/promtool" ] && return 0
  echo "deps: fetching promtool"
  work=$(mktemp -d)
  mkdir -p "$folder"
  (cd "$work" && apt-get -o APT::Sandbox::User=root download -qq prometheus && dpkg-deb -x prometheus_*.deb . && mv usr/bin/promtool "$folder/") ||
    echo "deps: no promtool; the test of the alerting rules is skipped" >&2
  rm -rf "$work"
}

missing=""
for package in $WANTED; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
finish() {
  case "${1:-all}" in all | bench) fetch_promtool ;; esac
  exit 0
}
[ -z "$missing" ] && finish "$@"

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "deps: run as root, or install:$missing" >&2; exit 1; }
  as_root="sudo"
fi
echo "deps: installing$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
finish "$@"
