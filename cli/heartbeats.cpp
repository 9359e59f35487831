// SPDX-License-Identifier: Apache-2.0
// heartbeats: watches as a list, beats, and what a person does to a watch.
#include "cli/event_view.hpp"
#include "cli/session.hpp"
#include "cli/verbs.hpp"
#include "cli/when.hpp"
#include "core/limits.hpp"
#include "core/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tocsin::cli {
namespace {

constexpr std::int64_t list_default = 1'000;
constexpr std::int64_t list_most = 1'000'000;
constexpr double us_per_s = 1e6;

std::string duration_text(const Value& seconds) {
    return seconds.real() > 0 ? format_duration(std::llround(seconds.real() * us_per_s)) : std::string();
}

void add_watch(Table& table, const Value& watch, bool utc) {
    const std::string state = watch["state"].text();
    table.add({watch["source"].text(), watch["scid"].text(), Cell(state, state_colour(state)),
               show_time(watch["last"].text(), utc), show_time(watch["deadline"].text(), utc),
               duration_text(watch["interval_s"]), duration_text(watch["grace_s"]), watch["misses"].text(),
               watch["status"].text()});
}

void show_watch(Session& session, const Value& watch) {
    const std::string state = watch["state"].text();
    std::string text = fmt::format("{} (scid {}) is ", watch["source"].text(), watch["scid"].text());
    const std::string deadline = watch["deadline"].text();
    session.out.write(Cell(text).text);
    session.out.write(session.out.paint(state_colour(state), state));
    if (state == "new") {
        session.out.write("; it alarms nobody until a beat names its --interval");
    } else if (!deadline.empty() && state != "paused") {
        session.out.write(fmt::format("; next beat until {}", show_time(deadline, session.utc)));
    }
    session.out.write("\n");
}

Result<int> run_list(Session& session, const Arguments& arguments) {
    const auto limit = arguments.integer("limit", 1, list_most);
    if (!limit) {
        return std::unexpected(limit.error());
    }
    ListRequest request{.path = "/v1/heartbeats"};
    request.limit = static_cast<std::size_t>(limit->value_or(list_default));
    for (const std::string_view key : {"source", "scid", "state"}) {
        for (const std::string& value : arguments.values(key)) {
            request.parameters.emplace_back(key, value);
        }
    }
    if (session.json) {
        request.parameters.emplace_back("limit", std::to_string(std::min(request.limit, limits::page_max)));
        return answer(session, get(session, target(request.path, request.parameters)), {});
    }
    Table table({{.title = "SOURCE"},
                 {.title = "SCID", .right = true},
                 {.title = "STATE"},
                 {.title = "LAST"},
                 {.title = "DEADLINE"},
                 {.title = "INTERVAL", .right = true},
                 {.title = "GRACE", .right = true},
                 {.title = "MISSES", .right = true},
                 {.title = "STATUS"}});
    std::size_t count = 0;
    const auto more = each_page(session, std::move(request), [&session, &table, &count](const Value::Array& items) {
        for (const Value& watch : items) {
            add_watch(table, watch, session.utc);
        }
        count += items.size();
    });
    if (!more) {
        return std::unexpected(more.error());
    }
    if (count == 0) {
        session.err.line("No heartbeat is known. \"tocsinctl heartbeats beat SOURCE --interval 1m\" sets a watch.");
        return 0;
    }
    table.write(session.out);
    if (*more) {
        session.err.line(fmt::format("There are more than these {}: -n N shows N of them.", count));
    }
    return 0;
}

std::string path_of(const Arguments& arguments) {
    return "/v1/heartbeats/" + percent_encode(arguments.positional.front());
}

Result<int> run_beat(Session& session, const Arguments& arguments) {
    Parameters parameters;
    for (const std::string_view key : {"scid", "interval", "grace", "schedule", "zone", "run", "status"}) {
        if (const auto value = arguments.value(key)) {
            parameters.emplace_back(key, *value);
        }
    }
    std::string path = path_of(arguments);
    const std::string_view state = arguments.value_or("state", "ok");
    constexpr std::array<std::string_view, 5> states{"ok", "start", "finish", "fail", "alive"};
    if (std::ranges::find(states, state) == states.end()) {
        return usage("--state", fmt::format("\"{}\" is not ok, start, finish, fail or alive", state.substr(0, 64)));
    }
    path += state == "ok" ? std::string() : fmt::format("/{}", state);
    return answer(session, post(session, target(path, parameters)), show_watch);
}

Result<int> act(Session& session, const Arguments& arguments, std::string_view name) {
    Parameters parameters;
    if (const auto scid = arguments.value("scid")) {
        parameters.emplace_back("scid", *scid);
    }
    const auto response = post(session, target(fmt::format("{}/{}", path_of(arguments), name), parameters));
    const bool forgotten = name == "forget";
    const auto show = [&arguments, forgotten](Session& in, const Value& watch) {
        if (forgotten) {
            in.out.line(Cell(arguments.positional.front() + " is forgotten").text);
        } else {
            show_watch(in, watch);
        }
    };
    return answer(session, response, show);
}

Result<int> run_pause(Session& session, const Arguments& arguments) {
    return act(session, arguments, "pause");
}
Result<int> run_resume(Session& session, const Arguments& arguments) {
    return act(session, arguments, "resume");
}
Result<int> run_forget(Session& session, const Arguments& arguments) {
    return act(session, arguments, "forget");
}

constexpr std::array list_options = std::to_array<Option>({
    {.name = "source", .value = "SOURCE", .help = "only this source", .repeats = true},
    {.name = "scid", .value = "N", .help = "only this scid", .repeats = true},
    {.name = "state", .value = "STATE", .help = "new, up, late, down, started or paused", .repeats = true},
    {.name = "limit", .value = "N", .help = "at most so many (1000)", .letter = 'n'},
});

constexpr std::array beat_options = std::to_array<Option>({
    {.name = "interval", .value = "DURATION", .help = "the next beat comes within this: 30s, 5m, 1d; sets a watch"},
    {.name = "grace", .value = "DURATION", .help = "how much later it may come before it is missed"},
    {.name = "scid", .value = "N", .help = "scid of the source (0)"},
    {.name = "state", .value = "STATE", .help = "ok, start, finish, fail or alive (ok)"},
    {.name = "run", .value = "ID", .help = "which run starts, finishes or fails"},
    {.name = "status", .value = "TEXT", .help = "a line for people"},
    {.name = "schedule", .value = "CRON", .help = "when beats are due"},
    {.name = "zone", .value = "ZONE", .help = "time zone of the schedule"},
});

constexpr std::array act_options = std::to_array<Option>({
    {.name = "scid", .value = "N", .help = "scid of the source (0)"},
});

constexpr std::array<std::string_view, 3> beat_examples{
    "tocsinctl heartbeats beat backup --interval 1d --grace 1h",
    "tocsinctl heartbeats beat backup --state start --run 17",
    "tocsinctl heartbeats beat backup --state fail --run 17 --status \"disk full\"",
};

constexpr Verb act_verb(std::string_view name, std::string_view summary, Handler run) {
    return {.name = name,
            .arguments = "SOURCE",
            .summary = summary,
            .options = {act_options},
            .arguments_min = 1,
            .arguments_max = 1,
            .run = run};
}

constexpr std::array verbs = std::to_array<Verb>({
    {.name = "heartbeats",
     .summary = "show who gives signs of life, and who stopped",
     .text = "States: new (seen, not watched), up, late (its deadline passed), down (missed), started (a run is under "
             "way), paused.",
     .options = {list_options},
     .run = run_list},
    {.name = "heartbeats beat",
     .arguments = "SOURCE",
     .summary = "give a sign of life",
     .text = "A beat that names an --interval sets a watch: when the next one does not come in time, the event\n"
             "heartbeat.missed is made, and heartbeat.recovered when it comes after all.",
     .options = {beat_options},
     .arguments_min = 1,
     .arguments_max = 1,
     .examples = beat_examples,
     .run = run_beat},
    act_verb("heartbeats pause", "expect no beats until resumed", run_pause),
    act_verb("heartbeats resume", "expect beats again", run_resume),
    act_verb("heartbeats forget", "end a watch and forget its source", run_forget),
});

} // namespace

std::span<const Verb> heartbeats_verbs() {
    return verbs;
}

} // namespace tocsin::cli
