// SPDX-License-Identifier: Apache-2.0
// run: a job of cron or of a person, as a watched run: start, then finish or fail with how it ended.
#include "cli/command.hpp"
#include "cli/run_report.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "cli/verbs.hpp"
#include "core/heartbeat.hpp"
#include "core/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <random>

namespace tocsin::cli {
namespace {

constexpr std::string_view interval_default = "1d";
constexpr std::int64_t grace_us_most = 3'600LL * 1'000'000;
constexpr int code_missing = 127; // as shells and env(1) have it
constexpr int code_not_startable = 126;

// 128 bits, so that two runs never share one.
std::string fresh_run_id() {
    std::random_device random;
    std::string id;
    for (int i = 0; i < 4; ++i) {
        id += fmt::format("{:08x}", random());
    }
    return id;
}

// An hour; for a job that comes more often, once its interval. A run that takes longer than the last one is not late.
std::string default_grace(std::string_view interval) {
    const auto us = parse_duration_us(interval);
    return format_duration(us ? std::min(*us, grace_us_most) : grace_us_most);
}

Result<Parameters> read_watch(const Arguments& arguments, const std::string& run) {
    if (arguments.has("schedule") && arguments.has("interval")) {
        return usage("--schedule", "and --interval exclude each other: a job comes by the calendar or at intervals");
    }
    if (arguments.has("zone") && !arguments.has("schedule")) {
        return usage("--zone", "is the time zone of a --schedule, and none is given");
    }
    Parameters parameters{{"run", run}};
    std::string_view interval;
    if (!arguments.has("schedule")) {
        interval = arguments.value_or("interval", interval_default);
        parameters.emplace_back("interval", interval);
    }
    const std::string grace = default_grace(interval);
    parameters.emplace_back("grace", arguments.value_or("grace", grace));
    for (const std::string_view key : {"schedule", "zone", "scid"}) {
        if (const auto value = arguments.value(key)) {
            parameters.emplace_back(key, *value);
        }
    }
    return parameters;
}

// Mistakes are told before the command runs, not after it.
Result<void> check(const RunBeats& beats, std::int64_t now_us) {
    BeatBuilder builder(beats.source);
    for (const auto& [key, value] : beats.parameters) {
        builder.set(key, std::string_view(value));
    }
    const auto beat = builder.finish(now_us);
    if (beat || beat.error().code != Code::invalid_argument) {
        return {};
    }
    const std::string& object = beat.error().object;
    return usage(object == "source" ? "NAME" : "--" + object, beat.error().reason);
}

std::string status_of(const Ending& ending, const Command& command) {
    std::string status = ending.how;
    const std::string tail = command.tail(limits::status_bytes - status.size() - 2);
    return tail.empty() ? status : fmt::format("{}: {}", status, tail);
}

// As a shell says it.
Ending not_started(Session& session, std::string_view program, int error) {
    session.err.line(fmt::format("tocsinctl: run: {}: {}", printable(program), ::strerror(error)));
    return {error == ENOENT ? code_missing : code_not_startable,
            fmt::format("cannot be started: {}", ::strerror(error))};
}

int run_watched(Session& session, RunBeats beats, CommandSetup setup, bool quiet) {
    const std::string program = setup.words.front();
    Command command(std::move(setup));
    const int error = command.start();
    RunReport report(session.client, std::move(beats), error == 0);
    const Ending ending = error == 0 ? command.wait() : not_started(session, program, error);
    report.end({.state = ending.good() ? "finish" : "fail", .status = status_of(ending, command)});
    command.finish();
    if (const auto problem = report.wait(); problem && !quiet) {
        session.err.line(fmt::format("tocsinctl: run: {}", printable(*problem)));
    }
    return ending.code;
}

Result<int> run_run(Session& session, const Arguments& arguments) {
    const std::string run = fresh_run_id();
    auto parameters = read_watch(arguments, run);
    if (!parameters) {
        return std::unexpected(std::move(parameters.error()));
    }
    RunBeats beats{.source = arguments.positional.front(), .parameters = std::move(*parameters)};
    if (arguments.has("timeout")) {
        beats.start = beats.end = std::chrono::milliseconds(0);
    }
    if (auto checked = check(beats, session.now_us); !checked) {
        return std::unexpected(std::move(checked.error()));
    }
    CommandSetup setup{.words = {arguments.positional.begin() + 1, arguments.positional.end()},
                       .variables = {"TOCSIN_RUN=" + run},
                       .input = session.input_fd,
                       .output = session.output_fd,
                       .errors = session.error_fd,
                       .keep_tail = !arguments.has("no-tail")};
    return run_watched(session, std::move(beats), std::move(setup), arguments.has("quiet"));
}

constexpr std::array options = std::to_array<Option>({
    {.name = "interval", .value = "DURATION", .help = "how often the job runs: 10m, 1h, 1w (1d)"},
    {.name = "schedule",
     .value = "CRON",
     .help = "when it runs instead: five cron fields, @daily or a calendar expression"},
    {.name = "zone", .value = "ZONE", .help = "time zone of the schedule, such as Europe/Berlin"},
    {.name = "grace",
     .value = "DURATION",
     .help = "how much later it may be done before that is an alarm (1h, or the interval where it is shorter)"},
    {.name = "scid", .value = "N", .help = "scid of the source (0)"},
    {.name = "no-tail",
     .help = "give the command the terminal, files or pipes themselves; nothing of its output is kept"},
    {.name = "quiet", .help = "say nothing when the daemon does not hear of the run", .letter = 'q'},
});

constexpr std::array<std::string_view, 4> examples{
    "tocsinctl run backup -- rsync -a /srv /mnt/backup",
    "tocsinctl run report --schedule \"0 3 * * *\" --zone Europe/Berlin --grace 2h -- /usr/local/bin/report",
    "tocsinctl run poll --interval 5m -- sh -c 'fetch | load'",
    "0 3 * * *  root  tocsinctl run backup -- /usr/local/sbin/backup   # in /etc/cron.d",
};

constexpr std::array verbs = std::to_array<Verb>({
    {.name = "run",
     .arguments = "NAME -- COMMAND [ARGUMENT…]",
     .summary = "run a command and watch that it comes, and ends well",
     .text =
         "For jobs of cron: the beats start, then finish or fail, go to the source NAME, with the exit code and the "
         "end\n"
         "of the output (at most 1 KiB with it) as status. They set a watch: a job that fails makes the event\n"
         "heartbeat.failed, one that does not come or end in time heartbeat.missed. What the configuration says about\n"
         "NAME goes before these options; how long a run may take is set there (run_limit).\n"
         "\n"
         "The exit code is the command's own, 128 + n when signal n ended it, 127 when it is not found and 126 when "
         "it\n"
         "cannot be started. A daemon that is away or does not answer changes nothing of this: the command starts\n"
         "before the daemon is told, and its end is told within 5 s or not at all (--timeout sets how long each of "
         "the\n"
         "two beats may take); that is one line on standard error. A wrong option ends with 2 before the command "
         "starts.\n"
         "\n"
         "The command has the same standard input, environment, descriptors and process group. Its output passes\n"
         "through unchanged and at once, each stream to where it belongs; where both go to the same place their order\n"
         "stays. But they are pipes: a command that behaves otherwise on a terminal needs --no-tail. INT, TERM, HUP,\n"
         "QUIT, USR1, USR2, ALRM, WINCH and CONT that are sent to tocsinctl are passed on to the command; Ctrl-C "
         "reaches\n"
         "both anyway. Processes that the command leaves behind are not waited for, and keep their output. When\n"
         "tocsinctl is killed (KILL) the command goes on, but what it prints has nowhere to go (SIGPIPE; not with\n"
         "--no-tail), and nobody tells how it ended.\n"
         "\n"
         "TOCSIN_RUN in the command's environment is the id of the run. A long job may say by itself that it gets on,\n"
         "which tocsinctl cannot know: tocsinctl heartbeats beat NAME --state alive --run \"$TOCSIN_RUN\".\n"
         "\n"
         "For a service of systemd, OnFailure=tocsin-failure@%n.service in its [Unit] section makes the event\n"
         "unit.failed, from the unit's name, of each failure.",
     .options = {options},
     .arguments_min = 2,
     .arguments_max = std::numeric_limits<unsigned>::max(),
     .examples = examples,
     .run = run_run,
     .formats = "table"},
});

} // namespace

std::span<const Verb> run_verbs() {
    return verbs;
}

} // namespace tocsin::cli
