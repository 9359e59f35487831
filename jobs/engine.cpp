// SPDX-License-Identifier: Apache-2.0
#include "jobs/engine.hpp"

#include "core/time.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tocsin::jobs {

namespace {

constexpr std::uint32_t runs_cut_short_max = 5;           // by the end of the daemon; then the job is not tried again
constexpr std::int64_t stop_grace_us_max = 5'000'000;     // a stopping daemon waits no longer before SIGKILL
constexpr std::int64_t sleep_us_max = 3600LL * 1'000'000; // the timer looks again at least so often

class HandlerSubscription final : public Subscription {
public:
    HandlerSubscription(std::weak_ptr<Engine> engine, std::uint64_t number)
        : engine_(std::move(engine)), number_(number) {}
    ~HandlerSubscription() override {
        if (const auto engine = engine_.lock()) {
            engine->forget_handler(number_);
        }
    }

private:
    std::weak_ptr<Engine> engine_;
    std::uint64_t number_;
};

// The helper takes no other paths.
Settings absolute(Settings settings) {
    std::error_code error;
    auto products = std::filesystem::absolute(settings.products, error);
    settings.products = error ? settings.products : std::move(products);
    return settings;
}

} // namespace

Engine::Engine(boost::asio::io_context& io, Ports ports, Settings settings)
    : io_(io),
      ports_(ports),
      settings_(absolute(std::move(settings))),
      committer_(std::make_shared<Committer>(io, ports.store)),
      products_(std::make_shared<Products>(settings_.products, settings_.products_bytes_max)),
      timer_(io),
      pace_(settings_.pace) {
    records_.set_limits(limits_of(settings_));
}

Result<void> Engine::start() {
    if (auto loaded = load(); !loaded) {
        return loaded;
    }
    products_->sweep([this](std::uint64_t id) { return records_.find(id) != nullptr; },
                     superseded(records_.next_id() - 1));
    look_at_helper();
    follower_ = std::make_shared<Follower>(
        io_, ports_.reader, [self = weak_from_this()](const auto& events, std::uint64_t upto, Follower::Taken taken) {
            if (const auto engine = self.lock()) {
                engine->take_events(events, upto, std::move(taken));
            }
        });
    follower_->start(ports_.feed, ports_.store.cursor(cursor_name));
    pump();
    return {};
}

Result<void> Engine::load() {
    Result<void> outcome{};
    std::vector<Job> cut_short;
    auto read = ports_.store.for_each(Table::jobs, [this, &outcome, &cut_short](const Row& row) {
        if (auto loaded = load_row(row, cut_short); !loaded && outcome) {
            outcome = std::move(loaded);
        }
    });
    if (!read || !outcome) {
        return read ? outcome : read;
    }
    for (Job& job : cut_short) {
        resume_or_end(std::move(job));
    }
    return {};
}

Result<void> Engine::load_row(const Row& row, std::vector<Job>& cut_short) {
    if (row.key == counter_key()) {
        const auto next_id = decode_counter(row.value);
        records_.expect_next_id(next_id.value_or(0));
        return next_id ? Result<void>{} : std::unexpected(next_id.error());
    }
    const auto id = id_of_key(row.key);
    if (!id) {
        return {}; // the kept output of a job
    }
    auto stored = decode_job(*id, row.value);
    if (!stored) {
        return std::unexpected(stored.error());
    }
    if (stored->job.state == JobState::running) {
        cut_short.push_back(stored->job);
    }
    records_.restore(std::move(stored->job), boot_of(stored->due_us));
    return {};
}

// It ran when the daemon died; its helper ended the tree then, or does so now (a rerun waits for that).
void Engine::resume_or_end(Job job) {
    const bool again = plan_of(settings_, job.script).rerun && job.attempt < runs_cut_short_max;
    if (again) {
        job.state = JobState::queued;
        job.callback_secret.clear(); // the next run gets its own
        return records_.restore(std::move(job), 0);
    }
    job.state = JobState::failed;
    job.reason = "the daemon stopped during the run";
    job.ended_us = ports_.clock.wall_us();
    change(std::move(job), 0, Persistence::until_kept, [](const Result<void>&) {});
}

void Engine::stop(std::move_only_function<void()> done) {
    stopping_ = true;
    probe_.reset();
    stop_waiters_.push_back(std::move(done));
    timer_.cancel();
    if (follower_) {
        follower_->stop();
    }
    for (auto& [id, place] : places_) {
        if (place.run) {
            place.run->stop(std::min(plan_of(settings_, place.request.script).kill_after_us, stop_grace_us_max));
        }
    }
    check_stopped();
}

void Engine::check_stopped() {
    const bool alive = std::ranges::any_of(places_, [](const auto& place) { return place.second.run != nullptr; });
    if (alive) {
        return;
    }
    for (auto& done : std::exchange(stop_waiters_, {})) {
        boost::asio::post(io_, std::move(done));
    }
}

void Engine::abandon() {
    stopping_ = true;
    committer_->abandon();
    probe_.reset();
    timer_.cancel();
    if (follower_) {
        follower_->stop();
    }
    places_.clear();
}

void Engine::reconfigure(Settings settings) {
    settings_ = absolute(std::move(settings));
    pace_.set(settings_.pace);
    records_.set_limits(limits_of(settings_));
    products_->set_bytes_max(settings_.products_bytes_max);
    look_at_helper();
    pump();
}

std::uint64_t Engine::lag() const {
    const std::uint64_t last = ports_.reader.last_index();
    const std::uint64_t considered = follower_ ? follower_->considered() : 0;
    return last - std::min(last, considered);
}

std::int64_t Engine::boot_of(std::int64_t wall_us) const {
    const std::int64_t left_us = wall_us == 0 ? 0 : wall_us - ports_.clock.wall_us();
    return ports_.clock.boot_us() + std::clamp<std::int64_t>(left_us, 0, protocol::duration_us_max);
}

// ---- the passing of time ----

void Engine::pump() {
    if (stopping_) {
        return;
    }
    const std::int64_t now_us = ports_.clock.boot_us();
    while (const auto id = records_.next_expired(now_us)) {
        expire(*id);
    }
    while (places_.size() < settings_.parallel && now_us >= pace_.due_us()) {
        const auto id = records_.next_queued(now_us);
        if (!id) {
            break;
        }
        begin(*id);
    }
    release_log();
    arm();
}

void Engine::arm() {
    auto due = records_.waiting_due_boot_us();
    const auto queue = records_.queue_due_boot_us();
    if (queue && places_.size() < settings_.parallel) {
        const std::int64_t begins = std::max(*queue, pace_.due_us());
        due = std::min(due.value_or(begins), begins);
    }
    timer_.cancel();
    if (!due) {
        return;
    }
    const std::int64_t left_us = std::clamp<std::int64_t>(*due - ports_.clock.boot_us(), 0, sleep_us_max);
    timer_.expires_after(std::chrono::microseconds(left_us));
    timer_.async_wait([self = weak_from_this()](boost::system::error_code error) {
        if (const auto engine = self.lock(); engine && !error) {
            engine->pump();
        }
    });
}

void Engine::expire(std::uint64_t id) {
    Job next = records_.find(id)->job;
    next.state = JobState::failed;
    next.reason = "no report came within " + format_duration(settings_.callback_timeout_us);
    next.ended_us = ports_.clock.wall_us();
    change(std::move(next), 0, Persistence::until_kept, [](const Result<void>&) {});
}

// ---- changes ----

void Engine::change(Job next, std::int64_t due_us, Persistence persistence, Then then) {
    if (next.state != JobState::running && next.state != JobState::waiting) {
        next.callback_secret.clear();
    }
    StateChange writes;
    append_change(writes, {next, due_us}, ports_.clock.wall_us());
    commit_change({std::move(next), due_us, persistence}, std::move(writes), std::move(then));
}

void Engine::commit_change(Change change, StateChange writes, Then then) {
    Entry* const entry = records_.find(change.job.id);
    if (entry == nullptr || entry->settling) {
        fatal("jobs: a change of a job that is not there or is being changed");
    }
    if (entry->job.state != change.job.state && !check_transition(entry->job.state, change.job.state)) {
        fatal("jobs: a change that no job may make");
    }
    entry->settling = true;
    records_.unwatch(change.job.id);
    const Persistence persistence = change.persistence;
    committer_->commit(
        std::move(writes), persistence,
        [self = weak_from_this(), change = std::move(change), then = std::move(then)](Result<void> result) mutable {
            if (const auto engine = self.lock()) {
                engine->settled(change, std::move(result), std::move(then));
            }
        });
}

// A request that the store refused leaves the job as it was. What has happened has happened, kept or not.
void Engine::settled(const Change& change, Result<void> result, Then then) {
    Entry* const entry = records_.find(change.job.id);
    entry->settling = false;
    auto after = std::exchange(entry->after, {});
    if (result || change.persistence == Persistence::until_kept) {
        records_.keep(change.job, boot_of(change.due_us));
        tell(change.job);
    } else {
        Job same = entry->job;
        records_.keep(std::move(same), entry->due_boot_us);
    }
    then(std::move(result));
    for (auto& action : after) {
        action();
    }
    pump();
}

std::unique_ptr<Subscription> Engine::on_change(std::function<void(const Job&)> handler) {
    const std::uint64_t number = next_handler_++;
    handlers_.emplace(number, std::move(handler));
    return std::make_unique<HandlerSubscription>(weak_from_this(), number);
}

void Engine::tell(const Job& job) {
    const Job seen = view(job);
    std::vector<std::uint64_t> numbers;
    numbers.reserve(handlers_.size());
    for (const auto& [number, handler] : handlers_) {
        numbers.push_back(number);
    }
    for (const std::uint64_t number : numbers) {
        if (const auto found = handlers_.find(number); found != handlers_.end()) {
            const auto handler = found->second; // it may unsubscribe itself
            handler(seen);
        }
    }
}

// With what only a running helper knows.
Job Engine::view(const Job& job) const {
    Job seen = job;
    seen.callback_secret.clear();
    const auto place = places_.find(job.id);
    if (job.state == JobState::running && place != places_.end() && place->second.run) {
        seen.pid = place->second.run->pid();
        seen.output_bytes = place->second.run->output().size();
    }
    return seen;
}

std::vector<Job> Engine::recent(std::size_t limit) const {
    auto jobs = records_.recent(limit);
    std::ranges::transform(jobs, jobs.begin(), [this](const Job& job) { return view(job); });
    return jobs;
}

} // namespace tocsin::jobs
