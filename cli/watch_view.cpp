// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_view.hpp"

#include "cli/event_view.hpp"
#include "cli/text.hpp"
#include "cli/when.hpp"
#include "core/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tocsin::cli {
namespace {

constexpr double us_per_s = 1e6;
constexpr std::size_t entries_most = 10; // shown at once
constexpr std::string_view interval_unknown = "1m";

std::string duration_text(const Value& seconds) {
    return seconds.real() > 0 ? format_duration(std::llround(seconds.real() * us_per_s)) : std::string();
}

// By the calendar or at intervals.
std::string expected_text(const Value& watch) {
    const std::string schedule = watch["schedule"].text();
    if (schedule.empty()) {
        const std::string interval = duration_text(watch["interval_s"]);
        return interval.empty() ? std::string() : "every " + interval;
    }
    const std::string zone = watch["zone"].text();
    return zone.empty() ? schedule : fmt::format("{} ({})", schedule, zone);
}

// In a TOML basic string. What is escaped for terminals (\u202e) means the same there.
std::string toml_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c == '"' || c == '\\' ? "\\" : "";
        out += c;
    }
    return printable(out);
}

} // namespace

std::string show_time_and_distance(const Session& session, const std::string& time) {
    const auto us = parse_time_us(time, Zone::utc());
    if (time.empty() || !us) {
        return time;
    }
    const std::int64_t ahead = *us - session.now_us;
    const std::string distance =
        ahead >= 0 ? fmt::format("in {}", show_age_us(ahead)) : fmt::format("{} ago", show_age_us(-ahead));
    return fmt::format("{} ({})", show_time_us(*us, session.utc), distance);
}

Table watch_table() {
    return Table({{.title = "SOURCE"},
                  {.title = "SCID", .right = true},
                  {.title = "STATE"},
                  {.title = "LAST"},
                  {.title = "DEADLINE"},
                  {.title = "EXPECTED"},
                  {.title = "GRACE", .right = true},
                  {.title = "MISSES", .right = true},
                  {.title = "STATUS"}});
}

void add_watch(Table& table, const Session& session, const Value& watch) {
    const std::string state = watch["state"].text();
    table.add({watch["source"].text(), watch["scid"].text(), Cell(state, state_colour(state)),
               show_time(watch["last"].text(), session.utc), show_time_and_distance(session, watch["deadline"].text()),
               expected_text(watch), duration_text(watch["grace_s"]), watch["misses"].text(), watch["status"].text()});
}

void write_watch_line(Session& session, const Value& watch) {
    const std::string state = watch["state"].text();
    const std::string deadline = watch["deadline"].text();
    session.out.write(Cell(fmt::format("{} (scid {}) is ", watch["source"].text(), watch["scid"].text())).text);
    session.out.write(session.out.paint(state_colour(state), Cell(state).text));
    if (state == "new") {
        session.out.write("; it alarms nobody until a beat names its --interval or --schedule");
    } else if (!deadline.empty() && state != "paused") {
        session.out.write(fmt::format("; next beat until {}", show_time(deadline, session.utc)));
    }
    session.out.write("\n");
}

void write_watch(Session& session, const Value& watch) {
    const std::string state = watch["state"].text();
    Sheet sheet;
    const auto add = [&sheet](std::string_view name, const std::string& text) {
        if (!text.empty()) {
            sheet.add(name, Cell(text));
        }
    };
    sheet.add("source", Cell(watch["source"].text()));
    add("scid", watch["scid"].text());
    sheet.add("state", Cell(state, state_colour(state)));
    add("last", show_time_and_distance(session, watch["last"].text()));
    add("deadline", show_time_and_distance(session, watch["deadline"].text()));
    add("expected", expected_text(watch));
    for (const Value& instant : watch["next"].items()) {
        add("next", show_time_and_distance(session, instant.text()));
    }
    add("grace", duration_text(watch["grace_s"]));
    add("misses", watch["misses"].text());
    add("run", watch["run"].text());
    add("status", watch["status"].text());
    sheet.write(session.out);
    if (state == "new") {
        write_unwatched(session.out, std::span(&watch, 1), 1);
    }
}

std::string watch_entry(const Value& watch) {
    std::string entry = fmt::format("[[heartbeat]]\nsource = \"{}\"\n", toml_text(watch["source"].text()));
    if (const std::string scid = watch["scid"].text(); !scid.empty() && scid != "0") {
        entry += fmt::format("scid = {}\n", Cell(scid).text);
    }
    const std::string suggested = duration_text(watch["suggested_interval_s"]);
    entry += suggested.empty() ? fmt::format("interval = \"{}\"   # set how often it beats\n", interval_unknown)
                               : fmt::format("interval = \"{}\"\n", suggested);
    return entry;
}

void write_unwatched(Output& out, std::span<const Value> watches, std::size_t all) {
    if (all == 0 || watches.empty()) {
        return;
    }
    out.line(fmt::format("\n{} not watched. To watch {}, put this into /etc/tocsin/conf.d/heartbeats.toml, then "
                         "\"tocsinctl reload\":",
                         all == 1 ? "1 source beats and is" : fmt::format("{} sources beat and are", all),
                         all == 1 ? "it" : "them"));
    const std::size_t shown = std::min(watches.size(), entries_most);
    for (const Value& watch : watches.first(shown)) {
        out.line("");
        out.write(watch_entry(watch));
    }
    if (all > shown) {
        out.line(fmt::format("\n… and {} more: \"tocsinctl heartbeats --state new\" shows them all.", all - shown));
    }
}

} // namespace tocsin::cli
