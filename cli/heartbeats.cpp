// SPDX-License-Identifier: Apache-2.0
// heartbeats: watches as a list, beats, and what a person does to a watch.
#include "cli/guarded.hpp"
#include "cli/rows.hpp"
#include "cli/session.hpp"
#include "cli/verbs.hpp"
#include "cli/watch_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace tocsin::cli {
namespace {

constexpr std::int64_t list_default = 1'000;
constexpr std::int64_t list_most = 1'000'000;
constexpr std::string_view row_formats = "table json ndjson csv";
constexpr std::array<std::string_view, 13> watch_keys{
    "source",   "scid", "state",  "last",   "deadline", "interval_s",          "grace_s",
    "schedule", "zone", "misses", "status", "run",      "suggested_interval_s"};

bool is_new(const Value& watch) {
    return watch["state"].text() == "new";
}

Result<int> list_for_people(Session& session, ListRequest request) {
    Table table = watch_table();
    std::vector<Value> unwatched;
    std::size_t count = 0;
    const auto use = [&session, &table, &unwatched, &count](const Value::Array& items) {
        for (const Value& watch : items) {
            add_watch(table, session, watch);
        }
        std::ranges::copy_if(items, std::back_inserter(unwatched), is_new);
        count += items.size();
    };
    const auto more = each_page(session, std::move(request), use);
    if (!more) {
        return std::unexpected(more.error());
    }
    if (count == 0) {
        session.err.line("No heartbeat is known. \"tocsinctl heartbeats beat SOURCE --interval 1m\" sets a watch.");
        return 0;
    }
    table.write(session.out);
    write_unwatched(session.out, unwatched, unwatched.size());
    if (*more) {
        session.err.line(fmt::format("There are more than these {}: -n N shows N of them.", count));
    }
    return 0;
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
    if (session.json()) {
        return write_json_page(session, request);
    }
    if (session.format != Format::table) {
        return write_rows(session, std::move(request), watch_keys);
    }
    return list_for_people(session, std::move(request));
}

std::string path_of(const Arguments& arguments) {
    return "/v1/heartbeats/" + percent_encode(arguments.positional.front());
}

Result<int> run_show(Session& session, const Arguments& arguments) {
    const std::string& source = arguments.positional.front();
    Parameters parameters{{"source", source}};
    if (arguments.positional.size() > 1) {
        if (!to_integer(arguments.positional[1])) {
            return usage("SCID", fmt::format("\"{}\" is not a whole number", arguments.positional[1].substr(0, 64)));
        }
        parameters.emplace_back("scid", arguments.positional[1]);
    }
    parameters.emplace_back("limit", std::to_string(list_default));
    const auto response = get(session, target("/v1/heartbeats", parameters));
    const auto list = value_of(response);
    if (!list) {
        return std::unexpected(list.error());
    }
    const Value::Array& watches = (*list)["items"].items();
    if (watches.empty()) {
        return fail(Code::not_found, "heartbeats", source, "never beat and is not watched");
    }
    if (session.json()) {
        write_body(session, response->body);
        return 0;
    }
    if (session.format != Format::table) {
        RowWriter rows(session.out, session.format, watch_keys);
        std::ranges::for_each(watches, [&rows](const Value& watch) { rows.add(watch); });
        return 0;
    }
    for (const Value& watch : watches) {
        session.out.write(&watch == watches.data() ? "" : "\n");
        write_watch(session, watch);
    }
    return 0;
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
    return answer(session, post(session, target(path, parameters)), write_watch_line);
}

Result<int> act(Session& session, const Arguments& arguments, std::string_view name) {
    Parameters parameters;
    if (const auto scid = arguments.value("scid")) {
        parameters.emplace_back("scid", *scid);
    }
    const std::string& source = arguments.positional.front();
    const std::string scid(arguments.value_or("scid", "0"));
    const auto response = cli::act(
        session, {.request = post_of(target(fmt::format("{}/{}", path_of(arguments), name), parameters)),
                  .bus = {.object = "heartbeat/%/%",
                          .labels = {source, scid},
                          .interface = "Heartbeat",
                          .member = name == "pause" ? "Pause" : (name == "resume" ? "Resume" : "Forget")},
                  .then = name == "forget" ? "" : target("/v1/heartbeats", {{"source", source}, {"scid", scid}})});
    const bool forgotten = name == "forget";
    const auto show = [&arguments, forgotten](Session& in, const Value& watch) {
        if (forgotten) {
            in.out.line(Cell(arguments.positional.front() + " is forgotten").text);
        } else {
            write_watch_line(in, watch);
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
    {.name = "source", .value = "SOURCE", .help = "only this source", .repeats = true, .words = "@sources"},
    {.name = "scid", .value = "N", .help = "only this scid", .repeats = true},
    {.name = "state",
     .value = "STATE",
     .help = "new, up, late, down, started or paused",
     .repeats = true,
     .words = "new up late down started paused"},
    {.name = "limit", .value = "N", .help = "at most so many (1000)", .letter = 'n'},
});

constexpr std::array beat_options = std::to_array<Option>({
    {.name = "interval", .value = "DURATION", .help = "the next beat comes within this: 30s, 5m, 1d; sets a watch"},
    {.name = "grace", .value = "DURATION", .help = "how much later it may come before it is missed"},
    {.name = "scid", .value = "N", .help = "scid of the source (0)"},
    {.name = "state",
     .value = "STATE",
     .help = "ok, start, finish, fail or alive (ok)",
     .words = "ok start finish fail alive"},
    {.name = "run", .value = "ID", .help = "which run starts, finishes or fails"},
    {.name = "status", .value = "TEXT", .help = "a line for people"},
    {.name = "schedule",
     .value = "CRON",
     .help = "when beats are due: five cron fields, @daily or a calendar expression; sets a watch"},
    {.name = "zone", .value = "ZONE", .help = "time zone of the schedule, such as Europe/Berlin (UTC)"},
});

constexpr std::array act_options = std::to_array<Option>({
    {.name = "scid", .value = "N", .help = "scid of the source (0)"},
});

constexpr std::array<std::string_view, 4> beat_examples{
    "tocsinctl heartbeats beat backup --interval 1d --grace 1h",
    "tocsinctl heartbeats beat report --schedule \"0 3 * * *\" --zone Europe/Berlin --grace 1h",
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
            .run = run,
            .words = "@sources"};
}

constexpr std::array verbs = std::to_array<Verb>({
    {.name = "heartbeats",
     .summary = "show who gives signs of life, and who stopped",
     .text = "States: new (seen, not watched), up, late (its deadline passed), down (missed), started (a run is under "
             "way), paused.\n"
             "For sources that are new it shows the configuration that would watch them.",
     .options = {list_options},
     .run = run_list,
     .formats = row_formats,
     .paged = true,
     .alias = "heartbeat"},
    {.name = "heartbeats show",
     .arguments = "SOURCE [SCID]",
     .summary = "show all about a source and what is expected of it",
     .text = "With --json it is the list of its watches.",
     .arguments_min = 1,
     .arguments_max = 2,
     .run = run_show,
     .formats = row_formats,
     .paged = true,
     .words = "@sources"},
    {.name = "heartbeats beat",
     .arguments = "SOURCE",
     .summary = "give a sign of life",
     .text = "A beat that names an --interval or a --schedule sets a watch: when the next one does not come in time,\n"
             "the event heartbeat.missed is made, and heartbeat.recovered when it comes after all.",
     .options = {beat_options},
     .arguments_min = 1,
     .arguments_max = 1,
     .examples = beat_examples,
     .run = run_beat,
     .words = "@sources"},
    act_verb("heartbeats pause", "expect no beats until resumed", run_pause),
    act_verb("heartbeats resume", "expect beats again", run_resume),
    act_verb("heartbeats forget", "end a watch and forget its source", run_forget),
});

} // namespace

std::span<const Verb> heartbeats_verbs() {
    return verbs;
}

} // namespace tocsin::cli
