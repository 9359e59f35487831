// SPDX-License-Identifier: Apache-2.0
// The jobs that the service has in memory: every unfinished one, with when something is due, and the newest that ended.
// Plain bookkeeping; what is durable is the table.
#pragma once

#include "core/job.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace tocsin::jobs {

struct Entry {
    Job job{};                                            // without output
    std::int64_t due_boot_us = 0;                         // queued: not before; waiting: until
    bool settling = false;                                // a change of it is being committed: others wait for that
    std::vector<std::move_only_function<void()>> after{}; // what waits
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

    // The queued job that is due first: by time, then by id.
    std::optional<std::uint64_t> next_queued(std::int64_t boot_us) const;
    // The waiting job whose time is over.
    std::optional<std::uint64_t> next_expired(std::int64_t boot_us) const;
    std::optional<std::int64_t> queue_due_boot_us() const;
    std::optional<std::int64_t> waiting_due_boot_us() const;
    // No longer found by the two above: something is being done about it.
    void unwatch(std::uint64_t id);
    // Back to the queue, not before `due_boot_us`.
    void requeue(std::uint64_t id, std::int64_t due_boot_us);

    std::vector<std::uint64_t> of_event(std::uint64_t unique_index) const; // unfinished ones, oldest first
    const std::map<std::uint64_t, Entry>& unfinished() const { return unfinished_; }
    std::map<JobState, std::uint64_t> counts() const;
    std::vector<Job> recent(std::size_t limit) const;

private:
    using Due = std::set<std::pair<std::int64_t, std::uint64_t>>;
    void put(Job job, std::int64_t due_boot_us);
    void unlink(const Entry& entry);

    std::map<std::uint64_t, Entry> unfinished_{};
    std::set<std::pair<std::uint64_t, std::uint64_t>> by_event_{};
    Due queued_{};
    Due waiting_{};
    std::deque<Job> ended_{}; // newest last
    std::map<JobState, std::uint64_t> ended_counts_{};
    std::uint64_t next_id_ = 1;
};

} // namespace tocsin::jobs
