// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/calendars.hpp"

#include "core/heartbeat.hpp"

#include <algorithm>

namespace tocsin::heartbeats {

std::shared_ptr<const Schedule> Calendars::known(const Words& words) const {
    const auto found = known_.find(words);
    return found == known_.end() ? nullptr : found->second.lock();
}

Result<std::shared_ptr<const Schedule>> Calendars::find(const std::string& expression, const std::string& zone) {
    Words words(expression, zone);
    if (std::shared_ptr<const Schedule> schedule = known(words)) {
        return schedule;
    }
    Result<std::shared_ptr<const Schedule>> read = parse_(expression, zone);
    if (!read) {
        Error error = std::move(read.error());
        // What was said, and of what the reason speaks.
        error.reason = error.object.empty() || error.object == "zone" ? error.reason : error.detail();
        error.object = std::string(schedule_option(error));
        return std::unexpected(std::move(error));
    }
    sweep();
    // Without a zone and with UTC it is the same.
    Words canonical(expression, (*read)->zone());
    std::shared_ptr<const Schedule> schedule = known(canonical);
    if (schedule == nullptr) {
        schedule = std::move(*read);
        known_.insert_or_assign(std::move(canonical), schedule);
    }
    known_.insert_or_assign(std::move(words), schedule);
    return schedule;
}

void Calendars::sweep() {
    if (known_.size() >= sweep_at_) {
        std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
        sweep_at_ = std::max(swept_first, known_.size() * 2);
    }
}

} // namespace tocsin::heartbeats
