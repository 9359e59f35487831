// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/owners.hpp"

namespace tocsin::heartbeats {
namespace {

std::string uid_text(const std::optional<std::uint32_t>& uid) {
    return uid ? "uid " + std::to_string(*uid) : "a sender whose user is not known";
}

std::string unit_text(const std::string& unit) {
    return unit.empty() ? "a sender outside of every unit" : "unit " + unit;
}

} // namespace

void Owners::set(const WatchKey& key, Owner owner) {
    if (owner.uid || !owner.unit.empty()) {
        owners_.insert_or_assign(key, std::move(owner));
    }
}

Result<void> Owners::check(const Beat& beat) const {
    const auto found = owners_.find(beat.key);
    if (found == owners_.end()) {
        return {};
    }
    const Owner& owner = found->second;
    if (owner.uid && owner.uid != beat.uid) {
        return fail(Code::not_authorized, "beat", beat.key.source,
                    "only " + uid_text(owner.uid) + " may beat it, not " + uid_text(beat.uid) +
                        "; its [[heartbeat]] entry says so");
    }
    if (!owner.unit.empty() && owner.unit != beat.unit) {
        return fail(Code::not_authorized, "beat", beat.key.source,
                    "only " + unit_text(owner.unit) + " may beat it, not " + unit_text(beat.unit) +
                        "; its [[heartbeat]] entry says so");
    }
    return {};
}

} // namespace tocsin::heartbeats
