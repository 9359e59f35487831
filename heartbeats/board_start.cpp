// SPDX-License-Identifier: Apache-2.0
// How the board begins: what was stored, and what the configuration says, at a start and at a reload.
#include "core/json.hpp"
#include "heartbeats/board.hpp"
#include "heartbeats/watch_codec.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::heartbeats {
namespace {

constexpr std::size_t unread_told_max = 100; // rows named in events

} // namespace

Result<void> Board::start() {
    if (Result<void> loaded = load(); !loaded) {
        return loaded;
    }
    running_ = true;
    apply_configuration();
    proceed();
    return {};
}

Result<void> Board::load() {
    Unread unread;
    const Now held_from = now();
    Result<void> read = store_.for_each(
        Table::watches, [this, &unread, held_from](const Row& row) { take_row(row, held_from, unread); });
    if (read) {
        report(std::move(unread.damaged), true);
        report(std::move(unread.waiting), false);
    }
    return read;
}

void Board::take_row(const Row& row, Now held_from, Unread& unread) {
    Result<Watch> watch = decode_watch(row.key, row.value, calendars_);
    if (!watch) {
        std::vector<std::string>& told = watch.error().code == Code::unavailable ? unread.waiting : unread.damaged;
        if (told.size() < unread_told_max) {
            told.push_back(row.key);
        }
        return;
    }
    const WatchKey key = watch->key;
    if (watches_.restore(std::move(*watch), held_from)) {
        ledger_->add(key, {});
    }
}

// One bad row must not keep the daemon from watching the others; it is told, and removed where nothing can be made of
// it.
void Board::report(std::vector<std::string> keys, bool remove) {
    if (keys.empty()) {
        return;
    }
    StateChange change;
    const std::int64_t now_us = clock_.wall_us();
    for (std::string& key : keys) {
        std::string payload;
        json::ObjectWriter writer(payload);
        const Result<WatchKey> name = decode_key(key);
        writer.add("table", std::string_view("watches"));
        writer.add("source", name ? Scalar(std::string_view(name->source)) : Scalar(std::string_view("unknown")));
        writer.close();
        change.events.push_back(daemon_event("log.corrupt", now_us, now_us, payload, Severity::error));
        if (remove) {
            change.rows.push_back(TableChange{Table::watches, std::move(key), std::nullopt});
        }
    }
    // Where this fails the rows are still there at the next start, and told then.
    store_.commit(std::move(change), [](const Result<std::vector<std::uint64_t>>& /*indexes*/) {});
}

Result<WatchSetting> Board::setting_of(const WatchConfig& entry) {
    WatchSetting setting{.grace_us = entry.grace_us >= 0 ? entry.grace_us : settings_.defaults.grace_us,
                         .run_limit_us = entry.run_limit_us};
    if (entry.schedule.empty()) {
        setting.interval_us = entry.interval_us > 0 ? entry.interval_us : settings_.defaults.interval_us;
        return setting;
    }
    auto schedule = calendars_.find(entry.schedule, entry.zone);
    if (!schedule) {
        return std::unexpected(std::move(schedule.error()));
    }
    setting.schedule = std::move(*schedule);
    setting.early_us = entry.early_us >= 0 ? entry.early_us : limits::early_us_default;
    return setting;
}

void Board::apply_configuration() {
    const Now at = now();
    std::vector<WatchKey> named;
    named.reserve(settings_.watches.size());
    owners_.clear();
    for (const WatchConfig& entry : settings_.watches) {
        const Result<WatchSetting> setting = setting_of(entry);
        named.push_back(entry.key);
        owners_.set(entry.key, Owner{entry.uid, entry.unit});
        // What cannot be read was refused with the configuration; a zone that went missing since leaves it as it was.
        const auto outcome = setting ? watches_.configure(entry.key, *setting, at) : std::nullopt;
        if (outcome) {
            record(*outcome, at.wall_us);
        }
    }
    std::ranges::sort(named);
    for (const WatchKey& key : watches_.configured()) {
        if (!std::ranges::binary_search(named, key)) {
            if (const auto outcome = watches_.release(key)) {
                record(*outcome, at.wall_us);
            }
        }
    }
}

} // namespace tocsin::heartbeats
