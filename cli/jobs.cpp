// SPDX-License-Identifier: Apache-2.0
// jobs: what scripts did for events, and what a person does about it.
#include "cli/event_view.hpp"
#include "cli/guarded.hpp"
#include "cli/interrupts.hpp"
#include "cli/job_scripts.hpp"
#include "cli/pages.hpp"
#include "cli/rows.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "cli/verbs.hpp"
#include "cli/when.hpp"
#include "core/json.hpp"
#include "core/limits.hpp"
#include "core/time.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <limits>

namespace tocsin::cli {
namespace {

// Of digits; one that is too large for any index stays too large.
std::uint64_t index_of(std::string_view digits) {
    std::uint64_t index = 0;
    const auto read = std::from_chars(digits.begin(), digits.end(), index);
    return read.ec == std::errc{} ? index : std::numeric_limits<std::uint64_t>::max();
}

constexpr std::int64_t list_default = 100;
constexpr std::int64_t list_most = 1'000'000;
constexpr std::chrono::milliseconds follow_pause{300};
constexpr std::array<std::string_view, 14> job_keys{
    "id",      "unique_index", "script", "state",     "attempt",    "exit_status",  "queued",
    "started", "ended",        "reason", "report_id", "report_url", "output_bytes", "truncated"};

std::string took(const Value& job) {
    const auto started = parse_time_us(job["started"].text(), Zone::utc());
    const auto ended = parse_time_us(job["ended"].text(), Zone::utc());
    constexpr std::int64_t ms = 1'000;
    return started && ended && *ended >= *started ? format_duration((*ended - *started) / ms * ms) : std::string();
}

std::string outcome(const Value& job) {
    const std::string reason = job["reason"].text();
    return reason.empty() ? job["report_url"].text() : reason;
}

void add_job(Table& table, const Value& job, bool utc) {
    const std::string state = job["state"].text();
    table.add({job["id"].text(), job["unique_index"].text(), job["script"].text(), Cell(state, state_colour(state)),
               job["attempt"].text(), job["exit_status"].text(), show_time(job["started"].text(), utc), took(job),
               job["report_id"].text(), outcome(job)});
}

void show_job(Session& session, const Value& job) {
    const std::string state = job["state"].text();
    session.out.line(fmt::format("job {} ({} for event {}) is {}", job["id"].text(), printable(job["script"].text()),
                                 job["unique_index"].text(), session.out.paint(state_colour(state), state)));
}

Result<int> run_list(Session& session, const Arguments& arguments) {
    const auto limit = arguments.integer("limit", 1, list_most);
    if (!limit) {
        return std::unexpected(limit.error());
    }
    ListRequest request{.path = "/v1/jobs"};
    request.limit = static_cast<std::size_t>(limit->value_or(list_default));
    for (const std::string_view key : {"state", "script", "event"}) {
        for (const std::string& value : arguments.values(key)) {
            request.parameters.emplace_back(key == "event" ? "unique_index" : key, value);
        }
    }
    if (session.json()) {
        return write_json_page(session, request);
    }
    if (session.format != Format::table) {
        return write_rows(session, std::move(request), job_keys);
    }
    Table table({{.title = "JOB", .right = true},
                 {.title = "EVENT", .right = true},
                 {.title = "SCRIPT"},
                 {.title = "STATE"},
                 {.title = "TRY", .right = true},
                 {.title = "EXIT", .right = true},
                 {.title = "STARTED"},
                 {.title = "TOOK", .right = true},
                 {.title = "REPORT", .right = true},
                 {.title = "OUTCOME"}});
    const auto add = [&session, &table](const Value& job) { add_job(table, job, session.utc); };
    return show_pages(session, std::move(request), table, add, {.none = "No job matches."});
}

Result<int> run_run(Session& session, const Arguments& arguments) {
    const auto index = id_argument("INDEX", arguments.positional.front());
    if (!index) {
        return std::unexpected(index.error());
    }
    if (arguments.has("dry-run")) {
        return preview_run(session, *index, arguments.positional.back());
    }
    std::string body;
    json::ObjectWriter writer(body);
    writer.add("script", std::string_view(arguments.positional.back()));
    writer.close();
    const GuardedAct run{.request = post_of(fmt::format("/v1/events/{}/jobs", *index), std::move(body)),
                         .bus = {.interface = "Jobs",
                                 .member = "Run",
                                 .arguments = {index_of(*index), arguments.positional.back()},
                                 .answers_path = true},
                         .then = "/v1/jobs/%"};
    return answer(session, cli::act(session, run), show_job);
}

Result<int> act(Session& session, const Arguments& arguments, std::string_view name) {
    const auto id = id_argument("JOB", arguments.positional.front());
    if (!id) {
        return std::unexpected(id.error());
    }
    const bool again = name == "rerun";
    const GuardedAct wanted{.request = post_of(fmt::format("/v1/jobs/{}/{}", *id, name)),
                            .bus = {.object = "job/%",
                                    .labels = {*id},
                                    .interface = "Job",
                                    .member = again ? "Rerun" : "Cancel",
                                    .answers_path = again},
                            .then = again ? "/v1/jobs/%" : "/v1/jobs/" + *id};
    return answer(session, cli::act(session, wanted), show_job);
}

Result<int> run_cancel(Session& session, const Arguments& arguments) {
    return act(session, arguments, "cancel");
}
Result<int> run_rerun(Session& session, const Arguments& arguments) {
    return act(session, arguments, "rerun");
}

Result<int> run_show(Session& session, const Arguments& arguments) {
    const auto id = id_argument("JOB", arguments.positional.front());
    if (!id) {
        return std::unexpected(id.error());
    }
    const auto show = [](Session& in, const Value& job) {
        Sheet sheet;
        for (const auto& [key, value] : job.members()) {
            const bool time = key == "queued" || key == "started" || key == "ended";
            const std::string text = time ? show_time(value.text(), in.utc) : value.text();
            sheet.add(key, key == "state" ? Cell(text, state_colour(text)) : Cell(text));
        }
        sheet.write(in.out);
    };
    return answer(session, get(session, fmt::format("/v1/jobs/{}", *id)), show);
}

Result<std::string> output_of(Session& session, const std::string& id) {
    auto response = get(session, fmt::format("/v1/jobs/{}/output", id), "text/plain");
    if (!response || !response->ok()) {
        return std::unexpected(response ? problem_of(*response) : response.error());
    }
    return std::move(response->body);
}

void write_output(Session& session, std::string_view text) {
    session.out.write(session.out.terminal ? printable_lines(text) : text);
}

bool may_write_more(const Value& job) {
    const std::string state = job["state"].text();
    return state == "queued" || state == "running";
}

void write_output_json(Session& session, std::string_view id, std::string_view output) {
    std::string line;
    json::ObjectWriter writer(line);
    writer.add("id", Scalar(to_integer(id).value_or(0)));
    writer.add("output", output);
    writer.close();
    session.out.line(line);
}

// What is there, then what comes, until the job has ended. A retry begins anew.
Result<int> follow_output(Session& session, const std::string& id) {
    Interrupts interrupts;
    std::string shown;
    while (!session.out.gone()) {
        const auto job =
            value_of(get(session, fmt::format("/v1/jobs/{}", id))); // before its output: what ended is whole
        const auto output = job ? output_of(session, id) : std::unexpected(job.error());
        if (!output) {
            return std::unexpected(output.error());
        }
        write_output(session, output->starts_with(shown) ? std::string_view(*output).substr(shown.size()) : *output);
        session.out.flush();
        shown = *output;
        if (!may_write_more(*job) || interrupts.wait(-1, follow_pause) == Interrupts::Woken::stop) {
            break;
        }
    }
    return 0;
}

Result<int> run_output(Session& session, const Arguments& arguments) {
    const auto id = id_argument("JOB", arguments.positional.front());
    if (!id) {
        return std::unexpected(id.error());
    }
    if (arguments.has("follow") && session.json()) {
        return usage("--follow", "shows what is written as it is, not as JSON");
    }
    if (arguments.has("follow")) {
        return follow_output(session, *id);
    }
    const auto output = output_of(session, *id);
    if (!output) {
        return std::unexpected(output.error());
    }
    if (session.json()) {
        write_output_json(session, *id, *output);
    } else {
        write_output(session, *output);
    }
    return 0;
}

Result<int> run_report(Session& session, const Arguments& arguments) {
    const auto index = id_argument("INDEX", arguments.positional.front());
    const auto id = arguments.integer("id", 1, std::numeric_limits<std::int64_t>::max());
    if (!index || !id) {
        return std::unexpected(!index ? index.error() : id.error());
    }
    if (!*id) {
        return usage("--id", "is required: the number of the report");
    }
    std::string body;
    json::ObjectWriter writer(body);
    writer.add("spark_report_id", Scalar(**id));
    if (const auto url = arguments.value("url")) {
        writer.add("url", *url);
    }
    writer.close();
    const auto show = [](Session& in, const Value& event) { write_event(in.out, event, in.utc); };
    return answer(session, post(session, fmt::format("/v1/events/{}/report", *index), std::move(body)), show);
}

constexpr std::array list_options = std::to_array<Option>({
    {.name = "state",
     .value = "STATE",
     .help = "queued, running, waiting, succeeded, failed, timed-out or cancelled",
     .repeats = true,
     .words = "queued running waiting succeeded failed timed-out cancelled"},
    {.name = "script", .value = "NAME", .help = "only of this script", .repeats = true, .words = "@scripts"},
    {.name = "event", .value = "INDEX", .help = "only for this event", .alias = "unique-index", .repeats = true},
    {.name = "limit", .value = "N", .help = "at most so many, newest first (100)", .letter = 'n'},
});

constexpr std::array run_options = std::to_array<Option>({
    {.name = "dry-run", .help = "start nothing; show what a run would be"},
});

constexpr std::array output_options = std::to_array<Option>({
    {.name = "follow", .help = "go on showing what it writes, until it has ended", .letter = 'f'},
});

constexpr std::array report_options = std::to_array<Option>({
    {.name = "id", .value = "N", .help = "the report's number, above 0", .alias = "report-id"},
    {.name = "url", .value = "URL", .help = "where the report is"},
});

constexpr std::array verbs = std::to_array<Verb>({
    {.name = "jobs",
     .summary = "show what scripts did for events",
     .text = "States: queued, running, waiting (the report comes later), succeeded, failed, timed-out, cancelled.",
     .options = {list_options},
     .run = run_list,
     .formats = "table json ndjson csv",
     .paged = true,
     .alias = "job"},
    {.name = "jobs run",
     .arguments = "INDEX SCRIPT",
     .summary = "run an installed script for an event",
     .text = "With --dry-run nothing is started: the script is looked at as the daemon does, and its path, its limits, "
             "its\n"
             "environment and the event on its standard input are shown. Exits with 1 where it could not run.",
     .options = {run_options},
     .arguments_min = 2,
     .arguments_max = 2,
     .run = run_run,
     .words = "@events @scripts"},
    {.name = "jobs show",
     .arguments = "JOB",
     .summary = "show everything about one job",
     .arguments_min = 1,
     .arguments_max = 1,
     .run = run_show,
     .formats = "table json ndjson",
     .paged = true,
     .words = "@jobs"},
    {.name = "jobs lint",
     .arguments = "[NAME or PATH]",
     .summary = "check scripts without running them",
     .text =
         "Ownership and modes of the file and every folder above it, its name, the program that its first line names; "
         "what\n"
         "to do about each. A PATH (with a /) is looked at here, no daemon is needed; a NAME, or without one every "
         "script\n"
         "that is installed or configured, as the running daemon sees them. Exits with 1 where one cannot run, with 3\n"
         "where it is not there.",
     .arguments_max = 1,
     .run = lint_scripts,
     .words = "@scripts"},
    {.name = "jobs cancel",
     .arguments = "JOB",
     .summary = "end a job",
     .arguments_min = 1,
     .arguments_max = 1,
     .run = run_cancel,
     .words = "@jobs"},
    {.name = "jobs rerun",
     .arguments = "JOB",
     .summary = "run a finished job again, as a new one",
     .arguments_min = 1,
     .arguments_max = 1,
     .run = run_rerun,
     .words = "@jobs"},
    {.name = "jobs output",
     .arguments = "JOB",
     .summary = "show what a job's script wrote",
     .options = {output_options},
     .arguments_min = 1,
     .arguments_max = 1,
     .run = run_output,
     .paged = true,
     .words = "@jobs"},
    {.name = "jobs report",
     .arguments = "INDEX --id N [--url URL]",
     .summary = "put a report on an event",
     .text = "For a report that was made elsewhere; also for an event without a job.",
     .options = {report_options},
     .arguments_min = 1,
     .arguments_max = 1,
     .run = run_report,
     .words = "@events"},
});

} // namespace

std::span<const Verb> jobs_verbs() {
    return verbs;
}

} // namespace tocsin::cli
