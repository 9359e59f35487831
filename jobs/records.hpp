// SPDX-License-Identifier: Apache-2.0
// The jobs that the service has in memory: every unfinished one, with when something is due, and the newest that ended.
// Plain bookkeeping; what is durable is the table.
#pragma once

#include "core/job.hpp"
#include "jobs/script_queues.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::jobs {

struct Entry {
    Job job{};                                            // without output
    std::int64_t due_boot_us = 0;                         // queued: not before; waiting: until
    bool settling = false;                                // a change of it is being committed: others wait for that
    std::vector<std::move_only_function<void()>> after{}; // what waits
    std::string join_key{};                               // queued: by which later events may join it; empty: none
};

class Records {
public:
    // Ids are never reused; the one who takes one stores next_id() in the same commit.
    std::uint64_t allocate() { return next_id_++; }
    std::uint64_t next_id() const { return next_id_; }
    void expect_next_id(std::uint64_t id) { next_id_ = std::max(next_id_, id); }

    Entry* find(std::uint64_t id);
    // The job as it is now. A final one is only remembered among the newest, and counted where it ended under our eyes.
    void keep(Job job, std::int64_t due_boot_us);
    void restore(Job job, std::int64_t due_boot_us);

    // The queued job that is due first, by time, then by id, among those whose script may run one more.
    std::optional<std::uint64_t> next_queued(std::int64_t boot_us) const;
    // The waiting job whose time is over.
    std::optional<std::uint64_t> next_expired(std::int64_t boot_us) const;
    std::optional<std::int64_t> queue_due_boot_us() const;
    std::optional<std::int64_t> waiting_due_boot_us() const;
    // No longer found by the two above: something is being done about it.
    void unwatch(std::uint64_t id);
    // A run of a script takes one of its places, and leaves it.
    void run_begins(const std::string& script) { queued_.run_begins(script); }
    void run_ends(const std::string& script) { queued_.run_ends(script); }
    void set_limits(ScriptLimits limits) { queued_.set_limits(std::move(limits)); }
    // Back to the queue, not before `due_boot_us`.
    void requeue(std::uint64_t id, std::int64_t due_boot_us);

    // Later events with this key may join the queued job, until it leaves the queue.
    void open_to_join(std::uint64_t id, std::string key);
    // A queued job that one more event may join.
    Entry* joinable(std::string_view key);

    // Unfinished ones, oldest first, those included that it joined.
    std::vector<std::uint64_t> of_event(std::uint64_t unique_index) const;
    const std::map<std::uint64_t, Entry>& unfinished() const { return unfinished_; }
    std::map<JobState, std::uint64_t> counts() const;
    std::vector<Job> recent(std::size_t limit) const;

private:
    using Due = std::set<std::pair<std::int64_t, std::uint64_t>>;
    void put(Job job, std::int64_t due_boot_us);
    void unlink(const Entry& entry);
    void close_to_join(Entry& entry);
    void index_events(const Job& job);
    void forget_events(const Job& job);

    std::map<std::uint64_t, Entry> unfinished_{};
    std::set<std::pair<std::uint64_t, std::uint64_t>> by_event_{};
    ScriptQueues queued_{};
    std::map<std::string, std::uint64_t, std::less<>> joinable_{};
    Due waiting_{};
    std::deque<Job> ended_{}; // newest last
    std::map<JobState, std::uint64_t> ended_counts_{};
    std::uint64_t next_id_ = 1;
};

} // namespace tocsin::jobs
