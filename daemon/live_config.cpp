// SPDX-License-Identifier: Apache-2.0
#include "daemon/live_config.hpp"

#include "daemon/config_table.hpp"

#include <fmt/format.h>

namespace tocsin::daemon {

namespace {

// What is compared of an entry: all but where it was written.
std::string text_of(const HeartbeatEntry& entry) {
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", entry.source, entry.scid, entry.interval_us,
                       entry.grace_us, entry.schedule, entry.zone, entry.early_us, entry.run_limit_us, entry.uid,
                       entry.unit);
}

std::string text_of(const ScriptEntry& entry) {
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", entry.name, entry.submit, entry.rerun, entry.timeout_us,
                       entry.kill_after_us, entry.retries, entry.parallel);
}

std::string text_of(const DatasetEntry& entry) {
    std::string out = entry.id;
    for (const DatasetField& field : entry.fields) {
        out += fmt::format("\n{}\n{}\n{}", field.name, field.label, field.type);
    }
    return out;
}

template <typename Entry> bool same(const std::vector<Entry>& a, const std::vector<Entry>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Entry& one, const Entry& other) { return text_of(one) == text_of(other); });
}

void keep_place(Loaded& next, const Loaded& now, std::string_view key) {
    next.places.erase(std::string(key));
    if (const auto place = now.places.find(key); place != now.places.end()) {
        next.places.insert(*place);
    }
}

} // namespace

Result<Reloaded> LiveConfig::reload() {
    Loaded next = load_config(sources_);
    if (!next.problems.empty()) {
        return std::unexpected(first_problem(next));
    }
    Reloaded out;
    for (const Key<Config>& key : config_keys()) {
        if (show(next.config, key) == show(loaded_.config, key)) {
            continue;
        }
        if (key.spec.reloadable) {
            out.changed.emplace_back(key.spec.path);
        } else {
            out.waiting.emplace_back(key.spec.path);
            assign(next.config, key.member, value_of(loaded_.config, key));
            keep_place(next, loaded_, key.spec.path);
        }
    }
    const Config& before = loaded_.config;
    if (!same(before.heartbeats, next.config.heartbeats)) {
        out.changed.emplace_back("heartbeat");
    }
    if (!same(before.scripts, next.config.scripts)) {
        out.changed.emplace_back("script");
    }
    if (!same(before.datasets, next.config.datasets)) {
        out.changed.emplace_back("dataset");
    }
    loaded_ = std::move(next);
    return out;
}

} // namespace tocsin::daemon
