// SPDX-License-Identifier: Apache-2.0
// Who may do what. Every method and route declares one Privilege where it is registered; deny by default.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::ipc {

// Who is on the other side, as the kernel or the bus says. Never what a message says.
struct Caller {
    std::optional<std::uint32_t> uid{};
    std::vector<std::uint32_t> groups{}; // primary and supplementary
    Origin origin{};
};

enum class Privilege : std::uint8_t {
    read,    // members of the group, the owner, root
    submit,  // the same
    control, // root and the daemon's owner alone
};

struct AccessPolicy {
    std::uint32_t owner_uid = 0;          // the daemon's own user
    std::optional<std::uint32_t> group{}; // of access.group; none: the owner and root alone
};

// not_authorized, with what would be needed, unless allowed. `what` names the method or route.
Result<void> authorize(const AccessPolicy& policy, const Caller& caller, Privilege privilege, std::string_view what);

// unit and executable of a process, from /proc; left empty where in doubt (the process is checked to be the same before
// and after by its start time). `pidfd` may be -1.
void look_up_process(Origin& origin, int pidfd);

} // namespace tocsin::ipc
