// SPDX-License-Identifier: Apache-2.0
// Who alone may beat a watch, where the configuration says so. By the sender's user or unit as the kernel or the bus
// tells them; a sender in doubt is refused.
#pragma once

#include "core/heartbeat.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace tocsin::heartbeats {

struct Owner {
    std::optional<std::uint32_t> uid{};
    std::string unit{}; // empty: any
};

class Owners {
public:
    void clear() { owners_.clear(); }
    void set(const WatchKey& key, Owner owner);
    // not_authorized naming the source.
    Result<void> check(const Beat& beat) const;

private:
    std::map<WatchKey, Owner> owners_;
};

} // namespace tocsin::heartbeats
