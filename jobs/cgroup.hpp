// SPDX-License-Identifier: Apache-2.0
// Whether the control group of this process limits memory and processes: a service manager that could not apply what
// the unit asks for (a controller that is missing, a container) says nothing, so the helper looks itself.
#pragma once

#include <string>
#include <string_view>

namespace tocsin::jobs {

// What is not limited, for a person; empty where both are. `membership` is the text of /proc/self/cgroup, `root` where
// the hierarchies are mounted.
std::string unlimited_in(std::string_view membership, const std::string& root);

// Of this process; empty, too, where no service manager started it, for then nobody promised limits.
std::string unlimited_here();

} // namespace tocsin::jobs
