// SPDX-License-Identifier: Apache-2.0
#include "ipc/access.hpp"

#include <algorithm>

namespace tocsin::ipc {

namespace {

constexpr std::uint32_t root_uid = 0;

bool in_group(const AccessPolicy& policy, const Caller& caller) {
    return policy.group && std::ranges::find(caller.groups, *policy.group) != caller.groups.end();
}

bool is_owner(const AccessPolicy& policy, const Caller& caller) {
    return caller.uid && (*caller.uid == root_uid || *caller.uid == policy.owner_uid);
}

std::string needed(const AccessPolicy& policy, Action action) {
    std::string text = "root or the daemon's owner (uid " + std::to_string(policy.owner_uid) + ")";
    if (!is_guarded(action) && policy.group) {
        text += " or a member of the group with gid " + std::to_string(*policy.group);
    }
    return text;
}

} // namespace

bool is_member(const AccessPolicy& policy, const Caller& caller) {
    return caller.uid && (is_owner(policy, caller) || in_group(policy, caller));
}

Standing standing(const AccessPolicy& policy, const Caller& caller, Action action) {
    if (is_owner(policy, caller)) {
        return Standing::allowed;
    }
    if (!caller.uid || !policy.group) {
        return Standing::refused;
    }
    if (is_guarded(action)) {
        return Standing::ask;
    }
    return in_group(policy, caller) ? Standing::allowed : Standing::refused;
}

std::string may_not(const Caller& caller) {
    return (caller.uid ? "uid " + std::to_string(*caller.uid) : "a caller whose user is not known") +
           " may not do this";
}

Error refusal(const AccessPolicy& policy, const Caller& caller, Action action, std::string_view what) {
    return Error{Code::not_authorized, "authorize", std::string(what),
                 may_not(caller) + "; it takes " + needed(policy, action)};
}

} // namespace tocsin::ipc
