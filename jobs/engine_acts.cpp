// SPDX-License-Identifier: Apache-2.0
// What callers ask for: run, cancel, run again.
#include "jobs/engine.hpp"

#include "jobs/refusals.hpp"

#include <utility>

namespace tocsin::jobs {

namespace {

constexpr std::size_t cancel_waiters_max = 16; // callers that wait for one job to end

std::unexpected<Error> wrong_state(const Job& job, std::string_view what) {
    return fail(Code::conflict, "jobs", "job " + std::to_string(job.id),
                "is " + std::string(to_string(job.state)) + "; " + std::string(what));
}

} // namespace

void Engine::run(std::uint64_t unique_index, Order order, Done<Job> done) {
    if (auto error = refusal()) {
        return done(std::unexpected(std::move(*error)));
    }
    if (const auto problem = script_name_problem(order.script)) {
        return done(fail(Code::invalid_argument, "run", "script", *problem));
    }
    ports_.reader.get(unique_index, [self = weak_from_this(), order = std::move(order),
                                     done = std::move(done)](Result<Event> event) mutable {
        const auto engine = self.lock();
        if (engine && event) {
            return engine->enqueue(*event, std::move(order), std::move(done));
        }
        done(event ? stopping() : std::unexpected(event.error()));
    });
}

void Engine::rerun(std::uint64_t id, Done<Job> done) {
    find(id, [self = weak_from_this(), done = std::move(done)](Result<Job> job) mutable {
        const auto engine = self.lock();
        if (!job || !engine) {
            return done(job ? stopping() : std::unexpected(job.error()));
        }
        engine->rerun_found(*job, std::move(done));
    });
}

void Engine::rerun_found(const Job& job, Done<Job> done) {
    if (!is_final(job.state)) {
        return done(wrong_state(job, "only one that has ended can be run again"));
    }
    run(job.unique_index, {job.script, job.joined}, std::move(done)); // for all whose report it was
}

// ---- cancel ----

void Engine::cancel(std::uint64_t id, Done<Job> done) {
    if (auto error = refusal()) {
        return done(std::unexpected(std::move(*error)));
    }
    Entry* const entry = records_.find(id);
    if (entry == nullptr) {
        return find(id, [done = std::move(done)](Result<Job> job) mutable {
            done(job ? wrong_state(*job, "only one that has not ended can be cancelled")
                     : std::unexpected(job.error()));
        });
    }
    if (!entry->settling) {
        return cancel_unfinished(*entry, std::move(done));
    }
    if (entry->after.size() >= after_max) {
        return done(too_busy(id));
    }
    entry->after.push_back([this, id, done = std::move(done)]() mutable { cancel(id, std::move(done)); });
}

void Engine::cancel_unfinished(const Entry& entry, Done<Job> done) {
    const auto place = places_.find(entry.job.id);
    if (place != places_.end()) {
        return cancel_run(place->second, entry.job, std::move(done));
    }
    Job next = entry.job;
    next.state = JobState::cancelled;
    next.reason = "cancelled while it was " + std::string(to_string(entry.job.state));
    next.ended_us = ports_.clock.wall_us();
    next.callback_secret.clear();
    change(next, 0, Persistence::once, [next, done = std::move(done)](const Result<void>& kept) mutable {
        done(kept ? Result<Job>(std::move(next)) : std::unexpected(kept.error()));
    });
}

// Answered when its tree is gone.
void Engine::cancel_run(Place& place, const Job& job, Done<Job> done) {
    if (place.cancel_waiters.size() >= cancel_waiters_max) {
        return done(too_busy(job.id));
    }
    place.cancel_waiters.push_back(std::move(done));
    if (!std::exchange(place.cancelled, true) && place.run) {
        place.run->stop(plan_of(settings_, job.script).kill_after_us);
    }
}

} // namespace tocsin::jobs
