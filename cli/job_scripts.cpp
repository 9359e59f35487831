// SPDX-License-Identifier: Apache-2.0
#include "cli/job_scripts.hpp"

#include "cli/event_view.hpp"
#include "cli/text.hpp"
#include "core/json.hpp"
#include "core/time.hpp"
#include "jobs/script_lint.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace tocsin::cli {
namespace {

constexpr int not_fit = 1;

void write_findings(Session& session, const Value& report) {
    for (const Value& problem : report["problems"].items()) {
        session.out.line(fmt::format("  {} {}", session.out.paint(Colour::red, "wrong:"), printable(problem.text())));
    }
    for (const Value& hint : report["hints"].items()) {
        session.out.line(fmt::format("  {} {}", session.out.paint(Colour::yellow, "hint:"), printable(hint.text())));
    }
}

std::string seconds(const Value& value) {
    constexpr double us_per_s = 1e6;
    return format_duration(std::llround(value.real() * us_per_s));
}

// "timeout 10m, killed 5s later, 2 retries, …"
std::string limits_of(const Value& report) {
    std::string text = fmt::format("timeout {}, SIGKILL {} later, retries {}", seconds(report["timeout_s"]),
                                   seconds(report["kill_after_s"]), report["retries"].number());
    if (!report["parallel"].is_null()) {
        text += fmt::format(", at most {} at a time", report["parallel"].number());
    }
    text += report["submit"].truth() ? "" : ", only for administrators and rules";
    text += report["rerun"].truth() ? "" : ", not again after the daemon died";
    text += report["callback"].truth() ? ", with a callback" : "";
    text += report["coalesce"].truth() ? ", joined while queued" : "";
    return text;
}

void write_report(Session& session, const Value& report) {
    const bool ready = report["ready"].truth();
    const std::string path = printable(report["path"].text());
    session.out.line(
        fmt::format("{}{}{}: {}", printable(report["script"].text()), path.empty() ? "" : "  ", path,
                    session.out.paint(ready ? Colour::green : Colour::red, ready ? "ready" : "cannot run")));
    if (!report["timeout_s"].is_null()) {
        session.out.line("  " + limits_of(report));
    }
    write_findings(session, report);
}

int code_of(const Value::Array& reports, bool one) {
    int code = 0;
    for (const Value& report : reports) {
        code = report["ready"].truth() ? code : not_fit;
    }
    const bool missing = one && !reports.empty() && reports.front()["path"].is_null();
    return missing ? info(Code::not_found).exit_code : code;
}

// Root looks for the packaged daemon; others for one of their own, and are told what the packaged one would say.
ScriptReport look_here(const std::string& path) {
    ScriptReport report{.script = path.substr(path.rfind('/') + 1), .path = path};
    report.findings = jobs::lint_script(path, ::geteuid());
    if (report.ready() && ::geteuid() != 0 && jobs::lint_script(path, 0) != report.findings) {
        report.findings.push_back(
            {false, "runs only under a daemon of your own: the installed one wants it and its folders to be root's"});
    }
    return report;
}

Result<int> lint_path(Session& session, std::string_view argument) {
    std::error_code error;
    const auto path = std::filesystem::absolute(std::filesystem::path(argument), error).lexically_normal();
    struct stat status{};
    if (error || ::lstat(path.c_str(), &status) != 0) {
        return fail(Code::not_found, "jobs lint", std::string(argument), "there is no such file");
    }
    std::string text = "{\"items\":[";
    json::append_object(text, look_here(path.string()));
    text += "]}";
    const auto list = Value::parse(text);
    if (!list) {
        return std::unexpected(list.error());
    }
    if (session.json()) {
        write_body(session, text);
    } else {
        write_report(session, (*list)["items"].items().front());
    }
    return code_of((*list)["items"].items(), true);
}

} // namespace

Result<int> lint_scripts(Session& session, const Arguments& arguments) {
    const std::string_view only = arguments.positional.empty() ? std::string_view{} : arguments.positional.front();
    if (only.find('/') != std::string_view::npos) {
        return lint_path(session, only);
    }
    Parameters parameters;
    if (!only.empty()) {
        parameters.emplace_back("script", std::string(only));
    }
    const auto response = get(session, target("/v1/scripts", parameters));
    const auto list = value_of(response);
    if (!list) {
        return std::unexpected(list.error());
    }
    const Value::Array& reports = (*list)["items"].items();
    if (session.json()) {
        write_body(session, response->body);
        return code_of(reports, !only.empty());
    }
    for (const Value& report : reports) {
        write_report(session, report);
    }
    if (reports.empty()) {
        session.err.line("No script is installed or configured.");
    }
    return code_of(reports, !only.empty());
}

Result<int> preview_run(Session& session, std::string_view index, std::string_view script) {
    std::string body;
    json::ObjectWriter writer(body);
    writer.add("script", script);
    writer.add("dry_run", true);
    writer.close();
    const auto response = post(session, fmt::format("/v1/events/{}/jobs", index), std::move(body));
    const auto preview = value_of(response);
    if (!preview) {
        return std::unexpected(preview.error());
    }
    if (session.json()) {
        write_body(session, response->body);
        return code_of({*preview}, true);
    }
    write_report(session, *preview);
    session.out.line("Environment:");
    for (const auto& [name, value] : (*preview)["environment"].members()) {
        session.out.line(fmt::format("  {}={}", name, printable(value.text())));
    }
    session.out.line("On its standard input:");
    session.out.line("  " + printable((*preview)["event"].json()));
    session.out.line("Nothing was started.");
    return code_of({*preview}, true);
}

} // namespace tocsin::cli
