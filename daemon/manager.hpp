// SPDX-License-Identifier: Apache-2.0
// The daemon about itself: status, intake rate, why it is degraded, /metrics, reload; and the events that it appends
// about itself (daemon.started .reloaded .degraded .restored, store.full .resumed .retention). It sees the rooms
// through narrow functions, so that it is tested without them.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "daemon/degraded.hpp"
#include "daemon/handlers.hpp"
#include "daemon/intake_rate.hpp"
#include "daemon/suppressed.hpp"
#include "ipc/notify/server.hpp"
#include "storage/store.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::daemon {

struct ManagerParts {
    StateStore& store; // for its own events
    CommitFeed& feed;
    const Heartbeats& heartbeats;
    const Jobs& jobs;
    const Clock& clock;
    std::function<storage::Health()> health{};
    std::function<RetentionReport()> retention{};
    std::function<std::uint64_t()> jobs_lag{};
    std::function<ipc::notify::Counts()> notify{};
    std::function<SuppressedCounts()> suppressed{};
    // Reads the configuration again and applies it; the names of the keys that changed.
    std::function<Result<std::vector<std::string>>()> reload{};
    // The store's own: a backup into a descriptor, one that is fetched, how far it is.
    std::function<void(int, Done<Backup>)> backup_to{};
    std::function<Result<std::unique_ptr<BackupStream>>()> backup_stream{};
    std::function<std::optional<unsigned>()> backup_percent{};
    std::function<std::string()> config{}; // what is in effect, as JSON
    // What the log should say about a change: (began, reason).
    std::function<void(bool, const std::string&)> log_degraded{};
    std::string hostname{};
    std::string store_id{};
};

class DaemonManager final : public Manager {
public:
    explicit DaemonManager(ManagerParts parts);

    // Follows the commits and appends daemon.started.
    void start();
    // Looks at the store's health; called after each commit and each refused submission.
    void refresh();
    // The store may become whole without a commit: refresh() now and then while this holds.
    bool store_is_full() const;
    // Reasons from elsewhere ("jobs-helper").
    void set_degraded(std::string_view kind, std::string_view detail);
    void clear_degraded(std::string_view kind);

    Status status() const override;
    void reload(Done<void> done) override;
    void backup(int file, Done<Backup> done) override;
    Result<std::unique_ptr<BackupStream>> backup() override;
    RetentionReport retention() const override { return parts_.retention(); }
    std::string metrics() const override;
    std::string config() const override { return parts_.config(); }
    void count_rejected(Code code) override;
    std::unique_ptr<Subscription> on_degraded(std::function<void(const std::vector<std::string>&)> handler) override;

private:
    void changed(const std::optional<DegradedChange>& change);
    void look_at_full(bool full);
    void resumed();
    void look_at_expired(const storage::Expired& expired);
    void append(std::vector<Event> events);
    Event event(std::string_view name, std::int64_t time_us, std::string payload, Severity severity) const;

    ManagerParts parts_;
    std::int64_t started_us_;
    IntakeRate rate_;
    Degraded degraded_{};
    std::int64_t full_since_us_ = 0;            // wall time; 0: not full
    std::int64_t full_told_us_ = 0;             // boot time of the last store.full; 0: none
    std::array<std::uint64_t, 4> space_told_{}; // events that went for space, as store.retention told them last
    std::int64_t space_told_us_ = 0;            // boot time; 0: never
    bool resuming_ = false;                     // store.full and store.resumed are on their way
    std::array<std::uint64_t, 8> rejected_{};
    HandlerList<std::vector<std::string>> handlers_{};
    std::unique_ptr<Subscription> commits_{};
};

} // namespace tocsin::daemon
