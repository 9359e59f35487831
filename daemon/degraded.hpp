// SPDX-License-Identifier: Apache-2.0
// Why the daemon is not whole: one reason for each kind ("store-full", "store-read-only", "jobs-helper", "jobs-queue"),
// what changed, and when it may become an event (at most one of each kind a minute, so that a flapping disk fills no
// log).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::daemon {

struct DegradedChange {
    std::string kind;
    std::string reason; // "kind" or "kind: details"
    bool began = false; // else: restored
    bool tell = false;  // not told within the last minute
};

class Degraded {
public:
    // Nothing when the kind stands already; its detail is kept up to date all the same.
    std::optional<DegradedChange> set(std::string_view kind, std::string_view detail, std::int64_t now_us);
    std::optional<DegradedChange> clear(std::string_view kind, std::int64_t now_us);
    std::vector<std::string> reasons() const;
    std::vector<std::string> kinds() const;

private:
    bool may_tell(const std::string& what, std::int64_t now_us);
    std::map<std::string, std::string, std::less<>> reasons_{}; // by kind
    std::map<std::string, std::int64_t, std::less<>> told_us_{};
};

} // namespace tocsin::daemon
