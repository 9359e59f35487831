// SPDX-License-Identifier: Apache-2.0
#include "daemon/suppressed.hpp"

#include "core/json.hpp"
#include "core/limits.hpp"

#include <utility>

namespace tocsin::daemon {

void Suppressed::add(const Sender& sender, Suppression reason) {
    const auto at = static_cast<std::size_t>(reason);
    ++counts_.at(at);
    const bool begins = sources_.empty();
    Source source(std::in_place, sender.uid, sender.unit);
    if (!sources_.contains(source) && sources_.size() >= limits::suppressed_sources) {
        source.reset();
    }
    const auto [found, is_new] = sources_.try_emplace(std::move(source));
    if (is_new) {
        found->second.since_us = clock_.wall_us();
    }
    ++found->second.counts.at(at);
    if (begins && begin_) {
        begin_();
    }
}

Event Suppressed::event_of(const Source& source, const Told& told) const {
    std::string payload;
    json::ObjectWriter writer(payload);
    if (source && source->first) {
        writer.add("uid", std::int64_t{*source->first});
    }
    if (source && !source->second.empty()) {
        writer.add("unit", std::string_view(source->second));
    }
    for (std::size_t i = 0; i < suppressions.size(); ++i) {
        writer.add(suppressions.at(i), told.counts.at(i));
    }
    writer.add("since", TimeUs{told.since_us});
    writer.add("until", TimeUs{clock_.wall_us()});
    writer.close();
    return daemon_event("intake.suppressed", told.since_us, clock_.wall_us(), std::move(payload), Severity::warning);
}

// Where it cannot be kept the counters have it.
void Suppressed::tell() {
    if (sources_.empty()) {
        return;
    }
    StateChange change;
    for (const auto& [source, told] : std::exchange(sources_, {})) {
        change.events.push_back(event_of(source, told));
    }
    store_.commit(std::move(change), [](const Result<std::vector<std::uint64_t>>& /*indexes*/) {});
}

} // namespace tocsin::daemon
