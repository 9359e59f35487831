// SPDX-License-Identifier: Apache-2.0
#include "ipc/access.hpp"

#include <algorithm>

namespace tocsin::ipc {

namespace {

constexpr std::uint32_t root_uid = 0;

bool in_group(const AccessPolicy& policy, const Caller& caller) {
    return policy.group && std::ranges::find(caller.groups, *policy.group) != caller.groups.end();
}

std::string who(const Caller& caller) {
    return caller.uid ? "uid " + std::to_string(*caller.uid) : "a caller whose user is not known";
}

std::string needed(const AccessPolicy& policy, Privilege privilege) {
    std::string text = "root or the daemon's owner (uid " + std::to_string(policy.owner_uid) + ")";
    if (privilege != Privilege::control && policy.group) {
        text += " or a member of the group with gid " + std::to_string(*policy.group);
    }
    return text;
}

bool allowed(const AccessPolicy& policy, const Caller& caller, Privilege privilege) {
    if (!caller.uid) {
        return false;
    }
    if (*caller.uid == root_uid || *caller.uid == policy.owner_uid) {
        return true;
    }
    switch (privilege) {
    case Privilege::read:
    case Privilege::submit:
        return in_group(policy, caller);
    case Privilege::control:
        return false;
    }
    return false;
}

} // namespace

Result<void> authorize(const AccessPolicy& policy, const Caller& caller, Privilege privilege, std::string_view what) {
    if (allowed(policy, caller, privilege)) {
        return {};
    }
    return fail(Code::not_authorized, "authorize", std::string(what),
                who(caller) + " may not do this; it takes " + needed(policy, privilege));
}

} // namespace tocsin::ipc
