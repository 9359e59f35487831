// SPDX-License-Identifier: Apache-2.0
// Where a helper for a script is to be had: from a socket of the service manager, which starts one for each connection,
// or from the daemon itself.
#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"
#include "jobs/job_service.hpp"

#include <string>
#include <string_view>

namespace tocsin::jobs {

// The script's own socket (spark-NAME.sock beside the usual one) where it is there; else the usual one where it is
// there or configured; else empty: the daemon starts the helper itself. Looks at the file system.
std::string helper_socket_for(const Settings& settings, std::string_view script);

// Never waits: a Unix socket connects at once or not at all. The reason says what to do.
Result<Fd> connect_helper(const std::string& path);

} // namespace tocsin::jobs
