// SPDX-License-Identifier: Apache-2.0
// The environment of a SPARK script, whole: what it gets from the run, and nothing that anybody else had.
#pragma once

#include "jobs/protocol.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::jobs {

// "NAME=value"; `home` is its working directory.
std::vector<std::string> script_environment(const protocol::Run& run, std::string_view home);

} // namespace tocsin::jobs
