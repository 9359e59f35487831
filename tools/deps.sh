#!/bin/sh
# Installs what is missing to build and test Tocsin on Debian 12. Does nothing, and needs no root, when all is there.
set -eu

BUILD="g++ cmake ninja-build pkg-config ccache mold
  libboost1.81-dev libsimdjson-dev libtomlplusplus-dev liblmdb-dev liblz4-dev libcairo2-dev fonts-dejavu-core libspdlog-dev libfmt-dev
  libsystemd-dev libhowardhinnant-date-dev libre2-dev libxxhash-dev libcurl4-openssl-dev zlib1g-dev libjpeg-dev tzdata"
TEST="libgtest-dev libgmock-dev clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev universal-ctags
  python3 python3-pytest python3-jeepney python3-jsonschema lmdb-utils dbus polkitd systemd curl jq man-db valgrind mmdebstrap less zsh fish"

# What 'make bench' sets beside the daemon, where it is there. Installed, their services may start.
BENCH="redis-server postgresql systemd-journal-remote"

case "${1:-all}" in
  build) WANTED="$BUILD" ;;
  all) WANTED="$BUILD $TEST" ;;
  bench) WANTED="$BUILD $TEST $BENCH" ;;
  *) echo "usage: $0 [build|all|bench]" >&2; exit 2 ;;
esac

missing=""
for package in $WANTED; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "deps: run as root, or install:$missing" >&2; exit 1; }
  as_root="sudo"
fi
echo "deps: installing$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
