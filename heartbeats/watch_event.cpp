// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/watch_event.hpp"

#include "core/json.hpp"
#include "core/time.hpp"

#include <algorithm>

namespace tocsin::heartbeats {
namespace {

std::string payload_of(const Watch& watch) {
    std::string text;
    json::ObjectWriter writer(text);
    writer.add("source", std::string_view(watch.key.source));
    writer.add("scid", watch.key.scid);
    writer.add("deadline", TimeUs{watch.deadline_us});
    if (watch.last_us != 0) {
        writer.add("last", TimeUs{watch.last_us});
    }
    writer.add("misses", watch.misses);
    writer.close();
    return text;
}

std::string summary_of(Transition transition, const Watch& watch) {
    const std::string who = watch.key.source + " (scid " + std::to_string(watch.key.scid) + ")";
    switch (transition) {
    case Transition::missed:
        return watch.last_us == 0 ? "no heartbeat from " + who + " yet"
                                  : "no heartbeat from " + who + " since " + format_time(watch.last_us);
    case Transition::recovered:
        return "heartbeats from " + who + " are back";
    case Transition::failed:
        return who + " reports a failure" + (watch.status.empty() ? "" : ": " + watch.status);
    }
    fatal("a Transition that is none");
}

std::int64_t instant_us(Transition transition, const Watch& watch) {
    return transition == Transition::missed ? watch.deadline_us + watch.grace_us : watch.last_us;
}

} // namespace

Event make_event(const Happening& happening, std::int64_t now_us) {
    const Watch& watch = happening.watch;
    // Where the wall clock was set back the instant may lie ahead of it; an event never comes from the future.
    const std::int64_t time_us =
        std::clamp<std::int64_t>(instant_us(happening.transition, watch), 0, std::max<std::int64_t>(now_us, 0));
    const Severity severity = happening.transition == Transition::recovered ? Severity::info : Severity::error;
    Event event = daemon_event(event_name(happening.transition), time_us, now_us, payload_of(watch), severity);
    event.scid = watch.key.scid;
    event.summary = summary_of(happening.transition, watch);
    return event;
}

} // namespace tocsin::heartbeats
