// SPDX-License-Identifier: Apache-2.0
// Starts tocsin-spark as a child of the daemon, with one end of a socket as its standard input. By posix_spawn, which
// does not copy the daemon's page tables.
#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"

#include <string>
#include <sys/types.h>

namespace tocsin::jobs {

struct HelperProcess {
    pid_t pid = 0;
    Fd socket{};
    Fd pidfd{};
};

// Returns when the new process has begun; thread-safe.
Result<HelperProcess> spawn_helper(const std::string& program);
// Of one that got no request, and so has no script: kills and reaps it.
void end_unused(const HelperProcess& process);

} // namespace tocsin::jobs
