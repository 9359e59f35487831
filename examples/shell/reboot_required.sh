#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same over D-Bus with busctl, which every machine with systemd has: an upgrade waits for a reboot.
#
#     reboot_required.sh [FILE]          FILE: /run/reboot-required, which Debian makes
set -eu
file=${1:-/run/reboot-required}
[ -e "$file" ] || exit 0

# a{sv}: the number of members, then for each its name, its D-Bus type and its value. The key is the file's own time: until
# the next upgrade, however often this runs, it is one event.
busctl --system call org.tocsin.EventManager1 /org/tocsin/EventManager1 org.tocsin.EventManager1.Events Submit 'a{sv}' 5 \
  event_name s reboot.required \
  event_src s reboot_required \
  severity s warning \
  summary s "an upgrade takes effect after a reboot" \
  idempotency_key s "$file $(stat -c %Y "$file")"
