// SPDX-License-Identifier: Apache-2.0
// The daemon's backup, fetched over its socket into an open file: so it needs no way into the daemon's directories, and
// the file is the caller's own.
#pragma once

#include "cli/session.hpp"
#include "storage/inspect.hpp"

namespace tocsin::cli {

// Whole, or an error.
Result<storage::WholeBackup> fetch_backup(Session& session, int file);

} // namespace tocsin::cli
