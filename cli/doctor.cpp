// SPDX-License-Identifier: Apache-2.0
// doctor: looks at the daemon and at the machine around it, and says what is wrong and what to do.
#include "cli/doctor_judge.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/verbs.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::cli {
namespace {

constexpr int found_wrong = 1;

Colour colour_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::ok:
        return Colour::green;
    case Verdict::warning:
        return Colour::yellow;
    case Verdict::problem:
        return Colour::red;
    case Verdict::unknown:
        break;
    }
    return Colour::dim;
}

Result<std::int64_t> newest_time(Session& session) {
    const auto page = value_of(get(session, "/v1/events?order=newest&limit=1"));
    if (!page) {
        return std::unexpected(page.error());
    }
    const auto& items = (*page)["items"].items();
    return items.empty() ? Result<std::int64_t>(0) : parse_time_us(items.front()["event_time"].text(), Zone::utc());
}

DaemonFacts ask_daemon(Session& session) {
    DaemonFacts facts{.now_us = session.now_us, .installed = session.socket == system_socket};
    facts.status = value_of(get(session, "/v1/status"));
    if (!facts.status) {
        return facts;
    }
    const auto metrics = get(session, "/metrics", "text/plain");
    if (!metrics) {
        facts.metrics = std::unexpected(metrics.error());
    } else if (metrics->ok()) {
        facts.metrics = metrics->body;
    } else {
        facts.metrics = std::unexpected(problem_of(*metrics));
    }
    facts.handlers = value_of(get(session, "/v1/handlers"));
    facts.newest_us = newest_time(session);
    return facts;
}

std::size_t count(const Findings& findings, Verdict verdict) {
    return static_cast<std::size_t>(std::ranges::count(findings, verdict, &Finding::verdict));
}

void show_json(Session& session, const Findings& findings) {
    std::string items = "[";
    for (const Finding& finding : findings) {
        items += items.size() > 1 ? "," : "";
        json::ObjectWriter writer(items);
        writer.add("check", std::string_view(finding.check));
        writer.add("verdict", verdict_name(finding.verdict));
        writer.add("found", std::string_view(finding.found));
        if (!finding.remedy.empty()) {
            writer.add("remedy", std::string_view(finding.remedy));
        }
        writer.close();
    }
    items += "]";
    std::string line;
    json::ObjectWriter writer(line);
    writer.add("problems", static_cast<std::uint64_t>(count(findings, Verdict::problem)));
    writer.add("warnings", static_cast<std::uint64_t>(count(findings, Verdict::warning)));
    writer.add("items", RawJson{items});
    writer.close();
    session.out.line(line);
}

void show_text(Session& session, const Findings& findings) {
    std::size_t check_width = 0;
    for (const Finding& finding : findings) {
        check_width = std::max(check_width, width(finding.check));
    }
    constexpr int verdict_width = 7;
    for (const Finding& finding : findings) {
        const std::string verdict = fmt::format("{:<{}}", verdict_name(finding.verdict), verdict_width);
        session.out.line(fmt::format("{:<{}}  {}  {}", finding.check, check_width,
                                     session.out.paint(colour_of(finding.verdict), verdict), printable(finding.found)));
        if (!finding.remedy.empty()) {
            session.out.line(
                fmt::format("{:<{}}  {:<{}}  → {}", "", check_width, "", verdict_width, printable(finding.remedy)));
        }
    }
    const std::size_t problems = count(findings, Verdict::problem);
    const std::size_t warnings = count(findings, Verdict::warning);
    session.out.line("");
    session.out.line(fmt::format("{} problem{}, {} warning{}.", problems, problems == 1 ? "" : "s", warnings,
                                 warnings == 1 ? "" : "s"));
}

Result<int> run_doctor(Session& session, const Arguments&) {
    const DaemonFacts daemon = ask_daemon(session);
    Findings findings = judge_daemon(daemon);
    const Findings around = judge_system(gather_facts(daemon.installed), daemon.installed);
    findings.insert(findings.end(), around.begin(), around.end());
    if (session.json()) {
        show_json(session, findings);
    } else {
        show_text(session, findings);
    }
    return count(findings, Verdict::problem) == 0 ? 0 : found_wrong;
}

constexpr std::array table = std::to_array<Verb>({
    {.name = "doctor",
     .summary = "look for what is wrong with the daemon and around it",
     .text = "Looks at the daemon, why it is degraded, its store and the room on the disk, times of events, who is "
             "notified; for the installed service also at its units, the bus and its policy, who owns which files, "
             "services that ask for group tocsin; and at the machine's clock and limits. Under each finding that needs "
             "it: what to do.\n"
             "Nothing is changed. The exit code is 1 where there is a problem, 0 where there are warnings at most.",
     .run = run_doctor,
     .paged = true},
});

} // namespace

std::span<const Verb> doctor_verbs() {
    return table;
}

} // namespace tocsin::cli
