// SPDX-License-Identifier: Apache-2.0
// retention: what the store keeps, for how long, and what goes when.
#include "cli/rows.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "cli/when.hpp"
#include "core/time.hpp"

#include <fmt/format.h>

#include <array>

namespace tocsin::cli {
namespace {

constexpr double second_us = 1e6;

std::string duration_of(const Value& seconds) {
    return format_duration(static_cast<std::int64_t>(seconds.real() * second_us));
}

std::string size_of(const Value& bytes) {
    return format_size(bytes.number());
}

std::string time_of(const Value& time, bool utc) {
    const std::string text = time.text();
    return text.empty() ? "-" : show_time(text, utc);
}

void show_severities(Session& session, const Value& severities) {
    Table table({{.title = "SEVERITY"},
                 {.title = "KEPT FOR"},
                 {.title = "EVENTS", .right = true},
                 {.title = "OLDEST"},
                 {.title = "GOES BY"},
                 {.title = "GONE BY AGE", .right = true},
                 {.title = "FOR SPACE", .right = true}});
    for (const Value& kept : severities.items()) {
        table.add({kept["severity"].text(), duration_of(kept["keep_s"]), kept["events"].text(),
                   time_of(kept["oldest"], session.utc), time_of(kept["goes_by"], session.utc),
                   kept["expired_by_age"].text(), kept["expired_for_space"].text()});
    }
    table.write(session.out);
}

void show(Session& session, const Value& report) {
    show_severities(session, report["severities"]);
    Sheet sheet;
    sheet.add("Store", fmt::format("{} of {} used, {} of the file free again", size_of(report["used_bytes"]),
                                   size_of(report["limit_bytes"]), size_of(report["free_bytes"])));
    const std::string full_by = report["full_by"].text();
    sheet.add("Full by", full_by.empty() ? std::string("not in sight at the pace of the last day")
                                         : show_time(full_by, session.utc) + ", at the pace of the last day");
    sheet.add("Then go", Cell("info first, critical last, the oldest first"));
    sheet.add("Hourly counts", fmt::format("kept for {}", duration_of(report["keep_counters_s"])));
    session.out.line("");
    sheet.write(session.out);
}

void write_severities(Session& session, const Value& report) {
    constexpr std::array<std::string_view, 7> keys{"severity", "keep_s",         "events",           "oldest",
                                                   "goes_by",  "expired_by_age", "expired_for_space"};
    RowWriter rows(session.out, session.format, keys);
    for (const Value& kept : report["severities"].items()) {
        rows.add(kept);
    }
}

Result<int> run_retention(Session& session, const Arguments&) {
    return answer(session, get(session, "/v1/retention"), session.format == Format::table ? show : write_severities);
}

constexpr std::array table = std::to_array<Verb>({
    {.name = "retention",
     .summary = "what is kept for how long, and what goes when",
     .text =
         "GONE counts since the daemon started. store.retention, store.max_bytes and store.keep_free set what is kept.",
     .run = run_retention,
     .formats = "table json ndjson csv",
     .paged = true},
});

} // namespace

std::span<const Verb> retention_verbs() {
    return table;
}

} // namespace tocsin::cli
