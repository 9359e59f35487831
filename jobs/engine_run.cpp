// SPDX-License-Identifier: Apache-2.0
// One run of a job: place taken → event read → "running" kept → helper started → result kept → place free.
#include "jobs/engine.hpp"

#include "core/json.hpp"
#include "core/secret.hpp"
#include "jobs/helper_socket.hpp"
#include "jobs/priority.hpp"
#include "jobs/run_request.hpp"
#include "jobs/secret.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace tocsin::jobs {

namespace {

constexpr std::int64_t read_retry_us = 1'000'000; // when the log cannot be read now

RunResult never_started(std::string reason) {
    RunResult result;
    result.ended = protocol::Ended{};
    result.ended->reason = std::move(reason);
    return result;
}

} // namespace

void Engine::begin(std::uint64_t id) {
    pace_.begin(ports_.clock.boot_us());
    const Job& job = records_.find(id)->job;
    records_.unwatch(id);
    records_.run_begins(job.script);
    places_.try_emplace(id).first->second.script = job.script;
    ports_.reader.get(job.unique_index, [self = weak_from_this(), id](Result<Event> event) {
        if (const auto engine = self.lock(); engine && !engine->stopping_) {
            engine->fetched(id, std::move(event));
        }
    });
}

void Engine::fetched(std::uint64_t id, Result<Event> event) {
    Place& place = places_.at(id);
    const Job& job = records_.find(id)->job;
    if (place.cancelled) {
        return end_unstarted(id, JobState::cancelled, "cancelled before it ran");
    }
    if (!event && event.error().code != Code::not_found) {
        records_.requeue(id, ports_.clock.boot_us() + read_retry_us);
        return leave(id);
    }
    if (!event) {
        return end_unstarted(id, JobState::failed,
                             "event " + std::to_string(job.unique_index) + " is no longer in the log");
    }
    if (auto prepared = prepare(place, job, *event); !prepared) {
        return end_unstarted(id, JobState::failed, prepared.error().detail());
    }
    Job next = job;
    next.state = JobState::running;
    next.attempt = place.request.attempt;
    next.started_us = ports_.clock.wall_us();
    next.ended_us = 0;
    next.reason.clear();
    next.exit_status.reset();
    next.output_bytes = 0;
    next.truncated = false;
    if (plan_of(settings_, job.script).callback) {
        next.callback_secret = new_secret();
        place.request.callback = callback_address(settings_.callback_base, id, next.callback_secret);
    }
    change(std::move(next), 0, Persistence::until_kept, [this, id](const Result<void>& kept) { launch(id, kept); });
}

Result<void> Engine::prepare(Place& place, const Job& job, const Event& event) const {
    auto path = locate_script(settings_, job.script);
    if (!path) {
        return std::unexpected(path.error());
    }
    if (auto emptied = products_->forget(job.id); !emptied) { // of an earlier attempt
        return emptied;
    }
    place.request = run_request(settings_, job, event);
    place.request.path = std::move(*path);
    place.event_json.clear();
    json::append_object(place.event_json, event);
    return {};
}

// Only now, when a crash would find the row.
void Engine::launch(std::uint64_t id, const Result<void>& kept) {
    if (stopping_) {
        places_.erase(id);
        return;
    }
    if (!kept) {
        return finished(id, never_started("the store refused the row: " + kept.error().detail()));
    }
    Place& place = places_.at(id);
    RunInput input{.request = place.request,
                   .event_json = std::exchange(place.event_json, {}),
                   .program = settings_.helper.string(),
                   .socket = helper_socket_for(settings_, place.request.script),
                   .products = products_};
    input.met = [this, id] { tell(records_.find(id)->job); }; // the engine owns the run
    input.spawner = input.socket.empty() ? spawner() : nullptr;
    place.run = HelperRun::start(io_, std::move(input), [self = weak_from_this(), id](RunResult result) {
        if (const auto engine = self.lock()) {
            engine->finished(id, std::move(result));
        }
    });
}

// Made for the first helper that is ours to start; under a service manager there is none.
boost::asio::thread_pool* Engine::spawner() {
    if (!spawner_) {
        spawner_.emplace(1);
        boost::asio::post(*spawner_, give_way); // before its first helper, which begins as the thread is
    }
    return &*spawner_;
}

void Engine::finished(std::uint64_t id, RunResult result) {
    const auto found = places_.find(id);
    if (found == places_.end()) {
        return;
    }
    Place& place = found->second;
    if (place.run) {
        learn_helper(place.run->socket(), result.hello, result.problem);
        place.run.reset();
    }
    if (stopping_) {
        places_.erase(id);
        return check_stopped();
    }
    Entry* const entry = records_.find(id);
    if (entry->settling) { // a report that came meanwhile is being kept
        entry->after.push_back([this, id, result = std::move(result)]() mutable { finished(id, std::move(result)); });
        return;
    }
    const ScriptPlan plan = plan_of(settings_, entry->job.script);
    const std::int64_t now_us = ports_.clock.wall_us();
    if (output_handler_ && !result.output.empty()) {
        output_handler_(view(entry->job), result.output);
    }
    Job next = conclude(entry->job, result, {plan.timeout_us, plan.retries, place.cancelled}, now_us);
    std::int64_t due_us = 0;
    if (next.state == JobState::waiting) {
        due_us = now_us + settings_.callback_timeout_us;
    } else if (next.state == JobState::queued) {
        due_us = now_us + retry_delay_us(next.attempt);
    }
    change(std::move(next), due_us, Persistence::until_kept, [this, id](const Result<void>&) { leave(id); });
}

void Engine::end_unstarted(std::uint64_t id, JobState state, std::string reason) {
    Job next = records_.find(id)->job;
    next.state = state;
    next.reason = std::move(reason);
    next.ended_us = ports_.clock.wall_us();
    change(std::move(next), 0, Persistence::until_kept, [this, id](const Result<void>&) { leave(id); });
}

// The place is free, and so is the lock where the job does not run again.
void Engine::leave(std::uint64_t id) {
    auto place = places_.extract(id);
    records_.run_ends(place.mapped().script);
    const Entry* const entry = records_.find(id);
    if (entry == nullptr || entry->job.state != JobState::queued) {
        products_->forget_lock(id);
    }
    for (auto& done : place.mapped().cancel_waiters) {
        find(id, std::move(done));
    }
    pump();
}

} // namespace tocsin::jobs
