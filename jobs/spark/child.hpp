// SPDX-License-Identifier: Apache-2.0
// Starts the script as a child of the helper: own session, fixed environment, limits, default signals, no descriptors
// but 0–3.
#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"
#include "jobs/protocol.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace tocsin::jobs::spark {

struct Child {
    pid_t pid = 0;
    Fd output{}; // the reading ends, not blocking
    Fd report{};
};

struct ChildInput {
    std::string path{}; // checked
    int event = -1;     // becomes its stdin: a sealed memfd, so a script that never reads holds nobody up
    int directory = -1;
    std::string home{}; // its path
};

// Returns after the exec succeeded, or with the reason why it did not.
Result<Child> start_script(const protocol::Run& run, const ChildInput& input);

} // namespace tocsin::jobs::spark
