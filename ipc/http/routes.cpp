// SPDX-License-Identifier: Apache-2.0
// The one table. Order matters only where a literal and a name could both fit: the literal comes first.
#include "ipc/http/resources.hpp"

#include <array>

namespace tocsin::ipc::http {
namespace {

constexpr Privilege read = Privilege::read;
constexpr Privilege submit = Privilege::submit;
constexpr Privilege control = Privilege::control;

constexpr std::string_view beat_options = "scid interval grace schedule zone run status";

constexpr Route later(std::string_view method, std::string_view pattern, Privilege privilege, std::string_view what) {
    return {method, pattern, privilege, nullptr, "*", what};
}

constexpr std::string_view alerts = "alerts are";
constexpr std::string_view samples = "API monitoring is";
constexpr std::string_view inputs = "inputs are";
constexpr std::string_view rules = "rules are";
constexpr std::string_view handlers = "handlers are";
constexpr std::string_view upkeep = "maintenance windows are";

constexpr std::array routes = std::to_array<Route>({
    {"POST", "/v1/events", submit, submit_events, "", "", Body::events},
    {"GET", "/v1/events", read, query_events, "*"},
    {"GET", "/v1/events/{unique_index}", read, get_event},
    {"POST", "/v1/events/{unique_index}/jobs", control, run_script},
    {"POST", "/v1/events/{unique_index}/report", control, set_report},
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
    {"POST", "/v1/heartbeats/{source}/pause", control, act_on_heartbeat, "scid"},
    {"POST", "/v1/heartbeats/{source}/resume", control, act_on_heartbeat, "scid"},
    {"POST", "/v1/heartbeats/{source}/forget", control, act_on_heartbeat, "scid"},

    {"GET", "/v1/jobs", read, list_jobs, "state+ script+ unique_index+ limit cursor"},
    {"GET", "/v1/jobs/{id}", read, get_job},
    {"POST", "/v1/jobs/{id}/cancel", control, cancel_job},
    {"POST", "/v1/jobs/{id}/rerun", control, rerun_job},
    {"GET", "/v1/jobs/{id}/output", read, job_output},
    later("GET", "/v1/reports/{job}", read, "stored reports are"),
    later("GET", "/v1/reports/{job}/{path...}", read, "stored reports are"),
    {"POST", "/v1/callbacks/{secret}", submit, call_back},
    {"GET", "/v1/scripts", read, list_scripts, "script"},

    {"GET", "/v1/status", read, get_status},
    {"GET", "/v1/retention", read, get_retention},
    {"POST", "/v1/reload", control, reload},
    {"POST", "/v1/backup", control, make_backup},
    {"GET", "/metrics", read, metrics},
    {"GET", "/healthz", read, healthz},
    {"GET", "/v1/openapi.json", read, openapi},
    later("GET", "/", read, "the dashboard is"),

    {"GET", "/v1/statistics/totals", read, totals, "*"},
    {"GET", "/v1/statistics/hourly", read, hourly, "*"},
    {"GET", "/v1/statistics/histogram/{name}/{day}", read, histogram},

    later("GET", "/v1/alerts", read, alerts),
    later("POST", "/v1/alerts/{id}/acknowledge", control, alerts),
    later("POST", "/v1/alerts/{id}/resolve", control, alerts),
    later("POST", "/v1/alerts/{id}/snooze", control, alerts),
    later("POST", "/v1/alerts/{id}/verdict", control, alerts),
    later("GET", "/v1/silences", read, alerts),
    later("POST", "/v1/silences", control, alerts),
    later("DELETE", "/v1/silences/{id}", control, alerts),

    later("POST", "/v1/samples", submit, samples),
    later("GET", "/v1/apis", read, samples),
    later("GET", "/v1/metrics", read, samples),
    later("GET", "/v1/anomalies", read, samples),
    later("GET", "/v1/predictions", read, samples),
    later("GET", "/v1/journeys", read, samples),
    later("GET", "/v1/environments", read, samples),
    later("POST", "/v1/anomalies/{unique_index}/verdict", control, samples),
    later("POST", "/v1/anomalies/{unique_index}/acknowledge", control, samples),

    later("GET", "/v1/inputs", read, inputs),
    later("POST", "/v1/inputs/test", control, inputs),
    later("POST", "/v1/inputs/{name}/pause", control, inputs),
    later("POST", "/v1/inputs/{name}/resume", control, inputs),
    later("GET", "/v1/rules", read, rules),
    later("POST", "/v1/rules/test", control, rules),
    later("POST", "/v1/rules/{name}/enable", control, rules),
    later("POST", "/v1/rules/{name}/disable", control, rules),
    later("PUT", "/v1/rules/{name}", control, rules),
    later("DELETE", "/v1/rules/{name}", control, rules),
    later("GET", "/v1/handlers", read, handlers),
    later("POST", "/v1/handlers/{name}/test", control, handlers),
    later("POST", "/v1/handlers/{name}/retry", control, handlers),
    later("GET", "/v1/handlers/{name}/dead", read, handlers),
    later("GET", "/v1/maintenance", read, upkeep),
    later("POST", "/v1/maintenance", control, upkeep),
    later("DELETE", "/v1/maintenance/{id}", control, upkeep),
    later("GET", "/v1/config", read, "showing the configuration is"),
});

} // namespace

std::span<const Route> all_routes() {
    return routes;
}

} // namespace tocsin::ipc::http
