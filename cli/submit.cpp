// SPDX-License-Identifier: Apache-2.0
// submit: one event from flags, an object or array of JSON, or NDJSON of any length.
#include "cli/filters.hpp"
#include "cli/session.hpp"
#include "cli/upload.hpp"
#include "cli/verbs.hpp"
#include "cli/when.hpp"
#include "core/json.hpp"
#include "core/limits.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

namespace tocsin::cli {
namespace {

constexpr std::size_t read_bytes = 64 * limits::KiB;
constexpr std::chrono::milliseconds retry_first{200};
constexpr std::chrono::milliseconds retry_most{2'000};
constexpr std::chrono::milliseconds attempt_deadline{5'000}; // a daemon that hangs is asked again
constexpr std::int64_t retry_us_max = 24LL * 3'600 * 1'000'000;

constexpr std::array fields = std::to_array<Option>({
    {.name = "name",
     .value = "NAME",
     .help = "event_name, what happened",
     .letter = 'n',
     .alias = "event-name",
     .words = "@names"},
    {.name = "src",
     .value = "SOURCE",
     .help = "event_src, who saw it",
     .letter = 's',
     .alias = "event-src",
     .words = "@srcs"},
    {.name = "severity",
     .value = "LEVEL",
     .help = "info, warning, error or critical",
     .letter = 'p',
     .words = "info warning error critical"},
    {.name = "scid", .value = "N", .help = "the payload, spacecraft or subject it is about"},
    {.name = "time",
     .value = "TIME",
     .help = "event_time: RFC 3339, -5m, \"2h ago\", 10:00 (now)",
     .alias = "event-time"},
    {.name = "payload", .value = "JSON", .help = "any JSON object"},
    {.name = "field",
     .value = "KEY=TEXT",
     .help = "a member of the payload, in place of --payload; left out where TEXT is empty",
     .repeats = true},
    {.name = "summary", .value = "TEXT", .help = "one line for people"},
    {.name = "description", .value = "TEXT", .help = "more than a line"},
    {.name = "count", .value = "N", .help = "how many occurrences it stands for (1)"},
    {.name = "env", .value = "NAME", .help = "environment", .alias = "environment", .words = "@environments"},
    {.name = "script",
     .value = "NAME",
     .help = "the script that makes its report",
     .alias = "spark-script",
     .words = "@scripts"},
    {.name = "key",
     .value = "KEY",
     .help = "sent again with the same key, it is kept once",
     .alias = "idempotency-key"},
    {.name = "rule", .value = "TEXT", .help = "the detector's condition", .alias = "event-rule"},
    {.name = "rule-id", .value = "N", .help = "the condition's number", .alias = "event-rule-id"},
    {.name = "type",
     .value = "TYPE",
     .help = "standard or dataset",
     .alias = "event-type",
     .words = "standard dataset"},
    {.name = "event-id", .value = "ID", .help = "the dataset's name", .words = "@datasets"},
    {.name = "gem", .value = "PATH", .help = "path of a data product", .alias = "gem-full-path", .words = "@files"},
});

constexpr std::array modes = std::to_array<Option>({
    {.name = "ndjson", .help = "one JSON event a line, from FILE or standard input, of any length"},
    {.name = "retry",
     .value = "DURATION",
     .help =
         "keep trying so long while no daemon takes it or none answers; by its key, given or made, it is kept once"},
});

bool is_number(std::string_view name) {
    return name == "scid" || name == "count" || name == "rule-id";
}

Result<void> add_field(json::ObjectWriter& writer, const Option& option, std::string_view text, std::int64_t now_us) {
    const std::string field = field_of(option);
    if (is_number(option.name)) {
        const auto number = to_integer(text);
        if (!number) {
            return usage(fmt::format("--{}", option.name),
                         fmt::format("\"{}\" is not a whole number", text.substr(0, 64)));
        }
        writer.add(field, Scalar(*number));
    } else if (option.name == "payload") {
        const auto payload = json::minify(text);
        if (!payload) {
            return usage("--payload", fmt::format("{}; write it as '{{\"key\": \"value\"}}'", payload.error().reason));
        }
        writer.add(field, RawJson{*payload});
    } else if (option.name == "time") {
        const std::string time = time_for_daemon(text, now_us);
        writer.add(field, std::string_view(time));
    } else {
        writer.add(field, text);
    }
    return {};
}

// The payload of --field KEY=TEXT; empty where there is none.
Result<std::string> payload_of_fields(const Arguments& arguments) {
    std::string payload;
    json::ObjectWriter writer(payload);
    bool any = false;
    for (const std::string_view member : arguments.values("field")) {
        const std::size_t equals = member.find('=');
        if (equals == 0 || equals == std::string_view::npos) {
            return usage("--field", fmt::format("\"{}\" is not KEY=TEXT", member.substr(0, 64)));
        }
        if (equals + 1 < member.size()) {
            writer.add(member.substr(0, equals), member.substr(equals + 1));
            any = true;
        }
    }
    writer.close();
    return any ? payload : std::string();
}

Result<std::string> event_of_flags(const Arguments& arguments, std::int64_t now_us) {
    std::string body;
    json::ObjectWriter writer(body);
    const auto payload = payload_of_fields(arguments);
    if (!payload) {
        return std::unexpected(payload.error());
    }
    if (arguments.has("field") && arguments.has("payload")) {
        return usage("--field", "and --payload exclude each other");
    }
    if (!payload->empty()) {
        writer.add("payload", RawJson{*payload});
    }
    for (const Option& option : fields) {
        const auto value = arguments.value(option.name);
        if (!value || option.name == "field" || (option.name == "key" && value->empty())) {
            continue;
        }
        if (auto added = add_field(writer, option, *value, now_us); !added) {
            return std::unexpected(std::move(added.error()));
        }
    }
    if (arguments.has("retry") && !arguments.has("key")) { // so that it is kept once, however often it is sent
        const std::string key = new_secret();
        writer.add("idempotency_key", std::string_view(key));
    }
    writer.close();
    return body;
}

// Standard input up to the size that the daemon takes at once.
Result<std::string> read_all(int input) {
    std::string text;
    std::vector<char> buffer(read_bytes);
    while (true) {
        const ssize_t got = ::read(input, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(Code::unavailable, "read", "standard input", ::strerror(errno));
        }
        if (got == 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > limits::batch_bytes) {
            return fail(Code::limit_exceeded, "submit", "standard input",
                        fmt::format("is larger than {} MiB; give one event a line with --ndjson",
                                    limits::batch_bytes / limits::MiB));
        }
    }
}

struct Patience {
    std::chrono::microseconds time{0};
    bool keyed = false; // sent again, the event is kept once
};

bool may_try_again(const Result<Response>& response, bool keyed) {
    if (response && response->ok()) {
        return false;
    }
    const Error error = response ? problem_of(*response) : response.error();
    const bool busy = error.code == Code::unavailable || (error.code == Code::limit_exceeded && !error.too_large);
    return busy && (response || error.context == context_connect || keyed);
}

// Several JSON objects, one a line, where one value was expected.
bool looks_like_ndjson(std::string_view text) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || text.find_first_not_of(" \r\n\t", end) == std::string_view::npos) {
        return false;
    }
    const auto first = Value::parse(text.substr(0, end));
    return first && first->is_object();
}

void show_receipt(Session& session, const Value& receipt) {
    for (const Value& index : receipt["unique_indexes"].items()) {
        session.out.line(index.text());
    }
    if (!receipt["unique_index"].is_null()) {
        session.out.line(receipt["unique_index"].text());
    }
    if (receipt["duplicate"].truth()) {
        session.err.line("tocsinctl: the event was known by its key; this is its index");
    }
}

// Tries again while the daemon is away or busy. Where it is not known whether the event was kept, only a key makes
// trying again safe.
Result<Response> post_for(Session& session, const std::string& body, const Patience& patience) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + patience.time;
    Interrupts interrupts;
    for (std::chrono::milliseconds pause = retry_first;; pause = std::min(pause * 2, retry_most)) {
        Request request{.method = "POST", .target = "/v1/events", .body = body, .content_type = "application/json"};
        request.deadline = patience.keyed ? attempt_deadline : request.deadline;
        auto response = session.client.send(request);
        const bool over = Clock::now() + pause >= end;
        if (over || !may_try_again(response, patience.keyed) || interrupts.wait(-1, pause) == Interrupts::Woken::stop) {
            return response;
        }
    }
}

Result<std::optional<Patience>> read_patience(const Arguments& arguments) {
    const auto text = arguments.value("retry");
    if (!text) {
        return std::nullopt;
    }
    const auto us = parse_duration_us(*text);
    if (!us || *us > retry_us_max) {
        return usage("--retry", us ? "must be at most 24h" : us.error().reason);
    }
    return Patience{.time = std::chrono::microseconds(*us),
                    .keyed = !arguments.has("key") || !arguments.value_or("key", "").empty()};
}

Result<int> send_json(Session& session, std::string body, const std::optional<Patience>& patience = {}) {
    const bool lines = looks_like_ndjson(body);
    const auto response = patience ? post_for(session, body, *patience) : post(session, "/v1/events", std::move(body));
    auto sent = answer(session, response, show_receipt);
    if (!sent && lines && sent.error().code == Code::invalid_argument) {
        sent.error().reason += "; this looks like one event a line: add --ndjson";
    }
    return sent;
}

Result<int> send_ndjson(Session& session, const std::string& name) {
    const bool is_file = name != "-";
    const int input = is_file ? ::open(name.c_str(), O_RDONLY | O_CLOEXEC) : session.input_fd;
    if (input < 0) {
        return fail(errno == ENOENT ? Code::not_found : Code::not_authorized, "submit", name, ::strerror(errno));
    }
    Interrupts interrupts;
    const int code = Upload(session, interrupts, name).run(input);
    if (is_file) {
        ::close(input);
    }
    return code;
}

Result<int> submit_flags(Session& session, const Arguments& arguments) {
    const auto patience = read_patience(arguments);
    if (!patience) {
        return std::unexpected(patience.error());
    }
    auto body = event_of_flags(arguments, session.now_us);
    return body ? send_json(session, std::move(*body), *patience) : std::unexpected(std::move(body.error()));
}

Result<int> run_submit(Session& session, const Arguments& arguments) {
    const auto given = [&arguments](const Option& option) { return arguments.has(option.name); };
    const bool flags = std::ranges::any_of(fields, given);
    const std::string_view text = arguments.positional.empty() ? std::string_view{} : arguments.positional.front();
    if (flags && (!text.empty() || arguments.has("ndjson"))) {
        return usage("", "give the event either by flags or as JSON, not both");
    }
    if (arguments.has("ndjson") && arguments.has("retry")) {
        return usage("--retry", "is for an event given by flags; --ndjson tries again by itself");
    }
    if (arguments.has("ndjson")) {
        return send_ndjson(session, text.empty() ? "-" : std::string(text));
    }
    if (flags) {
        if (!arguments.has("name") || !arguments.has("src")) {
            return usage(arguments.has("name") ? "--src" : "--name",
                         "is required: an event has at least a name and a source");
        }
        return submit_flags(session, arguments);
    }
    if (arguments.has("retry")) {
        return usage("--retry", "is for an event given by flags");
    }
    if (text == "-") {
        auto body = read_all(session.input_fd);
        return body ? send_json(session, std::move(*body)) : std::unexpected(std::move(body.error()));
    }
    if (const std::size_t begin = text.find_first_not_of(" \t\r\n");
        begin != std::string_view::npos && (text[begin] == '{' || text[begin] == '[')) {
        return send_json(session, std::string(text));
    }
    return usage(std::string(text.substr(0, 64)),
                 text.empty() ? "give an event: --name and --src, or JSON, or - for standard input"
                              : "is not JSON; an event is --name and --src, or a JSON object, or - for standard input");
}

constexpr std::array<std::string_view, 6> examples{
    "tocsinctl submit --name backup.done --src backup --summary \"42 GB in 3 min\"",
    "tocsinctl submit -n door.open -s gate -p warning --scid 7 --payload '{\"badge\": 1234}'",
    "tocsinctl submit -n backup.done -s backup --field target=nas1 --field host=\"$HOSTNAME\" --key \"$RUN\" --retry "
    "30s",
    "tocsinctl submit '[{\"event_name\":\"a\",\"event_src\":\"x\"},{\"event_name\":\"b\",\"event_src\":\"x\"}]'",
    "tocsinctl submit --ndjson events.ndjson",
    "my-detector | tocsinctl submit --ndjson",
};

constexpr std::array table = std::to_array<Verb>({
    {.name = "submit",
     .arguments = "[JSON | - | FILE]",
     .summary = "send events",
     .text =
         "Gives back the index of each event once it is durable. One event by flags; or a JSON object or array as\n"
         "argument, or from standard input with \"-\"; an array is kept whole or not at all.\n"
         "\n"
         "With --ndjson one event a line is read from FILE or standard input, of any length, also from a program that\n"
         "keeps running. It is sent in pieces that are each kept whole or not at all; if something is wrong it says "
         "how\n"
         "many lines were kept and from which line to send again.",
     .options = {fields, modes},
     .arguments_max = 1,
     .examples = examples,
     .run = run_submit},
});

} // namespace

std::span<const Verb> submit_verbs() {
    return table;
}

} // namespace tocsin::cli
