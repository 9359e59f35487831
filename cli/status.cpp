// SPDX-License-Identifier: Apache-2.0
// status and reload: the daemon itself.
#include "cli/guarded.hpp"
#include "cli/metrics.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "cli/watch_view.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::cli {
namespace {

constexpr std::size_t unwatched_most = 10; // asked for; more are counted

void add_counts(Sheet& sheet, std::string_view title, const LabelledCounts& counts) {
    std::string text;
    for (const auto& [label, count] : counts) {
        if (count > 0) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, label);
        }
    }
    sheet.add(title, Cell(text.empty() ? "none" : text));
}

std::uint64_t count_of(const LabelledCounts& counts, std::string_view label) {
    const auto found = std::ranges::find(counts, label, &LabelledCounts::value_type::first);
    return found == counts.end() ? 0 : found->second;
}

// What beats and nobody watches, and how it would be watched.
void show_unwatched(Session& session, std::uint64_t count) {
    if (count == 0) {
        return;
    }
    const auto list = value_of(get(session, fmt::format("/v1/heartbeats?state=new&limit={}", unwatched_most)));
    if (list) {
        write_unwatched(session.out, (*list)["items"].items(), count);
    }
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
    std::uint64_t unwatched = 0;
    if (const auto metrics = get(session, "/metrics", "text/plain"); metrics && metrics->ok()) {
        const LabelledCounts heartbeats = labelled_counts(metrics->body, "tocsin_heartbeats", "state");
        unwatched = count_of(heartbeats, "new");
        add_counts(sheet, "heartbeats", heartbeats);
        add_counts(sheet, "jobs", labelled_counts(metrics->body, "tocsin_jobs", "state"));
    }
    sheet.add("socket", Cell(session.socket));
    sheet.write(session.out);
    show_unwatched(session, unwatched);
}

Result<int> run_status(Session& session, const Arguments&) {
    return answer(session, get(session, "/v1/status"), show_status);
}

void show_reloaded(Session& session, const Value&) {
    session.out.line("The configuration was reloaded.");
}

Result<int> run_reload(Session& session, const Arguments&) {
    const GuardedAct reload{
        .request = post_of("/v1/reload"), .bus = {.interface = "Manager", .member = "Reload"}, .then = "/v1/status"};
    return answer(session, act(session, reload), show_reloaded);
}

constexpr std::array status_table = std::to_array<Verb>({
    {.name = "status",
     .summary = "show how the daemon is",
     .text = "Version, health, how many events there are and come in, the store, heartbeats and jobs by state.\n"
             "For sources that beat and are not watched: the configuration that would watch them.",
     .run = run_status,
     .paged = true},
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
