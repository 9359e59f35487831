// SPDX-License-Identifier: Apache-2.0
// query: events by filter, page after page, as a table, JSON, NDJSON or CSV; or single events by index.
#include "cli/event_view.hpp"
#include "cli/filters.hpp"
#include "cli/pages.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "cli/verbs.hpp"
#include "core/limits.hpp"

#include <fmt/format.h>

#include <utility>

namespace tocsin::cli {
namespace {

constexpr std::int64_t limit_most = 1'000'000'000;
constexpr unsigned indexes_max = 1'000;

constexpr std::array own_options = std::to_array<Option>({
    {.name = "limit", .value = "N", .help = "at most so many events (100)", .letter = 'n'},
    {.name = "all", .help = "every event that matches", .letter = 'a'},
    {.name = "oldest", .help = "oldest first, instead of newest first"},
    {.name = "order", .value = "ORDER", .help = "newest, oldest or index"},
    {.name = "cursor", .value = "CURSOR", .help = "go on where a page ended (its \"next\")"},
    {.name = "output", .value = "FORMAT", .help = "table, json, ndjson or csv", .letter = 'o'},
});

Result<Format> choose_format(const Session& session, const Arguments& arguments) {
    const auto text = arguments.value("output");
    if (!text) {
        return session.json ? Format::json : Format::table;
    }
    if (const auto format = format_from(*text)) {
        return *format;
    }
    return usage("--output", fmt::format("\"{}\" is not table, json, ndjson or csv", text->substr(0, 64)));
}

Result<Parameters> parameters_of(const Session& session, const Arguments& arguments) {
    Parameters parameters = filter_parameters(arguments, session.now_us);
    if (arguments.has("oldest") && arguments.has("order")) {
        return usage("--oldest", "is the same as --order oldest; give one of them");
    }
    if (arguments.has("oldest")) {
        parameters.emplace_back("order", "oldest");
    } else if (const auto order = arguments.value("order")) {
        parameters.emplace_back("order", *order);
    }
    return parameters;
}

Result<int> show_events(Session& session, const Arguments& arguments) {
    for (const std::string& text : arguments.positional) {
        const auto index = id_argument("INDEX", text);
        if (!index) {
            return std::unexpected(index.error());
        }
        const bool first = &text == arguments.positional.data();
        const auto show = [first](Session& in, const Value& event) {
            in.out.write(first ? "" : "\n");
            write_event(in.out, event, in.utc);
        };
        if (auto shown = answer(session, get(session, "/v1/events/" + *index), show); !shown) {
            return shown;
        }
    }
    return 0;
}

Result<int> show_table(Session& session, ListRequest request) {
    Table table = event_table();
    const auto add = [&session, &table](const Value& event) { add_event(table, event, session.utc); };
    return show_pages(session, std::move(request), table, add, "There are more: -n N shows N of them, --all all.");
}

// Exactly one page as the daemon gives it.
Result<int> show_json_page(Session& session, const ListRequest& request) {
    Parameters parameters = request.parameters;
    parameters.emplace_back("limit", std::to_string(request.limit));
    std::string address = target(request.path, parameters);
    if (!request.cursor.empty()) {
        address += "&cursor=" + request.cursor;
    }
    session.json = true;
    return answer(session, get(session, std::move(address)), {});
}

Result<int> run_query(Session& session, const Arguments& arguments) {
    if (!arguments.positional.empty()) {
        return show_events(session, arguments);
    }
    const auto format = choose_format(session, arguments);
    const auto limit = arguments.integer("limit", 1, limit_most);
    auto parameters = parameters_of(session, arguments);
    if (!format || !limit || !parameters) {
        return std::unexpected(!format ? format.error() : !limit ? limit.error() : parameters.error());
    }
    if (arguments.has("all") && *limit) {
        return usage("--all", "and --limit exclude each other");
    }
    const auto wanted = static_cast<std::size_t>(limit->value_or(static_cast<std::int64_t>(limits::page_default)));
    ListRequest request{.path = "/v1/events", .parameters = std::move(*parameters)};
    request.limit = arguments.has("all") ? 0 : wanted;
    request.cursor = percent_encode(arguments.value_or("cursor", ""));
    if (*format == Format::table) {
        return show_table(session, std::move(request));
    }
    if (*format == Format::json && request.limit > 0 && request.limit <= limits::page_max) {
        return show_json_page(session, request);
    }
    request.page = limits::page_max;
    return write_pages(session, std::move(request), *format);
}

constexpr std::array<std::string_view, 6> examples{
    "tocsinctl query --since -1h --min-severity warning",
    "tocsinctl query --src sshd --name 'sshd.login_*' -n 1000",
    "tocsinctl query --since yesterday --until today --all -o csv > yesterday.csv",
    "tocsinctl query --where 'severity >= \"error\" and payload.user == \"root\"'",
    "tocsinctl query 4711",
    "tocsinctl query --scid 7 --scid 8 --json | jq '.items[].event_name'",
};

constexpr std::array table = std::to_array<Verb>({
    {.name = "query",
     .arguments = "[INDEX…]",
     .summary = "show events",
     .text = "Newest first, unless asked otherwise. Different options must all hold; a repeated one means \"or\". With "
             "an INDEX\n"
             "the whole of that event is shown. --json prints one page as the daemon gives it; its \"next\" goes to "
             "--cursor.",
     .options = {filter_options, own_options},
     .arguments_max = indexes_max,
     .examples = examples,
     .run = run_query},
});

} // namespace

std::span<const Verb> query_verbs() {
    return table;
}

} // namespace tocsin::cli
