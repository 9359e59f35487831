#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A job of cron or a timer, watched: tocsinctl tells the daemon when it starts and how it ends, with its exit code and the
# last lines that it wrote. When it does not run at all for a day and an hour, heartbeat.missed is in the log.
#
#     nightly_copy.sh FROM TO          nightly_copy.sh /srv /mnt/backup
set -eu
from=${1:?usage: nightly_copy.sh FROM TO}
to=${2:?usage: nightly_copy.sh FROM TO}
exec tocsinctl run nightly-copy --interval 1d --grace 1h -- cp -a "$from/." "$to"
