// SPDX-License-Identifier: Apache-2.0
// The API monitor. What it read from samples, anomalies and alerts has nothing behind it in this version: each route
// looks at its question as it will, and then says what is missing. Never an empty list.
#include "ipc/http/compat/api_words.hpp"
#include "ipc/http/compat/compat.hpp"
#include "ipc/http/compat/shapes.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tocsin::ipc::http::compat {
namespace {

constexpr unsigned unprocessable = 422;
constexpr std::size_t resource_segment = 2; // /api/v1/{resource}

Response refuse_query(const Error& error) {
    return detail_refusal(error, "query");
}

// What a route would read, and how much of it at once.
struct Missing {
    std::string_view resource;
    std::string_view what;
    std::uint64_t limit_max = 1'000;
};

constexpr std::string_view samples = "samples of API calls are";
constexpr std::string_view probes = "sources to probe (inputs) are";
constexpr std::string_view anomalies = "anomalies are";
constexpr std::string_view alerts = "alerts are";
constexpr std::string_view across = "analysis across environments is";
constexpr std::string_view demonstration = "the demonstration of anomalies is";
constexpr std::string_view dashboards = "the dashboard is";

constexpr std::array<Missing, 8> missing = {{{"apis", samples},
                                             {"sources", probes},
                                             {"metrics", samples, 10'000},
                                             {"anomalies", anomalies},
                                             {"predictions", "forecasts are"},
                                             {"alerts", alerts},
                                             {"dashboard", "a summary of alerts and anomalies is"},
                                             {"cross_environment_analysis", across}}};

// ---- questions ----

using Problem = std::optional<std::string>;

Problem check_time(std::string_view text) {
    const auto time = parse_time_us(text, Zone::utc());
    return time ? std::nullopt : Problem(time.error().reason);
}

Problem check_share(std::string_view text) {
    double number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool fine = error == std::errc{} && end == text.data() + text.size() && number >= 0 && number <= 1;
    return fine ? std::nullopt : Problem("must be a number from 0 to 1");
}

Problem check_severity(std::string_view text) {
    return severity_of(text) ? std::nullopt : Problem("must be low, medium, high, critical or a number from 0 to 1");
}

Problem check_statuses(std::string_view list) {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        std::string_view word = list.substr(0, comma);
        word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
        if (!is_status(word)) {
            return "must be of open, acknowledged, resolved, snoozed";
        }
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return std::nullopt;
}

struct Checked {
    std::string_view parameter;
    Problem (*check)(std::string_view);
};

constexpr std::array<Checked, 6> checks = {{{"start_time", check_time},
                                            {"end_time", check_time},
                                            {"min_severity", check_severity},
                                            {"min_confidence", check_share},
                                            {"severity", check_severity},
                                            {"status", check_statuses}}};

std::optional<FieldError> wrong_parameter(const std::string& key, const std::string& value, std::uint64_t limit_max) {
    if (key == "limit") {
        const auto limit = parse_index(key, value);
        if (!limit || *limit < 1 || *limit > limit_max) {
            return FieldError{0, key, fmt::format("must be a whole number from 1 to {}", limit_max)};
        }
        return std::nullopt;
    }
    const auto row = std::ranges::find(checks, key, &Checked::parameter);
    auto problem = row == checks.end() ? std::nullopt : row->check(value);
    return problem ? std::optional(FieldError{0, key, std::move(*problem)}) : std::nullopt;
}

// A wrong environment is 400, anything else that is wrong 422, as it was.
std::optional<Response> refuse_question(const Parameters& parameters, std::uint64_t limit_max) {
    Error error{.code = Code::invalid_argument, .context = "query", .object = {}, .reason = "is wrong", .fields = {}};
    for (const auto& [key, value] : parameters) {
        if (key == "environment" && name_problem(value)) {
            return refuse_query(bad_request("environment", "Invalid environment: " + *name_problem(value)));
        }
        if (auto wrong = wrong_parameter(key, value, limit_max)) {
            error.fields.push_back(std::move(*wrong));
        }
    }
    if (error.fields.empty()) {
        return std::nullopt;
    }
    Response response = refuse_query(error);
    response.status = unprocessable;
    return response;
}

Response not_there(std::string_view what) {
    Response response = refuse_query({.code = Code::unavailable,
                                      .context = "http",
                                      .object = {},
                                      .reason = fmt::format("{} not available in this version", what)});
    response.headers.clear(); // no Retry-After: trying again does not help
    return response;
}

void read_later(Context&, Request request, Responder responder) {
    const auto& row = *std::ranges::find(missing, request.segments.at(resource_segment), &Missing::resource);
    auto refused = refuse_question(request.parameters, row.limit_max);
    responder.reply(refused ? std::move(*refused) : not_there(row.what));
}

// ---- what is there ----

// Its databases were two; here one store stands for both, and answers as long as the daemon runs.
void health(Context& context, Request, Responder responder) {
    const Status status = context.services.manager.status();
    const bool ok = status.degraded.empty();
    std::string reasons;
    for (const std::string& reason : status.degraded) {
        reasons += reasons.empty() ? "" : ",";
        json::append_string(reasons, reason);
    }
    responder.reply(json_reply(
        fmt::format(R"({{"status":"{}","reasons":[{}],"components":{{"collector_manager":"stopped",)"
                    R"("analyzer_manager":"stopped","alert_manager":"stopped","kibana_dashboards":"not_initialized",)"
                    R"("database":{{"initialized":true,"elasticsearch":"available","mongodb":"available"}}}}}})",
                    ok ? "ok" : "degraded", reasons),
        ok ? 200 : info(Code::unavailable).http_status));
}

void show_docs(Context&, Request, Responder responder) {
    std::string rows;
    for (const Route& route : api_monitor_routes()) {
        std::string_view what = route.unavailable;
        const auto read = std::ranges::find_if(missing, [&route](const Missing& row) {
            return route.method == "GET" && route.pattern.starts_with("/api/v1/") &&
                   route.pattern.substr(8).starts_with(row.resource);
        });
        what = read == missing.end() ? what : read->what;
        rows += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", route.method, escape_html(route.pattern),
                            what.empty() ? "answers" : fmt::format("{} not available in this version", what));
    }
    std::string words;
    for (const Severity severity : {Severity::info, Severity::warning, Severity::error, Severity::critical}) {
        words += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", word_of(severity), to_string(severity),
                             least_of(severity));
    }
    responder.reply(page_reply(fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>API monitor</title>\n"
        "<style>body{{font-family:sans-serif;margin:2em auto;max-width:52em}}td,th{{padding:0 1em;text-align:left}}"
        "</style>\n<h1>API monitor</h1>\n<p>The routes of the API monitor, as Tocsin answers them.</p>\n"
        "<table>\n<tr><th>method</th><th>path</th><th></th></tr>\n{}</table>\n<h2>Severities</h2>\n"
        "<table>\n<tr><th>here</th><th>elsewhere</th><th>by number, from</th></tr>\n{}</table>\n"
        "<p>An alert that is pending or firing is <b>{}</b> here.</p>\n</html>\n",
        rows, words, status_of("firing"))));
}

// ---- the table ----

constexpr Route get(std::string_view pattern, Handler handler) {
    return {.method = "GET",
            .pattern = pattern,
            .action = Action::read,
            .handler = handler,
            .parameters = "*",
            .open = Open::compat,
            .refuse = refuse_query};
}

constexpr Route later(std::string_view method, std::string_view pattern, Action action, std::string_view what) {
    return {.method = method,
            .pattern = pattern,
            .action = action,
            .handler = nullptr,
            .parameters = "*",
            .unavailable = what,
            .open = action == Action::read ? Open::compat : Open::no,
            .refuse = refuse_query};
}

constexpr std::array routes = std::to_array<Route>({
    get("/health", health),
    get("/docs", show_docs),
    get("/api/v1/apis", read_later),
    get("/api/v1/sources", read_later),
    later("POST", "/api/v1/sources", Action::configure, probes),
    get("/api/v1/sources/{id}", read_later),
    later("PUT", "/api/v1/sources/{id}", Action::configure, probes),
    later("DELETE", "/api/v1/sources/{id}", Action::configure, probes),
    get("/api/v1/metrics", read_later),
    get("/api/v1/anomalies", read_later),
    get("/api/v1/predictions", read_later),
    get("/api/v1/alerts", read_later),
    get("/api/v1/alerts/{id}", read_later),
    later("POST", "/api/v1/alerts/{id}/acknowledge", Action::acknowledge, alerts),
    later("POST", "/api/v1/alerts/{id}/resolve", Action::resolve, alerts),
    later("POST", "/api/v1/alerts/{id}/snooze", Action::snooze, alerts),
    get("/api/v1/dashboard/summary", read_later),
    get("/api/v1/cross_environment_analysis", read_later),
    later("POST", "/api/v1/demo/trigger-anomaly", Action::configure, demonstration),
    later("GET", "/dashboards", Action::read, dashboards),
});

} // namespace

std::span<const Route> api_monitor_routes() {
    return routes;
}

} // namespace tocsin::ipc::http::compat
