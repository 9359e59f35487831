// SPDX-License-Identifier: Apache-2.0
// A process started by posix_spawn: which program, with which of our descriptors as its standard streams.
#pragma once

#include <csignal>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tocsin::cli {

struct SpawnPlan {
    std::vector<std::string> words{};     // the program, looked for in PATH, and its arguments
    std::vector<std::string> variables{}; // "NAME=value", in place of our own of that name
    int input = 0;
    int output = 1;
    int errors = 2;
    sigset_t mask{};         // signals that it begins with blocked
    bool keeps_other = true; // descriptors above 2 that are inherited at all
};

// 0, or why there is no such process: an errno. SIGPIPE is as usual for it, though we ignore it.
int spawn(const SpawnPlan& plan, pid_t& pid);

} // namespace tocsin::cli
