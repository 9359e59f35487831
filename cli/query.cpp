// SPDX-License-Identifier: Apache-2.0
// query: events by filter, page after page, as a table, JSON, NDJSON or CSV; or single events by index.
#include "cli/event_view.hpp"
#include "cli/filters.hpp"
#include "cli/pages.hpp"
#include "cli/rows.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "cli/verbs.hpp"
#include "core/event.hpp"
#include "core/limits.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace tocsin::cli {
namespace {

constexpr std::string_view all_formats = "table short json ndjson csv";
constexpr std::int64_t limit_most = 1'000'000'000;
constexpr unsigned indexes_max = 1'000;

constexpr std::array own_options = std::to_array<Option>({
    {.name = "limit", .value = "N", .help = "at most so many events (100)", .letter = 'n'},
    {.name = "all", .help = "every event that matches", .letter = 'a'},
    {.name = "oldest", .help = "oldest first, instead of newest first"},
    {.name = "reverse", .help = "newest first, as it is anyway", .letter = 'r'},
    {.name = "order", .value = "ORDER", .help = "newest, oldest or index", .words = "newest oldest index"},
    {.name = "follow", .help = "show what comes instead, as the verb follow does", .letter = 'f'},
    {.name = "cursor", .value = "CURSOR", .help = "go on where a page ended (its \"next\")"},
});

Result<Parameters> parameters_of(const Session& session, const Arguments& arguments) {
    Parameters parameters = filter_parameters(arguments, session.now_us);
    if (arguments.has("reverse") && (arguments.has("oldest") || arguments.has("order"))) {
        return usage("--reverse", "is the same as --order newest; give one of them");
    }
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

Result<int> show_event(Session& session, std::string_view text, bool first, RowWriter* rows) {
    const auto index = id_argument("INDEX", text);
    if (!index) {
        return std::unexpected(index.error());
    }
    const auto show = [first, rows](Session& in, const Value& event) {
        if (rows != nullptr) {
            rows->add(event);
        } else if (in.format == Format::lines) {
            write_event_line(in.out, event, in.utc);
        } else {
            in.out.write(first ? "" : "\n");
            write_event(in.out, event, in.utc);
        }
    };
    return answer(session, get(session, "/v1/events/" + *index), show);
}

Result<int> show_events(Session& session, const Arguments& arguments) {
    std::optional<RowWriter> rows;
    if (session.format == Format::csv || session.format == Format::ndjson) {
        rows.emplace(session.out, session.format, event_field_names());
    }
    for (const std::string& text : arguments.positional) {
        const bool first = &text == arguments.positional.data();
        if (auto shown = show_event(session, text, first, rows ? &*rows : nullptr); !shown) {
            return shown;
        }
    }
    return 0;
}

Result<int> show_for_people(Session& session, ListRequest request) {
    constexpr ListHints hints{.more = "There are more: -n N shows N of them, --all all."};
    if (session.format == Format::lines) {
        const auto add = [&session](const Value& event) { write_event_line(session.out, event, session.utc); };
        return show_lines(session, std::move(request), add, hints);
    }
    Table table = event_table();
    const auto add = [&session, &table](const Value& event) { add_event(table, event, session.utc); };
    return show_pages(session, std::move(request), table, add, hints);
}

Result<int> run_query(Session& session, const Arguments& arguments) {
    if (arguments.has("follow")) {
        return follow_events(session, arguments);
    }
    if (!arguments.positional.empty()) {
        return show_events(session, arguments);
    }
    const auto limit = arguments.integer("limit", 1, limit_most);
    auto parameters = parameters_of(session, arguments);
    if (!limit || !parameters) {
        return std::unexpected(!limit ? limit.error() : parameters.error());
    }
    if (arguments.has("all") && *limit) {
        return usage("--all", "and --limit exclude each other");
    }
    const auto wanted = static_cast<std::size_t>(limit->value_or(static_cast<std::int64_t>(limits::page_default)));
    ListRequest request{.path = "/v1/events", .parameters = std::move(*parameters)};
    request.limit = arguments.has("all") ? 0 : wanted;
    request.cursor = percent_encode(arguments.value_or("cursor", ""));
    if (session.format == Format::table || session.format == Format::lines) {
        return show_for_people(session, std::move(request));
    }
    if (session.json() && request.limit > 0 && request.limit <= limits::page_max) {
        return write_json_page(session, request);
    }
    request.page = limits::page_max;
    return write_pages(session, std::move(request), session.format);
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
     .run = run_query,
     .formats = all_formats,
     .paged = true,
     .alias = "events"},
});

} // namespace

std::span<const Verb> query_verbs() {
    return table;
}

} // namespace tocsin::cli
