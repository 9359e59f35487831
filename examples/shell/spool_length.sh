#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A detector in a few lines of shell and curl: too many files wait in a folder.
#
#     spool_length.sh FOLDER MOST          spool_length.sh /var/spool/outgoing 100
set -eu
folder=${1:?usage: spool_length.sh FOLDER MOST}
most=${2:?usage: spool_length.sh FOLDER MOST}
socket=${TOCSIN_SOCKET:-/run/tocsin/tocsin.sock}

waiting=$(find "$folder" -type f | wc -l)
[ "$waiting" -gt "$most" ] || exit 0

# jq writes the JSON, so that no name of a folder can break out of its quotes. The key makes a repeat harmless: curl may
# send it again when the daemon is being restarted, and the event is kept once.
key=$(cat /proc/sys/kernel/random/uuid)
jq -n --arg folder "$folder" --arg key "$key" --argjson waiting "$waiting" --argjson most "$most" '{
    event_name: "spool.long", event_src: "spool_length", severity: "warning", idempotency_key: $key,
    event_rule: "files > \($most)", payload: {folder: $folder, files: $waiting}
  }' |
  curl --unix-socket "$socket" --silent --show-error --fail-with-body --max-time 10 --retry 5 --retry-all-errors \
    -H 'Content-Type: application/json' --data-binary @- http://localhost/v1/events
echo # the answer was one line: {"unique_index":17}, and the event is on disk
