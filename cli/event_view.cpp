// SPDX-License-Identifier: Apache-2.0
#include "cli/event_view.hpp"

#include "cli/text.hpp"
#include "cli/when.hpp"

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

constexpr std::size_t utc_columns = 24;

// "[report 7] " before the summary: most events have none, so it gets no column.
std::string report_text(const Value& event) {
    const Value& id = event["spark_report_id"];
    if (id.is_null()) {
        return {};
    }
    return id.number() == 0 ? "[report asked] " : fmt::format("[report {}] ", id.text());
}

// The default summary repeats the name and the source, which have columns of their own: then the payload tells more.
std::string summary_of(const Value& event) {
    std::string summary = event["summary"].text();
    return summary == event["event_name"].text() + " from " + event["event_src"].text() ? event["payload"].text()
                                                                                        : summary;
}

bool is_time(std::string_view key) {
    return key == "event_time" || key == "received_time";
}

} // namespace

Colour severity_colour(std::string_view severity) {
    if (severity == "critical") {
        return Colour::alarm;
    }
    if (severity == "error") {
        return Colour::red;
    }
    return severity == "warning" ? Colour::yellow : Colour::plain;
}

Colour state_colour(std::string_view state) {
    if (state == "up" || state == "succeeded") {
        return Colour::green;
    }
    if (state == "down" || state == "failed" || state == "timed-out") {
        return Colour::red;
    }
    if (state == "late" || state == "waiting") {
        return Colour::yellow;
    }
    return state == "paused" || state == "cancelled" ? Colour::dim : Colour::plain;
}

Table event_table(bool live) {
    const auto wide = [live](std::size_t columns) { return live ? columns : 0; };
    return Table({{.title = "INDEX", .right = true, .at_least = wide(8)},
                  {.title = "TIME", .at_least = wide(utc_columns)},
                  {.title = "SEVERITY", .at_least = wide(8)},
                  {.title = "SOURCE", .at_least = wide(14)},
                  {.title = "SCID", .right = true},
                  {.title = "NAME", .at_least = wide(22)},
                  {.title = "SUMMARY"}});
}

void add_event(Table& table, const Value& event, bool utc) {
    const std::string severity = event["severity"].text();
    const std::string count = event["count"].number() > 1 ? fmt::format(" (×{})", event["count"].number()) : "";
    table.add({event["unique_index"].text(), show_time(event["event_time"].text(), utc),
               Cell(severity, severity_colour(severity)), event["event_src"].text(), event["scid"].text(),
               event["event_name"].text(), report_text(event) + summary_of(event) + count});
}

void write_event_line(Output& out, const Value& event, bool utc) {
    const std::string severity = event["severity"].text();
    const std::string count = event["count"].number() > 1 ? fmt::format(" (×{})", event["count"].number()) : "";
    const std::string what =
        fmt::format("{}: {}{}{}", event["event_name"].text(), report_text(event), summary_of(event), count);
    const std::string who =
        fmt::format("{} {}[{}]:", event["host"].text(), event["event_src"].text(), event["scid"].text());
    out.line(fmt::format("{} {} {}", show_short_time(event["event_time"].text(), utc), printable(who),
                         out.paint(severity_colour(severity), printable(what))));
}

void write_event(Output& out, const Value& event, bool utc) {
    Sheet sheet;
    for (const auto& [key, value] : event.members()) {
        const std::string text = is_time(key) ? show_time(value.text(), utc) : value.text();
        sheet.add(key, Cell(text, key == "severity" ? severity_colour(text) : Colour::plain));
    }
    sheet.write(out);
}

} // namespace tocsin::cli
