// SPDX-License-Identifier: Apache-2.0
// status and reload: the daemon itself.
#include "cli/metrics.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "cli/when.hpp"

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

// "40.0 KiB", "1.2 GiB"
std::string size_text(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 5> units{"KiB", "MiB", "GiB", "TiB", "PiB"};
    constexpr double step = 1'024;
    double size = static_cast<double>(bytes) / step;
    std::size_t unit = 0;
    while (size >= step && unit + 1 < units.size()) {
        size /= step;
        ++unit;
    }
    return fmt::format("{:.1f} {}", size, units.at(unit));
}

void add_counts(Sheet& sheet, std::string_view title, const LabelledCounts& counts) {
    std::string text;
    for (const auto& [label, count] : counts) {
        if (count > 0) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, label);
        }
    }
    sheet.add(title, Cell(text.empty() ? "none" : text));
}

void show_status(Session& session, const Value& status) {
    Sheet sheet;
    std::string reasons;
    for (const Value& reason : status["degraded"].items()) {
        reasons += (reasons.empty() ? "" : "; ") + reason.text();
    }
    const std::uint64_t last = status["last_index"].number();
    sheet.add("tocsind", Cell(fmt::format("{} on {}", status["version"].text(), status["hostname"].text())));
    sheet.add("health", reasons.empty() ? Cell("ok", Colour::green) : Cell("degraded: " + reasons, Colour::red));
    sheet.add("events",
              Cell(fmt::format("{}{}, {:.1f}/s over the last minute", status["event_count"].number(),
                               last == 0 ? std::string()
                                         : fmt::format(" (index {} to {})", status["first_index"].number(), last),
                               status["intake_rate"].real())));
    sheet.add("store",
              Cell(fmt::format("{}, id {}", size_text(status["store_bytes"].number()), status["store_id"].text())));
    if (const auto metrics = get(session, "/metrics", "text/plain"); metrics && metrics->ok()) {
        add_counts(sheet, "heartbeats", labelled_counts(metrics->body, "tocsin_heartbeats", "state"));
        add_counts(sheet, "jobs", labelled_counts(metrics->body, "tocsin_jobs", "state"));
    }
    sheet.add("socket", Cell(session.socket));
    sheet.write(session.out);
}

Result<int> run_status(Session& session, const Arguments&) {
    return answer(session, get(session, "/v1/status"), show_status);
}

void show_reloaded(Session& session, const Value&) {
    session.out.line("The configuration was reloaded.");
}

Result<int> run_reload(Session& session, const Arguments&) {
    return answer(session, post(session, "/v1/reload"), show_reloaded);
}

constexpr std::array status_table = std::to_array<Verb>({
    {.name = "status",
     .summary = "show how the daemon is",
     .text = "Version, health, how many events there are and come in, the store, heartbeats and jobs by state.",
     .run = run_status},
});

constexpr std::array reload_table = std::to_array<Verb>({
    {.name = "reload",
     .summary = "read the configuration again",
     .text = "All or nothing: a wrong file leaves the old configuration running and is told here, with its line.",
     .run = run_reload},
});

} // namespace

std::span<const Verb> status_verbs() {
    return status_table;
}
std::span<const Verb> reload_verbs() {
    return reload_table;
}

} // namespace tocsin::cli
