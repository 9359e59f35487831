// SPDX-License-Identifier: Apache-2.0
#include "jobs/records.hpp"

#include <algorithm>
#include <ranges>

namespace tocsin::jobs {

namespace {

constexpr std::size_t ended_kept_max = 1'000;

} // namespace

Entry* Records::find(std::uint64_t id) {
    const auto found = unfinished_.find(id);
    return found == unfinished_.end() ? nullptr : &found->second;
}

void Records::unlink(const Entry& entry) {
    queued_.remove(entry.job.script, {entry.due_boot_us, entry.job.id});
    waiting_.erase({entry.due_boot_us, entry.job.id});
}

void Records::index_events(const Job& job) {
    by_event_.emplace(job.unique_index, job.id);
    for (const JoinedEvent& event : job.joined) {
        by_event_.emplace(event.unique_index, job.id);
    }
}

void Records::forget_events(const Job& job) {
    by_event_.erase({job.unique_index, job.id});
    for (const JoinedEvent& event : job.joined) {
        by_event_.erase({event.unique_index, job.id});
    }
}

void Records::open_to_join(std::uint64_t id, std::string key) {
    if (Entry* entry = find(id); entry != nullptr && entry->job.state == JobState::queued) {
        close_to_join(*entry);
        if (Entry* const other = joinable(key)) {
            other->join_key.clear(); // it is full; the newer one takes over
        }
        entry->join_key = key;
        joinable_.insert_or_assign(std::move(key), id);
    }
}

void Records::close_to_join(Entry& entry) {
    const auto found = joinable_.find(entry.join_key);
    if (found != joinable_.end() && found->second == entry.job.id) {
        joinable_.erase(found);
    }
    entry.join_key.clear();
}

Entry* Records::joinable(std::string_view key) {
    const auto found = joinable_.find(key);
    return found == joinable_.end() ? nullptr : find(found->second);
}

void Records::keep(Job job, std::int64_t due_boot_us) {
    if (is_final(job.state)) {
        ++ended_counts_[job.state];
    }
    put(std::move(job), due_boot_us);
}

void Records::restore(Job job, std::int64_t due_boot_us) {
    expect_next_id(job.id + 1);
    put(std::move(job), due_boot_us);
}

void Records::put(Job job, std::int64_t due_boot_us) {
    job.output = {};
    const auto found = unfinished_.find(job.id);
    if (found != unfinished_.end()) {
        unlink(found->second);
    }
    if (is_final(job.state)) {
        forget_events(job);
        if (found != unfinished_.end()) {
            close_to_join(found->second);
            unfinished_.erase(found);
        }
        ended_.push_back(std::move(job));
        if (ended_.size() > ended_kept_max) {
            ended_.pop_front();
        }
        return;
    }
    index_events(job);
    Entry& entry = unfinished_[job.id];
    entry.due_boot_us = due_boot_us;
    if (job.state == JobState::queued) {
        queued_.add(job.script, {due_boot_us, job.id});
    } else if (job.state == JobState::waiting) {
        waiting_.emplace(due_boot_us, job.id);
    }
    if (job.state != JobState::queued || job.attempt > 0) {
        close_to_join(entry);
    }
    entry.job = std::move(job);
}

std::optional<std::uint64_t> Records::next_queued(std::int64_t boot_us) const {
    const auto first = queued_.first();
    return first && first->first <= boot_us ? std::optional(first->second) : std::nullopt;
}

std::optional<std::uint64_t> Records::next_expired(std::int64_t boot_us) const {
    const bool due = !waiting_.empty() && waiting_.begin()->first <= boot_us;
    return due ? std::optional(waiting_.begin()->second) : std::nullopt;
}

std::optional<std::int64_t> Records::queue_due_boot_us() const {
    const auto first = queued_.first();
    return first ? std::optional(first->first) : std::nullopt;
}

std::optional<std::int64_t> Records::waiting_due_boot_us() const {
    return waiting_.empty() ? std::nullopt : std::optional(waiting_.begin()->first);
}

void Records::requeue(std::uint64_t id, std::int64_t due_boot_us) {
    if (Entry* entry = find(id)) {
        entry->due_boot_us = due_boot_us;
        queued_.add(entry->job.script, {due_boot_us, id});
    }
}

void Records::unwatch(std::uint64_t id) {
    if (const Entry* entry = find(id)) {
        unlink(*entry);
    }
}

std::vector<std::uint64_t> Records::of_event(std::uint64_t unique_index) const {
    std::vector<std::uint64_t> ids;
    auto at = by_event_.lower_bound({unique_index, 0});
    for (; at != by_event_.end() && at->first == unique_index; ++at) {
        ids.push_back(at->second);
    }
    return ids;
}

std::map<JobState, std::uint64_t> Records::counts() const {
    auto counts = ended_counts_;
    for (const auto state : {JobState::queued, JobState::running, JobState::waiting, JobState::succeeded,
                             JobState::failed, JobState::timed_out, JobState::cancelled}) {
        counts.try_emplace(state, 0);
    }
    for (const auto& [id, entry] : unfinished_) {
        ++counts[entry.job.state];
    }
    return counts;
}

std::vector<Job> Records::recent(std::size_t limit) const {
    std::vector<Job> jobs;
    for (const auto& [id, entry] : unfinished_ | std::views::reverse) {
        if (jobs.size() == limit) {
            return jobs;
        }
        jobs.push_back(entry.job);
    }
    for (const Job& job : ended_ | std::views::reverse) {
        if (jobs.size() == limit) {
            break;
        }
        jobs.push_back(job);
    }
    return jobs;
}

} // namespace tocsin::jobs
