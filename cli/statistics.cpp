// SPDX-License-Identifier: Apache-2.0
// stats: sums of `count` by fields, or by hour. histogram: the day of one name, as bars.
#include "cli/filters.hpp"
#include "cli/pages.hpp"
#include "cli/rows.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "cli/when.hpp"
#include "core/limits.hpp"
#include "core/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tocsin::cli {
namespace {

constexpr std::int64_t rows_default = 50; // of a table
constexpr std::size_t bar_width = 50;
constexpr std::int64_t us_per_hour = 3'600'000'000;
constexpr std::size_t day_length = 10; // of 2026-01-31

constexpr std::array stats_options = std::to_array<Option>({
    {.name = "by",
     .value = "FIELDS",
     .help = "one to three, with commas: event_name (as it is without --by), event_src, scid, severity, environment, "
             "event_rule_id, event_type, event_id, host",
     .letter = 'b',
     .words = "event_name event_src scid severity environment event_rule_id event_type event_id host"},
    {.name = "hourly", .help = "by hour and name instead"},
    {.name = "limit", .value = "N", .help = "at most so many rows (50)", .letter = 'n'},
});

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at <= list.size();) {
        const std::size_t end = std::min(list.find(',', at), list.size());
        out.emplace_back(list.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

std::string upper(std::string_view name) {
    std::string out(name);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return out;
}

void show_totals(Session& session, const Value& answered, const std::vector<std::string>& by, std::size_t limit) {
    std::vector<Column> columns{{.title = "COUNT", .right = true}};
    std::vector<std::string> titles;
    titles.reserve(by.size());
    for (const std::string& name : by) {
        titles.push_back(upper(name));
        columns.push_back({.title = titles.back()});
    }
    const Value::Array& items = answered["items"].items();
    if (items.empty()) {
        session.err.line("No event matches.");
        return;
    }
    Table table(std::move(columns));
    for (std::size_t i = 0; i < std::min(items.size(), limit); ++i) {
        std::vector<Cell> row{items[i]["count"].text()};
        for (const std::string& name : by) {
            const std::string text = items[i][name].text();
            row.emplace_back(text.empty() ? "-" : text);
        }
        table.add(std::move(row));
    }
    table.write(session.out);
    if (items.size() > limit && session.out.terminal) {
        session.err.line(fmt::format("There are {} rows: -n N shows N of them.", items.size()));
    }
}

void write_totals(Session& session, const Value& answered, const std::vector<std::string>& by, std::size_t limit) {
    std::vector<std::string_view> keys(by.begin(), by.end());
    keys.emplace_back("count");
    RowWriter rows(session.out, session.format, keys);
    const Value::Array& items = answered["items"].items();
    for (std::size_t i = 0; i < std::min(items.size(), limit); ++i) {
        rows.add(items[i]);
    }
}

Result<int> run_totals(Session& session, const Arguments& arguments, std::size_t limit) {
    const std::string fields(arguments.value_or("by", "event_name"));
    Parameters parameters = filter_parameters(arguments, session.now_us);
    parameters.emplace_back("group_by", fields);
    const auto show = [&fields, limit](Session& in, const Value& totals) {
        if (in.format == Format::table) {
            show_totals(in, totals, split(fields), limit);
        } else {
            write_totals(in, totals, split(fields), limit);
        }
    };
    return answer(session, get(session, target("/v1/statistics/totals", parameters)), show);
}

Result<int> run_hourly(Session& session, const Arguments& arguments, std::size_t limit) {
    ListRequest request{.path = "/v1/statistics/hourly", .parameters = filter_parameters(arguments, session.now_us)};
    request.limit = limit;
    if (session.json()) {
        return write_json_page(session, request);
    }
    if (session.format != Format::table) {
        constexpr std::array<std::string_view, 3> keys{"hour", "event_name", "count"};
        return write_rows(session, std::move(request), keys);
    }
    Table table({{.title = "HOUR"}, {.title = "COUNT", .right = true}, {.title = "EVENT_NAME"}});
    const auto add = [&session, &table](const Value& row) {
        table.add({show_time(row["hour"].text(), session.utc), row["count"].text(), row["event_name"].text()});
    };
    return show_pages(session, std::move(request), table, add);
}

Result<int> run_stats(Session& session, const Arguments& arguments) {
    const auto limit = arguments.integer("limit", 1, static_cast<std::int64_t>(limits::page_max));
    if (!limit) {
        return std::unexpected(limit.error());
    }
    const auto rows = static_cast<std::size_t>(limit->value_or(rows_default));
    if (arguments.has("hourly") && arguments.has("by")) {
        return usage("--hourly", "and --by exclude each other");
    }
    return arguments.has("hourly") ? run_hourly(session, arguments, rows) : run_totals(session, arguments, rows);
}

void show_day(Session& session, const Value& histogram) {
    const Value::Array& counts = histogram["counts"].items();
    std::uint64_t most = 0;
    std::uint64_t sum = 0;
    for (const Value& count : counts) {
        most = std::max(most, count.number());
        sum += count.number();
    }
    Table table({{.title = "UTC"}, {.title = "COUNT", .right = true}, {.title = ""}});
    for (std::size_t hour = 0; hour < counts.size(); ++hour) {
        const std::uint64_t count = counts[hour].number();
        const auto bar = most == 0 ? 0 : (count * bar_width + most - 1) / most;
        table.add(
            {fmt::format("{:02}:00", hour), counts[hour].text(), std::string(static_cast<std::size_t>(bar), '#')});
    }
    table.write(session.out);
    session.out.line(fmt::format("{} on {}", sum, histogram["day"].text()));
}

// An object an hour: {"hour":"2026-01-31T05:00:00.000000Z","count":7}
void write_day(Session& session, const Value& histogram) {
    constexpr std::array<std::string_view, 2> keys{"hour", "count"};
    RowWriter rows(session.out, session.format, keys);
    const std::string day = histogram["day"].text();
    const auto begin = parse_time_us(fmt::format("{} 00:00:00", day), Zone::utc());
    const Value::Array& counts = histogram["counts"].items();
    for (std::size_t hour = 0; begin && hour < counts.size(); ++hour) {
        const std::string time = format_time(*begin + static_cast<std::int64_t>(hour) * us_per_hour);
        rows.add(Value(Value::Object{{"hour", Value(Value::Data(time))}, {"count", counts[hour]}}));
    }
}

Result<int> run_histogram(Session& session, const Arguments& arguments) {
    std::string day =
        arguments.positional.size() > 1 ? arguments.positional[1] : format_time(session.now_us).substr(0, day_length);
    std::erase(day, '-');
    const std::string address =
        fmt::format("/v1/statistics/histogram/{}/{}", percent_encode(arguments.positional[0]), percent_encode(day));
    return answer(session, get(session, address), session.format == Format::table ? show_day : write_day);
}

constexpr std::array<std::string_view, 3> stats_examples{
    "tocsinctl stats --since -24h --by event_src,severity",
    "tocsinctl stats --hourly --since today --name 'sshd.*'",
    "tocsinctl stats --by environment --json",
};
constexpr std::array<std::string_view, 2> histogram_examples{
    "tocsinctl histogram sshd.login_failed",
    "tocsinctl histogram sshd.login_failed 2026-01-31",
};

constexpr std::array table = std::to_array<Verb>({
    {.name = "stats",
     .summary = "count events by their fields or by hour",
     .text = "Sums of the events' count field, largest first; --hourly in the order of time. Hours are UTC hours.",
     .options = {filter_options, stats_options},
     .examples = stats_examples,
     .run = run_stats,
     .formats = "table json ndjson csv",
     .paged = true,
     .alias = "statistics"},
    {.name = "histogram",
     .arguments = "NAME [YYYY-MM-DD]",
     .summary = "the 24 hours of a day of one event name",
     .text = "Without a day: today. Days are UTC days.",
     .arguments_min = 1,
     .arguments_max = 2,
     .examples = histogram_examples,
     .run = run_histogram,
     .formats = "table json ndjson csv",
     .words = "@names"},
});

} // namespace

std::span<const Verb> statistics_verbs() {
    return table;
}

} // namespace tocsin::cli
