// SPDX-License-Identifier: Apache-2.0
// New jobs: from events that name a script, and from callers.
#include "jobs/engine.hpp"

#include <map>
#include <utility>

namespace tocsin::jobs {

namespace {

constexpr std::uint64_t rows_kept_max = 100'000; // of jobs; older ones go, their reports stay on the events
constexpr std::size_t requests_max = 1'024;      // of callers, waiting for the store

constexpr std::string_view queue_full_reason = "queue full: too many jobs are queued, running or waiting";

void fail_job(Job& job, std::string_view reason) {
    job.state = JobState::failed;
    job.reason = reason;
    job.ended_us = job.queued_us;
}

} // namespace

// Why no new job can be asked for now.
std::optional<Error> Engine::refusal() const {
    if (stopping_) {
        return fail(Code::unavailable, "jobs", "", "the daemon is stopping; try again when it is back").error();
    }
    if (committer_->requests() >= requests_max) {
        return fail(Code::limit_exceeded, "jobs", "", "too many requests wait for the store; try again later").error();
    }
    return std::nullopt;
}

Job Engine::new_job(const Event& event, const std::string& script) {
    Job job;
    job.id = records_.allocate();
    job.unique_index = event.unique_index;
    job.cause_depth = event.cause_depth;
    job.script = script;
    job.queued_us = ports_.clock.wall_us();
    return job;
}

void Engine::add_new(StateChange& change, const Job& job) const {
    append_change(change, {job, 0}, ports_.clock.wall_us());
    const std::uint64_t oldest = job.id > rows_kept_max ? job.id - rows_kept_max : 0;
    if (oldest != 0 && !records_.unfinished().contains(oldest)) {
        append_removal(change, oldest);
    }
}

void Engine::remember_new(std::vector<Job> jobs) {
    arriving_ -= jobs.size();
    for (Job& job : jobs) {
        const Job told = job;
        records_.keep(std::move(job), ports_.clock.boot_us());
        tell(told);
    }
    pump();
}

// A slice of the log: its jobs and the cursor are kept together.
void Engine::take_events(const std::vector<const Event*>& events, std::uint64_t upto,
                         std::move_only_function<void()> done) {
    std::map<std::string, Result<std::string>, std::less<>> scripts; // each looked for once a slice
    std::vector<Job> jobs;
    StateChange writes;
    for (const Event* event : events) {
        const std::string& script = event->spark_script;
        auto found = scripts.find(script);
        if (found == scripts.end()) {
            found = scripts.emplace(script, locate_for_submitter(settings_, script)).first;
        }
        Job job = new_job(*event, script);
        if (records_.unfinished().size() + arriving_ >= limits::jobs_queued_max) {
            fail_job(job, queue_full_reason);
        } else if (!found->second) {
            fail_job(job, found->second.error().detail());
        }
        add_new(writes, job);
        jobs.push_back(std::move(job));
        ++arriving_;
    }
    if (!jobs.empty()) {
        append_counter(writes, records_.next_id());
    }
    writes.cursor_name = cursor_name;
    writes.cursor = upto;
    committer_->commit(
        std::move(writes), Persistence::until_kept,
        [self = weak_from_this(), jobs = std::move(jobs), done = std::move(done)](const Result<void>&) mutable {
            if (const auto engine = self.lock()) {
                engine->remember_new(std::move(jobs));
                done();
            }
        });
}

void Engine::enqueue(const Event& event, const std::string& script, Done<Job> done) {
    if (auto error = refusal()) {
        return done(std::unexpected(std::move(*error)));
    }
    if (records_.unfinished().size() + arriving_ >= limits::jobs_queued_max) {
        return done(fail(Code::limit_exceeded, "run", script, std::string(queue_full_reason)));
    }
    Job job = new_job(event, script);
    if (auto found = locate_script(settings_, script); !found) {
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
    if (!kept) {
        --arriving_;
        return done(std::unexpected(kept.error()));
    }
    remember_new({job});
    done(std::move(job));
}

} // namespace tocsin::jobs
