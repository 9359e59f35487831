// SPDX-License-Identifier: Apache-2.0
// New jobs: from events that name a script, and from callers.
#include "jobs/engine.hpp"

#include "jobs/refusals.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace tocsin::jobs {

namespace {

// Of jobs; older ones go with their files, their reports stay on the events.
constexpr std::uint64_t rows_kept_max = 100'000;
constexpr std::size_t requests_max = 1'024; // of callers, waiting for the store
constexpr std::size_t release_max = 1'000;  // free places after which a log that waits is read on

void fail_job(Job& job, std::string_view reason) {
    job.state = JobState::failed;
    job.reason = reason;
    job.ended_us = job.queued_us;
}

// What two events have in common whose report would be the same. Names have no control characters.
std::string join_key(const Event& event) {
    return event.spark_script + '\0' + event.event_name + '\0' + event.event_src + '\0' + std::to_string(event.scid);
}

} // namespace

std::uint64_t Engine::superseded(std::uint64_t id) {
    return id > rows_kept_max ? id - rows_kept_max : 0;
}

// Why no new job can be asked for now.
std::optional<Error> Engine::refusal() const {
    if (stopping_) {
        return stopping().error();
    }
    if (committer_->requests() >= requests_max) {
        return fail(Code::limit_exceeded, "jobs", "", "too many requests wait for the store; try again later").error();
    }
    return std::nullopt;
}

Job Engine::new_job(const Event& event, std::string script) {
    Job job;
    job.id = records_.allocate();
    job.unique_index = event.unique_index;
    job.cause_depth = event.cause_depth;
    job.script = std::move(script);
    job.queued_us = ports_.clock.wall_us();
    return job;
}

void Engine::add_new(StateChange& change, const Job& job) const {
    append_change(change, {job, 0}, ports_.clock.wall_us());
    if (const std::uint64_t old = superseded(job.id); old != 0 && !records_.unfinished().contains(old)) {
        append_removal(change, old);
    }
}

void Engine::remember_new(std::vector<Job> jobs) {
    arriving_ -= jobs.size();
    for (Job& job : jobs) {
        const Job told = job;
        if (const std::uint64_t old = superseded(job.id); old != 0 && !records_.unfinished().contains(old)) {
            products_->try_forget(old);
        }
        records_.keep(std::move(job), ports_.clock.boot_us());
        tell(told);
    }
}

// ---- from the log ----

// A slice of the log: its jobs and the cursor are kept together. Where the queue is full the rest of the slice stays in
// the log until there is room: no report that was asked for is lost, and no memory grows.
void Engine::take_events(const std::vector<const Event*>& events, std::uint64_t upto, Follower::Taken taken) {
    Arrivals arrivals;
    std::size_t count = 0;
    while (count < events.size() && take_event(arrivals, *events[count])) {
        arrivals.upto = events[count++]->unique_index;
    }
    if (count == events.size()) {
        arrivals.upto = upto;
    } else if (count == 0) {
        return hold_log(std::move(taken));
    }
    StateChange writes;
    for (const Job& job : arrivals.jobs) {
        add_new(writes, job);
    }
    for (const auto& [id, job] : arrivals.grown) {
        append_row(writes, {job, 0});
    }
    if (!arrivals.jobs.empty()) {
        append_counter(writes, records_.next_id());
    }
    writes.cursor_name = cursor_name;
    writes.cursor = arrivals.upto;
    committer_->commit(std::move(writes), Persistence::until_kept,
                       [self = weak_from_this(), arrivals = std::move(arrivals),
                        taken = std::move(taken)](const Result<void>&) mutable {
                           if (const auto engine = self.lock()) {
                               engine->keep_arrivals(std::move(arrivals), std::move(taken));
                           }
                       });
}

// False where there is no room.
bool Engine::take_event(Arrivals& arrivals, const Event& event) {
    const std::string& script = event.spark_script;
    const std::string key = plan_of(settings_, script).coalesce ? join_key(event) : std::string();
    if (!key.empty() && join(arrivals, key, event)) {
        return true;
    }
    auto found = arrivals.scripts.find(script);
    if (found == arrivals.scripts.end()) {
        found = arrivals.scripts.emplace(script, locate_for_submitter(settings_, script)).first;
    }
    if (found->second && is_full()) {
        return false;
    }
    Job job = new_job(event, script);
    if (!found->second) {
        fail_job(job, found->second.error().detail());
    } else if (!key.empty()) {
        arrivals.open.insert_or_assign(key, arrivals.jobs.size());
    }
    arrivals.jobs.push_back(std::move(job));
    ++arriving_;
    return true;
}

// An event may join a job that would say the same and has not begun: one of this slice, or one that is queued.
bool Engine::join(Arrivals& arrivals, const std::string& key, const Event& event) {
    Job* job = nullptr;
    if (const auto open = arrivals.open.find(key); open != arrivals.open.end()) {
        job = &arrivals.jobs[open->second];
    } else if (Entry* const entry = records_.joinable(key)) {
        const auto grown = arrivals.grown.find(entry->job.id);
        const bool busy = entry->settling || places_.contains(entry->job.id);
        if (grown == arrivals.grown.end() && !busy && entry->job.joined.size() < limits::job_joined_max) {
            entry->settling = true; // it begins only when this is kept
            records_.unwatch(entry->job.id);
            job = &arrivals.grown.emplace(entry->job.id, entry->job).first->second;
        } else if (grown != arrivals.grown.end()) {
            job = &grown->second;
        }
    }
    if (job == nullptr || job->joined.size() >= limits::job_joined_max) {
        return false;
    }
    job->joined.push_back({event.unique_index, event.cause_depth});
    return true;
}

void Engine::keep_arrivals(Arrivals arrivals, Follower::Taken taken) {
    const std::uint64_t upto = arrivals.upto;
    remember_arrivals(std::move(arrivals));
    pump();
    taken(upto);
}

void Engine::remember_arrivals(Arrivals arrivals) {
    for (auto& [id, job] : arrivals.grown) {
        remember_grown(std::move(job));
    }
    std::map<std::uint64_t, std::string> open;
    for (const auto& [key, at] : arrivals.open) {
        open.emplace(arrivals.jobs[at].id, key);
    }
    remember_new(std::move(arrivals.jobs));
    for (auto& [id, key] : open) {
        records_.open_to_join(id, std::move(key));
    }
}

void Engine::remember_grown(Job job) {
    Entry* const entry = records_.find(job.id);
    entry->settling = false;
    auto after = std::exchange(entry->after, {});
    records_.keep(std::move(job), entry->due_boot_us);
    for (auto& action : after) {
        action();
    }
}

// ---- a full queue ----

void Engine::hold_log(Follower::Taken taken) {
    held_ = std::move(taken);
    tell_full(true);
}

// Goes on when a whole piece of the queue is free, so that the log is not read again for each single job that ends.
void Engine::release_log() {
    if (full_ && !held_ && unfinished() <= settings_.queue / 2) {
        tell_full(false);
    }
    const std::size_t piece = std::clamp<std::size_t>(settings_.queue / 20, 1, release_max);
    if (held_ && !stopping_ && unfinished() + piece <= settings_.queue) {
        std::exchange(held_, nullptr)(0);
    }
}

void Engine::tell_full(bool full) {
    if (std::exchange(full_, full) != full && full_handler_) {
        full_handler_(full);
    }
}

// ---- from callers ----

void Engine::enqueue(const Event& event, Order order, Done<Job> done) {
    if (auto error = refusal()) {
        return done(std::unexpected(std::move(*error)));
    }
    if (is_full()) {
        return done(fail(Code::limit_exceeded, "run", order.script,
                         "too many jobs are queued, running or waiting; try again when some have ended"));
    }
    Job job = new_job(event, std::move(order.script));
    job.joined = std::move(order.joined);
    if (auto found = locate_script(settings_, job.script); !found) {
        fail_job(job, found.error().detail());
    }
    StateChange writes;
    add_new(writes, job);
    append_counter(writes, records_.next_id());
    ++arriving_;
    committer_->commit(
        std::move(writes), Persistence::once,
        [self = weak_from_this(), job = std::move(job), done = std::move(done)](const Result<void>& kept) mutable {
            if (const auto engine = self.lock()) {
                engine->remember_asked(std::move(job), kept, std::move(done));
            }
        });
}

void Engine::remember_asked(Job job, const Result<void>& kept, Done<Job> done) {
    if (kept) {
        remember_new({job});
    } else {
        --arriving_;
    }
    pump();
    done(kept ? Result<Job>(std::move(job)) : std::unexpected(kept.error()));
}

} // namespace tocsin::jobs
