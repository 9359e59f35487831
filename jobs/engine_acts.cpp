// SPDX-License-Identifier: Apache-2.0
// What callers ask for: run, report, cancel, run again, look at.
#include "jobs/engine.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace tocsin::jobs {

namespace {

constexpr std::size_t after_max = 16;          // actions that wait for one change of a job
constexpr std::size_t cancel_waiters_max = 16; // callers that wait for one job to end
constexpr std::size_t scan_rows = 256;         // of one step of a list

std::unexpected<Error> no_such_job(std::uint64_t id) {
    return fail(Code::not_found, "jobs", "job " + std::to_string(id), "there is no such job");
}

std::unexpected<Error> stopping() {
    return fail(Code::unavailable, "jobs", "", "the daemon is stopping; try again when it is back");
}

std::unexpected<Error> too_busy(std::uint64_t id) {
    return fail(Code::limit_exceeded, "jobs", "job " + std::to_string(id),
                "too many requests for this job; try again later");
}

std::unexpected<Error> wrong_state(const Job& job, std::string_view what) {
    return fail(Code::conflict, "jobs", "job " + std::to_string(job.id),
                "is " + std::string(to_string(job.state)) + "; " + std::string(what));
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

void Engine::run(std::uint64_t unique_index, std::string script, Done<Job> done) {
    if (auto error = refusal()) {
        return done(std::unexpected(std::move(*error)));
    }
    if (const auto problem = script_name_problem(script)) {
        return done(fail(Code::invalid_argument, "run", "script", *problem));
    }
    ports_.reader.get(unique_index, [self = weak_from_this(), script = std::move(script),
                                     done = std::move(done)](Result<Event> event) mutable {
        const auto engine = self.lock();
        if (engine && event) {
            return engine->enqueue(*event, script, std::move(done));
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
    run(job.unique_index, job.script, std::move(done));
}

// ---- reports ----

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
    append_report_row(writes, {job.unique_index, job.cause_depth, *job.report_id, job.report_url});
    commit_change({std::move(job), 0, Persistence::once}, std::move(writes), std::move(done));
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

// ---- looking ----

void Engine::find(std::uint64_t id, Done<Job> done) {
    if (const Entry* entry = records_.find(id)) {
        return done(view(entry->job));
    }
    ports_.store.load(Table::jobs, job_key(id),
                      [id, done = std::move(done)](Result<std::optional<std::string>> value) mutable {
                          if (!value || !*value) {
                              return done(value ? no_such_job(id) : std::unexpected(value.error()));
                          }
                          auto stored = decode_job(id, **value);
                          done(stored ? Result<Job>(std::move(stored->job)) : std::unexpected(stored.error()));
                      });
}

void Engine::output(std::uint64_t id, Done<std::string> done) {
    const auto place = places_.find(id);
    if (place != places_.end() && place->second.run) {
        return done(place->second.run->output());
    }
    find(id, [self = weak_from_this(), done = std::move(done)](Result<Job> job) mutable {
        const auto engine = self.lock();
        if (!job || !engine) {
            return done(job ? Result<std::string>() : std::unexpected(job.error()));
        }
        engine->load_output(job->id, std::move(done));
    });
}

void Engine::load_output(std::uint64_t id, Done<std::string> done) {
    ports_.store.load(
        Table::jobs, output_key(id), [done = std::move(done)](Result<std::optional<std::string>> value) mutable {
            done(value ? Result<std::string>(std::move(*value).value_or("")) : std::unexpected(value.error()));
        });
}

void Engine::list(ListQuery query, std::size_t limit, Done<ListPage<Job>> done) {
    auto request = std::make_shared<ListRequest>();
    request->query = std::move(query);
    request->limit = limit == 0 ? limits::page_default : std::min(limit, limits::page_max);
    request->done = std::move(done);
    if (request->query.unfinished_only()) {
        list_memory(*request);
        return request->answer();
    }
    list_stored(std::move(request));
}

void Engine::list_memory(ListRequest& request) const {
    const std::uint64_t before = request.query.before;
    for (const auto& [id, entry] : records_.unfinished() | std::views::reverse) {
        const bool wanted = (before == 0 || id < before) && request.query.matches(entry.job);
        if (wanted && !request.add(view(entry.job))) {
            return;
        }
    }
}

void Engine::list_stored(std::shared_ptr<ListRequest> request) {
    const std::uint64_t before = request->query.before == 0 ? records_.next_id() : request->query.before;
    ports_.store.scan(Table::jobs, job_key(before), scan_rows, true,
                      [self = weak_from_this(), request](Result<std::vector<Row>> rows) {
                          if (const auto engine = self.lock()) {
                              engine->list_rows(request, std::move(rows));
                          }
                      });
}

void Engine::list_rows(const std::shared_ptr<ListRequest>& request, Result<std::vector<Row>> rows) {
    if (!rows) {
        return request->done(std::unexpected(rows.error()));
    }
    for (const Row& row : *rows) {
        const auto id = id_of_key(row.key);
        auto stored = id ? decode_job(*id, row.value) : fail(Code::not_found, "", "", "");
        if (!stored) {
            continue; // the counter; a damaged row was told at the start
        }
        const Entry* const entry = records_.find(*id);
        Job job = entry != nullptr ? view(entry->job) : std::move(stored->job);
        if (!request->query.matches(job)) {
            request->query.before = *id;
        } else if (!request->add(std::move(job))) {
            return request->answer();
        }
    }
    rows->size() < scan_rows ? request->answer() : list_stored(request);
}

} // namespace tocsin::jobs
