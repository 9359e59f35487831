// SPDX-License-Identifier: Apache-2.0
#include "daemon/manager.hpp"

#include "core/json.hpp"
#include "daemon/metrics.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace tocsin::daemon {

namespace {

constexpr std::string_view store_full = "store-full";
constexpr std::string_view store_read_only = "store-read-only";
constexpr std::string_view store_sealing = "store-sealing"; // events are kept and found, but their indexes are not made
constexpr std::int64_t full_told_interval_us = 60'000'000;  // a disk that flaps fills no log
constexpr std::size_t listed_max = 100;                     // in one payload

std::string started_payload() {
    std::string out;
    json::ObjectWriter writer(out);
    writer.add("version", std::string_view(TOCSIN_VERSION));
    writer.add("pid", std::int64_t{getpid()});
    writer.close();
    return out;
}

std::string list_payload(std::string_view key, const std::vector<std::string>& items) {
    std::string list = "[";
    for (std::size_t i = 0; i < items.size() && i < listed_max; ++i) {
        list += i > 0 ? "," : "";
        json::append_string(list, items[i]);
    }
    list += "]";
    std::string out;
    json::ObjectWriter writer(out);
    writer.add(key, RawJson{list});
    writer.close();
    return out;
}

constexpr std::int64_t space_told_interval_us = 3'600'000'000;

std::string expired_payload(const std::array<std::uint64_t, 4>& now, const std::array<std::uint64_t, 4>& before) {
    std::string out = "{";
    for (std::size_t rank = 0; rank < now.size(); ++rank) {
        out += fmt::format("\"{}\":{},", to_string(static_cast<Severity>(rank)), now[rank] - before[rank]);
    }
    return out + R"("reason":"space"})";
}

} // namespace

DaemonManager::DaemonManager(ManagerParts parts)
    : parts_(std::move(parts)), started_us_(parts_.clock.wall_us()), rate_(parts_.clock.boot_us()) {}

void DaemonManager::start() {
    commits_ = parts_.feed.on_commit([this](const CommitNotice& notice) {
        rate_.add(parts_.clock.boot_us(), notice.events ? notice.events->size() : 0);
        refresh();
    });
    append({event("daemon.started", parts_.clock.wall_us(), started_payload(), Severity::info)});
    refresh();
}

void DaemonManager::refresh() {
    const storage::Health health = parts_.health();
    const std::int64_t now_us = parts_.clock.boot_us();
    if (health.stopped_writing.empty()) {
        changed(degraded_.clear(store_read_only, now_us));
    } else {
        changed(degraded_.set(store_read_only, health.stopped_writing, now_us));
    }
    if (health.stopped_sealing.empty()) {
        changed(degraded_.clear(store_sealing, now_us));
    } else {
        changed(degraded_.set(store_sealing, health.stopped_sealing, now_us));
    }
    look_at_full(health.full);
    look_at_expired(health.expired);
}

// Events went before their time: told when it begins, and once an hour as long as it goes on.
void DaemonManager::look_at_expired(const storage::Expired& expired) {
    const std::int64_t now_us = parts_.clock.boot_us();
    if (expired.for_space == space_told_ || (space_told_us_ != 0 && now_us - space_told_us_ < space_told_interval_us)) {
        return;
    }
    append({event("store.retention", parts_.clock.wall_us(), expired_payload(expired.for_space, space_told_),
                  Severity::warning)});
    space_told_ = expired.for_space;
    space_told_us_ = now_us;
}

// While the store is full nothing can be appended: both events are made when it takes events again, and only when they
// are in the log is the store said to be whole.
void DaemonManager::look_at_full(bool full) {
    if (full) {
        full_since_us_ = full_since_us_ == 0 ? parts_.clock.wall_us() : full_since_us_;
        changed(degraded_.set(store_full, "", parts_.clock.boot_us()));
        return;
    }
    if (full_since_us_ == 0 || resuming_) {
        return;
    }
    if (full_told_us_ != 0 && parts_.clock.boot_us() - full_told_us_ < full_told_interval_us) {
        resumed();
        return;
    }
    resuming_ = true;
    StateChange change;
    change.events.push_back(event("store.full", full_since_us_, "{}", Severity::critical));
    change.events.push_back(event("store.resumed", parts_.clock.wall_us(), "{}", Severity::info));
    parts_.store.commit(std::move(change), [this](const Result<std::vector<std::uint64_t>>& done) {
        resuming_ = false;
        if (done) {
            full_told_us_ = parts_.clock.boot_us();
            resumed();
        }
    });
}

void DaemonManager::resumed() {
    full_since_us_ = 0;
    changed(degraded_.clear(store_full, parts_.clock.boot_us()));
}

bool DaemonManager::store_is_full() const {
    return full_since_us_ != 0;
}

void DaemonManager::set_degraded(std::string_view kind, std::string_view detail) {
    changed(degraded_.set(kind, detail, parts_.clock.boot_us()));
}

void DaemonManager::clear_degraded(std::string_view kind) {
    changed(degraded_.clear(kind, parts_.clock.boot_us()));
}

void DaemonManager::changed(const std::optional<DegradedChange>& change) {
    if (!change) {
        return;
    }
    if (change->tell && parts_.log_degraded) {
        parts_.log_degraded(change->began, change->reason);
    }
    // A store that cannot be written takes no event about it, and a full one gets its own two.
    if (change->tell && change->kind != store_full && change->kind != store_read_only) {
        append({event(change->began ? "daemon.degraded" : "daemon.restored", parts_.clock.wall_us(),
                      list_payload("reasons", {change->reason}), change->began ? Severity::error : Severity::info)});
    }
    handlers_.call(degraded_.reasons());
}

Event DaemonManager::event(std::string_view name, std::int64_t time_us, std::string payload, Severity severity) const {
    return daemon_event(name, time_us, parts_.clock.wall_us(), std::move(payload), severity);
}

// What the daemon says about itself is not worth stopping for: where it cannot be kept, the log and the status have it.
void DaemonManager::append(std::vector<Event> events) {
    StateChange change;
    change.events = std::move(events);
    parts_.store.commit(std::move(change), [](const Result<std::vector<std::uint64_t>>&) {});
}

Status DaemonManager::status() const {
    const storage::Health health = parts_.health();
    return Status{.version = TOCSIN_VERSION,
                  .hostname = parts_.hostname,
                  .store_id = parts_.store_id,
                  .event_count = health.event_count,
                  .first_index = health.first_index,
                  .last_index = health.last_index,
                  .store_bytes = health.store_bytes,
                  .intake_rate = rate_.per_second(parts_.clock.boot_us()),
                  .degraded = degraded_.reasons(),
                  .started_us = started_us_,
                  .indexing_percent = health.indexing_percent,
                  .backup_percent = parts_.backup_percent ? parts_.backup_percent() : std::nullopt};
}

void DaemonManager::reload(Done<void> done) {
    auto changed_keys = parts_.reload();
    if (!changed_keys) {
        done(std::unexpected(std::move(changed_keys.error())));
        return;
    }
    append({event("daemon.reloaded", parts_.clock.wall_us(), list_payload("changed", *changed_keys), Severity::info)});
    done({});
}

void DaemonManager::backup(int file, Done<Backup> done) {
    parts_.backup_to(file, std::move(done));
}

Result<std::unique_ptr<BackupStream>> DaemonManager::backup() {
    return parts_.backup_stream();
}

std::string DaemonManager::metrics() const {
    return render_metrics(MetricsInput{.version = TOCSIN_VERSION,
                                       .health = parts_.health(),
                                       .rejected = rejected_,
                                       .notify = parts_.notify ? parts_.notify() : ipc::notify::Counts{},
                                       .suppressed = parts_.suppressed ? parts_.suppressed() : SuppressedCounts{},
                                       .watches = parts_.heartbeats.counts(),
                                       .jobs = parts_.jobs.counts(),
                                       .reader_lag = {{"jobs", parts_.jobs_lag()}},
                                       .degraded = degraded_.kinds()});
}

void DaemonManager::count_rejected(Code code) {
    rejected_.at(static_cast<std::size_t>(code))++;
    if (code == Code::storage_full) {
        refresh();
    }
}

std::unique_ptr<Subscription> DaemonManager::on_degraded(std::function<void(const std::vector<std::string>&)> handler) {
    return handlers_.add(std::move(handler));
}

} // namespace tocsin::daemon
