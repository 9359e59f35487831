// SPDX-License-Identifier: Apache-2.0
// Who may do what. Every method and route declares one Action where it is registered; deny by default.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"
#include "ipc/action.hpp"

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

struct AccessPolicy {
    std::uint32_t owner_uid = 0;          // the daemon's own user
    std::optional<std::uint32_t> group{}; // of access.group; none: the owner and root alone
};

// Members of the group, the owner and root: who may read and submit.
bool is_member(const AccessPolicy& policy, const Caller& caller);

// What can be said without asking anybody. A guarded act of others than root and the owner is for the Authority
// (ipc/authority.hpp); where only these two are let in, nobody is asked.
enum class Standing : std::uint8_t { refused, ask, allowed };
Standing standing(const AccessPolicy& policy, const Caller& caller, Action action);

// not_authorized, with who the caller is and what would be needed. `what` names the method or route.
Error refusal(const AccessPolicy& policy, const Caller& caller, Action action, std::string_view what);
// "uid 1000 may not do this".
std::string may_not(const Caller& caller);

// unit and executable of a process, from /proc; left empty where in doubt (the process is checked to be the same before
// and after by its start time). `pidfd` may be -1.
void look_up_process(Origin& origin, int pidfd);

} // namespace tocsin::ipc
