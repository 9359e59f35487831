// SPDX-License-Identifier: Apache-2.0
// The one table. Order matters only where a literal and a name could both fit: the literal comes first.
#include "ipc/http/resources.hpp"

#include <array>

namespace tocsin::ipc::http {
namespace {

constexpr Action read = Action::read;
constexpr Action submit = Action::submit;

constexpr std::string_view beat_options = "scid interval grace schedule zone run status";

constexpr Route later(std::string_view method, std::string_view pattern, Action action, std::string_view what) {
    return {method, pattern, action, nullptr, "*", what};
}

constexpr std::string_view alerts = "alerts are";
constexpr std::string_view samples = "API monitoring is";
constexpr std::string_view inputs = "inputs are";
constexpr std::string_view rules = "rules are";
constexpr std::string_view handlers = "handlers are";
constexpr std::string_view upkeep = "maintenance windows are";

constexpr bool fills_log = true;

constexpr std::array routes = std::to_array<Route>({
    {"POST", "/v1/events", submit, submit_events, "", "", Body::events, nullptr, Open::no, nullptr, fills_log},
    {"GET", "/v1/events", read, query_events, "*"},
    {"GET", "/v1/events/{unique_index}", read, get_event},
    {"POST", "/v1/events/{unique_index}/jobs", Action::run, run_script},
    {"POST", "/v1/events/{unique_index}/report", Action::set_report, set_report, "", "", Body::control, is_own_report},
    {"GET", "/v1/stream", read, follow_events, "*"},

    {"GET", "/v1/heartbeats", read, list_heartbeats, "source+ scid+ state+ limit cursor"},
    {"GET", "/v1/heartbeats/{source}", submit, beat, beat_options},
    {"POST", "/v1/heartbeats/{source}", submit, beat, beat_options},
    {"GET", "/v1/heartbeats/{source}/start", submit, beat, beat_options},
    {"POST", "/v1/heartbeats/{source}/start", submit, beat, beat_options},
    {"GET", "/v1/heartbeats/{source}/finish", submit, beat, beat_options},
    {"POST", "/v1/heartbeats/{source}/finish", submit, beat, beat_options},
    {"GET", "/v1/heartbeats/{source}/fail", submit, beat, beat_options},
    {"POST", "/v1/heartbeats/{source}/fail", submit, beat, beat_options},
    {"GET", "/v1/heartbeats/{source}/alive", submit, beat, beat_options},
    {"POST", "/v1/heartbeats/{source}/alive", submit, beat, beat_options},
    {"POST", "/v1/heartbeats/{source}/pause", Action::pause, act_on_heartbeat, "scid"},
    {"POST", "/v1/heartbeats/{source}/resume", Action::resume, act_on_heartbeat, "scid"},
    {"POST", "/v1/heartbeats/{source}/forget", Action::forget, act_on_heartbeat, "scid"},

    {"GET", "/v1/jobs", read, list_jobs, "state+ script+ unique_index+ limit cursor"},
    {"GET", "/v1/jobs/{id}", read, get_job},
    {"POST", "/v1/jobs/{id}/cancel", Action::cancel, cancel_job},
    {"POST", "/v1/jobs/{id}/rerun", Action::rerun, rerun_job},
    {"GET", "/v1/jobs/{id}/output", read, job_output},
    later("GET", "/v1/reports/{job}", read, "stored reports are"),
    later("GET", "/v1/reports/{job}/{path...}", read, "stored reports are"),
    {"POST", "/v1/callbacks/{secret}", submit, call_back},
    {"GET", "/v1/scripts", read, list_scripts, "script"},

    {"GET", "/v1/status", read, get_status},
    {"GET", "/v1/retention", read, get_retention},
    {"POST", "/v1/reload", Action::reload, reload},
    {"POST", "/v1/backup", Action::backup, make_backup},
    {"GET", "/metrics", read, metrics},
    {"GET", "/healthz", read, healthz},
    {"GET", "/v1/openapi.json", read, openapi},
    {"GET", "/", read, nullptr, "*", "the dashboard is", Body::control, nullptr, Open::page},
    {"POST", "/v1/tokens", read, make_token},
    {"DELETE", "/v1/tokens", read, forget_tokens},

    {"GET", "/v1/statistics/totals", read, totals, "*"},
    {"GET", "/v1/statistics/hourly", read, hourly, "*"},
    {"GET", "/v1/statistics/histogram/{name}/{day}", read, histogram},

    later("GET", "/v1/alerts", read, alerts),
    later("POST", "/v1/alerts/{id}/acknowledge", Action::acknowledge, alerts),
    later("POST", "/v1/alerts/{id}/resolve", Action::resolve, alerts),
    later("POST", "/v1/alerts/{id}/snooze", Action::snooze, alerts),
    later("POST", "/v1/alerts/{id}/verdict", Action::verdict, alerts),
    later("GET", "/v1/silences", read, alerts),
    later("POST", "/v1/silences", Action::silence, alerts),
    later("DELETE", "/v1/silences/{id}", Action::unsilence, alerts),

    later("POST", "/v1/samples", submit, samples),
    later("GET", "/v1/apis", read, samples),
    later("GET", "/v1/metrics", read, samples),
    later("GET", "/v1/anomalies", read, samples),
    later("GET", "/v1/predictions", read, samples),
    later("GET", "/v1/journeys", read, samples),
    later("GET", "/v1/environments", read, samples),
    later("POST", "/v1/anomalies/{unique_index}/verdict", Action::verdict, samples),
    later("POST", "/v1/anomalies/{unique_index}/acknowledge", Action::acknowledge, samples),

    later("GET", "/v1/inputs", read, inputs),
    later("POST", "/v1/inputs/test", Action::configure, inputs),
    later("POST", "/v1/inputs/{name}/pause", Action::pause, inputs),
    later("POST", "/v1/inputs/{name}/resume", Action::resume, inputs),
    later("GET", "/v1/rules", read, rules),
    later("POST", "/v1/rules/test", Action::configure, rules),
    later("POST", "/v1/rules/{name}/enable", Action::enable, rules),
    later("POST", "/v1/rules/{name}/disable", Action::disable, rules),
    later("PUT", "/v1/rules/{name}", Action::configure, rules),
    later("DELETE", "/v1/rules/{name}", Action::configure, rules),
    later("GET", "/v1/handlers", read, handlers),
    later("POST", "/v1/handlers/{name}/test", Action::configure, handlers),
    later("POST", "/v1/handlers/{name}/retry", Action::retry, handlers),
    later("GET", "/v1/handlers/{name}/dead", read, handlers),
    later("GET", "/v1/maintenance", read, upkeep),
    later("POST", "/v1/maintenance", Action::silence, upkeep),
    later("DELETE", "/v1/maintenance/{id}", Action::unsilence, upkeep),
    {"GET", "/v1/config", read, get_config},
});

} // namespace

std::span<const Route> all_routes() {
    return routes;
}

} // namespace tocsin::ipc::http
