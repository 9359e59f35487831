// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/watch_event.hpp"

#include "core/json.hpp"
#include "core/time.hpp"

#include <algorithm>

namespace tocsin::heartbeats {
namespace {

std::string payload_of(const Happening& happening) {
    const Watch& watch = happening.watch;
    std::string text;
    json::ObjectWriter writer(text);
    writer.add("source", std::string_view(watch.key.source));
    writer.add("scid", watch.key.scid);
    if (watch.deadline_us != 0) {
        writer.add("deadline", TimeUs{watch.deadline_us});
    }
    if (watch.last_us != 0) {
        writer.add("last", TimeUs{watch.last_us});
    }
    writer.add("misses", static_cast<std::uint64_t>(watch.misses));
    if (happening.what.transition == Transition::overrun) {
        writer.add("run", std::string_view(happening.what.run));
        writer.add("limit_s", static_cast<double>(watch.plan->run_limit_us) / 1e6);
    }
    writer.close();
    return text;
}

std::string overrun_summary(const std::string& who, const Happening& happening) {
    const std::string& run = happening.what.run;
    return (run.empty() ? "a run of " : "run " + run + " of ") + who + " takes longer than " +
           format_duration(happening.watch.plan->run_limit_us);
}

std::string summary_of(const Happening& happening) {
    const Watch& watch = happening.watch;
    const std::string who = watch.key.source + " (scid " + std::to_string(watch.key.scid) + ")";
    switch (happening.what.transition) {
    case Transition::missed:
        return watch.last_us == 0 ? "no heartbeat from " + who + " yet"
                                  : "no heartbeat from " + who + " since " + format_time(watch.last_us);
    case Transition::recovered:
        return "heartbeats from " + who + " are back";
    case Transition::failed:
        return who + " reports a failure" + (watch.status.empty() ? "" : ": " + *watch.status);
    case Transition::overrun:
        return overrun_summary(who, happening);
    }
    fatal("a Transition that is none");
}

std::int64_t instant_us(const Happening& happening) {
    const Watch& watch = happening.watch;
    switch (happening.what.transition) {
    case Transition::missed:
        return watch.deadline_us + watch.grace_us;
    case Transition::overrun:
        return happening.what.at_us;
    case Transition::recovered:
    case Transition::failed:
        return watch.last_us;
    }
    fatal("a Transition that is none");
}

} // namespace

Event make_event(const Happening& happening, std::int64_t now_us) {
    const Transition transition = happening.what.transition;
    // Where the wall clock was set back the instant may lie ahead of it; an event never comes from the future.
    const std::int64_t time_us = std::clamp<std::int64_t>(instant_us(happening), 0, std::max<std::int64_t>(now_us, 0));
    const Severity severity = transition == Transition::recovered ? Severity::info : Severity::error;
    Event event = daemon_event(event_name(transition), time_us, now_us, payload_of(happening), severity);
    event.scid = happening.watch.key.scid;
    event.summary = summary_of(happening);
    return event;
}

} // namespace tocsin::heartbeats
