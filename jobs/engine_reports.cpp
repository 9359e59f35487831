// SPDX-License-Identifier: Apache-2.0
// Reports that come from outside: by the number of the event, or by the secret of a run.
#include "jobs/engine.hpp"

#include "core/secret.hpp"
#include "jobs/refusals.hpp"
#include "jobs/secret.hpp"

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace tocsin::jobs {

namespace {

// Says no more than that, whatever is wrong.
std::unexpected<Error> no_such_callback() {
    return fail(Code::not_found, "callback", "",
                "there is no such callback; one is good for one report, while its job runs or waits");
}

std::optional<Error> report_problem(const Report& report) {
    if (report.report_id <= 0) {
        return fail(Code::invalid_argument, "set report", "report_id", "must be greater than 0").error();
    }
    if (const auto problem = report.url.empty() ? std::nullopt : name_problem(report.url, limits::path_bytes)) {
        return fail(Code::invalid_argument, "set report", "url", *problem).error();
    }
    return std::nullopt;
}

} // namespace

void Engine::set_report(Report report, Done<void> done) {
    auto error = refusal();
    if (error = error ? std::move(error) : report_problem(report); error) {
        return done(std::unexpected(std::move(*error)));
    }
    const std::uint64_t index = report.unique_index;
    ports_.reader.get(index, [self = weak_from_this(), report = std::move(report),
                              done = std::move(done)](Result<Event> event) mutable {
        const auto engine = self.lock();
        if (!event || !engine) {
            return done(event ? stopping() : std::unexpected(event.error()));
        }
        report.cause_depth = event->cause_depth;
        engine->report_for(std::move(report), std::move(done));
    });
}

// A user is as good as a process here: whoever has the run's could take its place anyway. Root's and our own are not
// told apart from others of theirs, and need no such leave.
bool Engine::runs_as(std::uint64_t unique_index, std::uint32_t uid) const {
    const auto is_run = [this, uid](std::uint64_t id) {
        const auto place = places_.find(id);
        return place != places_.end() && place->second.run && place->second.run->user() == uid;
    };
    return uid != 0 && uid != ::geteuid() && std::ranges::any_of(records_.of_event(unique_index), is_run);
}

// It belongs to the job that waits for it, else to the one that runs (which may have asked for it itself), else to the
// event alone.
void Engine::report_for(Report report, Done<void> done) {
    const auto ids = records_.of_event(report.unique_index);
    for (const std::uint64_t id : ids) {
        Entry& entry = *records_.find(id);
        if (!entry.settling) {
            continue;
        }
        if (entry.after.size() >= after_max) {
            return done(too_busy(id));
        }
        entry.after.push_back([this, report = std::move(report), done = std::move(done)]() mutable {
            report_for(std::move(report), std::move(done));
        });
        return;
    }
    for (const auto state : {JobState::waiting, JobState::running}) {
        const auto found = std::ranges::find_if(
            ids, [this, state](std::uint64_t id) { return records_.find(id)->job.state == state; });
        if (found != ids.end()) {
            return report_job(records_.find(*found)->job, std::move(report), std::move(done));
        }
    }
    StateChange writes;
    append_report(writes, report, ports_.clock.wall_us());
    committer_->commit(std::move(writes), Persistence::once, std::move(done));
}

void Engine::report_job(Job job, Report report, Done<void> done) {
    job.report_id = report.report_id;
    job.report_url = std::move(report.url);
    if (job.state == JobState::waiting) {
        job.state = JobState::succeeded;
        job.ended_us = ports_.clock.wall_us();
        return change(std::move(job), 0, Persistence::once, std::move(done));
    }
    // It still runs: readers see the report at once, the event that tells it comes with the end of the job.
    StateChange writes;
    append_row(writes, {job, 0});
    append_report_rows(writes, job);
    commit_change({std::move(job), 0, Persistence::once}, std::move(writes), std::move(done));
}

// ---- by the secret ----

Entry* Engine::entry_of(std::string_view token) {
    const auto read = read_callback_token(token);
    Entry* const entry = read ? records_.find(read->job_id) : nullptr;
    return entry != nullptr && same_secret(entry->job.callback_secret, read->secret) ? entry : nullptr;
}

void Engine::call_back(std::string token, Report report, Done<Job> done) {
    auto error = refusal();
    if (error = error ? std::move(error) : report_problem(report); error) {
        return done(std::unexpected(std::move(*error)));
    }
    Entry* const entry = entry_of(token);
    if (entry == nullptr) {
        return done(no_such_callback());
    }
    if (!entry->settling) {
        return call_back_now(entry->job.id, std::move(report), std::move(done));
    }
    if (entry->after.size() >= after_max) {
        return done(too_busy(entry->job.id));
    }
    entry->after.push_back(
        [this, token = std::move(token), report = std::move(report), done = std::move(done)]() mutable {
            call_back(std::move(token), std::move(report), std::move(done));
        });
}

// The secret goes with the report that it brought, in the same commit: it is good for one.
void Engine::call_back_now(std::uint64_t id, Report report, Done<Job> done) {
    Job job = records_.find(id)->job;
    job.callback_secret.clear();
    report_job(std::move(job), std::move(report),
               [self = weak_from_this(), id, done = std::move(done)](const Result<void>& kept) mutable {
                   const auto engine = self.lock();
                   if (!kept || !engine) {
                       return done(kept ? stopping() : std::unexpected(kept.error()));
                   }
                   engine->find(id, std::move(done));
               });
}

} // namespace tocsin::jobs
