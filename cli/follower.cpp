// SPDX-License-Identifier: Apache-2.0
#include "cli/follower.hpp"

#include "cli/event_view.hpp"

#include <fmt/format.h>

#include <utility>

namespace tocsin::cli {

Follower::Follower(Session& session, Interrupts& interrupts, FollowRequest request)
    : session_(session), interrupts_(interrupts), request_(std::move(request)), table_(event_table(true)) {}

bool Follower::done() const {
    return session_.out.gone() || (request_.limit != 0 && shown_ >= request_.limit);
}

void Follower::say(std::string_view text) {
    session_.err.line(fmt::format("tocsinctl: follow: {}", text));
    session_.err.flush();
}

Result<int> Follower::run() {
    while (true) {
        const auto ended = connect();
        if (!ended) {
            return std::unexpected(ended.error());
        }
        if (*ended == Ended::done) {
            return 0;
        }
        if (!std::exchange(away_, true)) {
            const std::string& last = parser_.last_id();
            say(fmt::format("the connection ended; waiting for the daemon to go on behind index {}",
                            last.empty() ? std::to_string(request_.after) : last));
        }
        if (interrupts_.wait(-1, parser_.retry()) == Interrupts::Woken::stop) {
            return 0;
        }
    }
}

Result<Follower::Ended> Follower::connect() {
    Parameters parameters = request_.parameters;
    parameters.emplace_back("after", std::to_string(request_.after));
    const Request request{
        .target = target("/v1/stream", parameters), .accept = "text/event-stream", .last_event_id = parser_.last_id()};
    parser_.restart();
    Result<void> fed;
    const auto show_one = [this](const ServerEvent& event) { return show(event); };
    const auto use = [this, &fed, &show_one](std::string_view piece) {
        was_connected_ = true;
        if (std::exchange(away_, false)) {
            say("connected again");
        }
        fed = parser_.feed(piece, show_one);
        return fed.has_value() && !done() && !interrupts_.stopped();
    };
    const auto response = session_.client.stream(request, use);
    if (!fed) {
        return std::unexpected(fed.error());
    }
    if (done() || interrupts_.stopped()) {
        return Ended::done;
    }
    const bool passing = response ? response->ok() || response->status == info(Code::unavailable).http_status
                                  : response.error().code == Code::unavailable;
    if (passing && (was_connected_ || (response && response->ok()))) {
        return Ended::again;
    }
    return response ? std::unexpected(problem_of(*response)) : std::unexpected(response.error());
}

bool Follower::show(const ServerEvent& event) {
    if (event.name == "gap") {
        show_gap(event.data);
        return true;
    }
    if (event.name != "event") {
        return true; // of a newer daemon
    }
    if (session_.format == Format::table || session_.format == Format::lines) {
        show_for_people(Value::parse(event.data).value_or(Value()));
    } else {
        session_.out.line(event.data);
    }
    session_.out.flush();
    ++shown_;
    return !done();
}

void Follower::show_for_people(const Value& event) {
    if (session_.format == Format::lines) {
        write_event_line(session_.out, event, session_.utc);
        return;
    }
    add_event(table_, event, session_.utc);
    table_.write(session_.out);
}

void Follower::show_gap(std::string_view data) {
    const auto gap = Value::parse(data);
    if (gap) {
        say(fmt::format("events behind index {} and before {} are no longer kept", (*gap)["after"].number(),
                        (*gap)["first"].number()));
    }
}

} // namespace tocsin::cli
