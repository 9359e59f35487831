// SPDX-License-Identifier: Apache-2.0
// Looking without changing anything: one job, its output, lists, scripts, and what a run would be.
#include "jobs/engine.hpp"

#include "jobs/refusals.hpp"

#include "core/json.hpp"
#include "jobs/run_request.hpp"
#include "jobs/script_environment.hpp"
#include "jobs/script_report.hpp"
#include "jobs/secret.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace tocsin::jobs {

namespace {

constexpr std::size_t scan_rows = 256; // of one step of a list

std::unexpected<Error> no_such_job(std::uint64_t id) {
    return fail(Code::not_found, "jobs", "job " + std::to_string(id), "there is no such job");
}

// "NAME=value" as a pair.
std::pair<std::string, std::string> split_variable(const std::string& variable) {
    const std::size_t equals = std::min(variable.find('='), variable.size());
    return {variable.substr(0, equals), variable.substr(std::min(equals + 1, variable.size()))};
}

} // namespace

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

// ---- scripts ----

std::vector<ScriptReport> Engine::scripts(std::string_view only) const {
    return only.empty() ? report_scripts(settings_) : std::vector{report_script(settings_, std::string(only))};
}

void Engine::preview(std::uint64_t unique_index, std::string script, Done<JobPreview> done) const {
    if (const auto problem = script_name_problem(script)) {
        return done(fail(Code::invalid_argument, "run", "script", *problem));
    }
    ports_.reader.get(unique_index, [self = weak_from_this(), script = std::move(script),
                                     done = std::move(done)](Result<Event> event) mutable {
        const auto engine = self.lock();
        if (!event || !engine) {
            return done(event ? stopping() : std::unexpected(event.error()));
        }
        done(engine->preview_of(*event, std::move(script)));
    });
}

JobPreview Engine::preview_of(const Event& event, std::string script) const {
    JobPreview preview{.unique_index = event.unique_index, .script = report_script(settings_, script)};
    Job job;
    job.id = records_.next_id();
    job.script = std::move(script);
    auto request = run_request(settings_, job, event);
    if (plan_of(settings_, job.script).callback) {
        request.callback = callback_address(settings_.callback_base, job.id, "SECRET");
    }
    for (const std::string& variable : script_environment(request, "an empty directory of its own")) {
        preview.environment.push_back(split_variable(variable));
    }
    json::append_object(preview.event_json, event);
    return preview;
}

} // namespace tocsin::jobs
