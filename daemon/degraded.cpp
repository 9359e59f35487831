// SPDX-License-Identifier: Apache-2.0
#include "daemon/degraded.hpp"

#include <fmt/format.h>

namespace tocsin::daemon {

namespace {
constexpr std::int64_t tell_interval_us = 60'000'000;
}

bool Degraded::may_tell(const std::string& what, std::int64_t now_us) {
    const auto [told, first] = told_us_.try_emplace(what, now_us);
    if (!first && now_us - told->second < tell_interval_us) {
        return false;
    }
    told->second = now_us;
    return true;
}

std::optional<DegradedChange> Degraded::set(std::string_view kind, std::string_view detail, std::int64_t now_us) {
    std::string reason = detail.empty() ? std::string(kind) : fmt::format("{}: {}", kind, detail);
    const auto [found, added] = reasons_.insert_or_assign(std::string(kind), reason);
    if (!added) {
        return std::nullopt;
    }
    return DegradedChange{.kind = found->first,
                          .reason = std::move(reason),
                          .began = true,
                          .tell = may_tell(fmt::format("+{}", kind), now_us)};
}

std::optional<DegradedChange> Degraded::clear(std::string_view kind, std::int64_t now_us) {
    const auto found = reasons_.find(kind);
    if (found == reasons_.end()) {
        return std::nullopt;
    }
    DegradedChange change{.kind = found->first,
                          .reason = std::move(found->second),
                          .began = false,
                          .tell = may_tell(fmt::format("-{}", kind), now_us)};
    reasons_.erase(found);
    return change;
}

std::vector<std::string> Degraded::reasons() const {
    std::vector<std::string> out;
    out.reserve(reasons_.size());
    for (const auto& [kind, reason] : reasons_) {
        out.push_back(reason);
    }
    return out;
}

std::vector<std::string> Degraded::kinds() const {
    std::vector<std::string> out;
    out.reserve(reasons_.size());
    for (const auto& [kind, reason] : reasons_) {
        out.push_back(kind);
    }
    return out;
}

} // namespace tocsin::daemon
