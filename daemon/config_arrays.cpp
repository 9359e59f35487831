// SPDX-License-Identifier: Apache-2.0
// The arrays of tables: [[heartbeat]], [[script]] and [[dataset]] are in effect; of the others the keys are known and
// checked.
#include "daemon/config_table.hpp"

#include <algorithm>
#include <array>

namespace tocsin::daemon {

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t day = std::int64_t{24} * 3600 * second;
constexpr std::int64_t scid_max = std::numeric_limits<std::int64_t>::max();

constexpr std::array<std::string_view, 6> input_types = {"sql", "journal", "syslog", "file", "probe", "check"};
constexpr std::array<std::string_view, 2> input_starts = {"end", "start"};
constexpr std::array<std::string_view, 4> severities = {"info", "warning", "error", "critical"};
constexpr std::array<std::string_view, 8> handler_types = {"journal", "csv",     "email",        "sms",
                                                           "slack",   "webhook", "alertmanager", "exec"};
constexpr std::array<std::string_view, 4> detector_types = {"response-time", "error-rate", "pattern", "silence"};

constexpr Shape boolean{.kind = Kind::boolean};
constexpr Shape string{.kind = Kind::string};
constexpr Shape name{.kind = Kind::name};
constexpr Shape script{.kind = Kind::script};
constexpr Shape names{.kind = Kind::names};
constexpr Shape map{.kind = Kind::map};
constexpr Shape rate{.kind = Kind::rate};
constexpr Shape any_duration{.kind = Kind::duration, .bounds = {.min = 0, .max = 3650 * day}};

constexpr Shape choice(std::span<const std::string_view> choices) {
    return Shape{.kind = Kind::choice, .choices = choices};
}

constexpr Shape integer(std::int64_t min, std::int64_t max) {
    return Shape{.kind = Kind::integer, .bounds = {.min = min, .max = max}};
}

constexpr Shape duration(std::int64_t min, std::int64_t max) {
    return Shape{.kind = Kind::duration, .bounds = {.min = min, .max = max}};
}

constexpr Shape pace = duration(limits::interval_us_min, limits::interval_us_max);

KeySpec required(std::string_view path, Shape shape, std::string_view help) {
    return KeySpec{.path = path, .shape = shape, .reloadable = true, .required = true, .help = help};
}
KeySpec optional(std::string_view path, Shape shape, std::string_view fallback, std::string_view help) {
    return KeySpec{.path = path, .shape = shape, .fallback = fallback, .reloadable = true, .help = help};
}
KeySpec later(std::string_view path, Shape shape, std::string_view help) {
    return KeySpec{.path = path, .shape = shape, .reloadable = true, .available = false, .help = help};
}
KeySpec later_required(std::string_view path, Shape shape, std::string_view help) {
    return KeySpec{
        .path = path, .shape = shape, .reloadable = true, .available = false, .required = true, .help = help};
}

std::vector<KeySpec> input_keys() {
    return {
        later_required("name", name, "what the input is called"),
        later_required("type", choice(input_types), "what it reads"),
        later("url", string, "database of an sql input, or URL of a probe"),
        later("table", string, "table or query of an sql input"),
        later("cursor", string, "column that grows with every row"),
        later("interval", pace, "how often it is polled"),
        later("batch", integer(1, 10'000), "rows that are taken at once"),
        later("where", string, "condition on the rows, in SQL"),
        later("map", map, "field of the event = column"),
        later("path", string, "file of a file input, or a pattern of files"),
        later("from", choice(input_starts), "where a new file is begun"),
        later("pattern", string, "regular expression with named groups"),
        later("event_name", name, "of the events made"),
        later("event_src", name, "of the events made"),
    };
}

std::vector<KeySpec> extract_keys() {
    return {
        later_required("when", string, "filter on events"),
        later("field", string, "field that the pattern searches"),
        later("pattern", string, "regular expression with named groups"),
        later_required("event_name", name, "of the derived event"),
        later("map", map, "field of the event = group"),
    };
}

std::vector<KeySpec> rule_keys() {
    return {
        later_required("name", name, "what the rule is called"),
        later("when", string, "filter on events"),
        later("count", integer(1, 1'000'000'000), "matches that are needed"),
        later("within", any_duration, "in which time"),
        later("by", names, "fields that are counted apart"),
        later("then", string, "event that must follow"),
        later("unless", string, "event that must not follow"),
        later("metric", string, "of the windows of an API"),
        later("above", Shape{.kind = Kind::number}, "threshold of the metric"),
        later("schedule", string, "when the rule runs by itself"),
        later("for", any_duration, "how long the condition must hold"),
        later("severity", choice(severities), "of the alert"),
        later("labels", map, "of the alert"),
        later("environment", map, "overrides by environment"),
        later("summary", string, "of the alert, with {{fields}}"),
        later("runbook_url", string, "what to read when it fires"),
        later("spark_script", script, "script to run"),
        later("handlers", names, "who is told"),
        later("resolve", string, "filter on events that end the alert"),
        later("resolve_after", any_duration, "time without a match that ends the alert"),
    };
}

std::vector<KeySpec> handler_keys() {
    return {
        later_required("name", name, "what the handler is called"),
        later_required("type", choice(handler_types), "what it does"),
        later("url", string, "where it delivers"),
        later("from", string, "sender"),
        later("to", names, "receivers"),
        later("password_credential", string, "name of the systemd credential with the password"),
        later("filter", string, "which alerts it delivers"),
        later("group_wait", any_duration, "how long the first message of a group waits for others"),
        later("group_interval", any_duration, "how often a group that changes is told again"),
        later("repeat_interval", any_duration, "how often a group that stays is told again"),
        later("rate", rate, "messages that may be sent"),
    };
}

std::vector<KeySpec> journey_keys() {
    return {
        later_required("name", name, "what the journey is called"),
        later("environment", string, "where it runs"),
        later_required("apis", names, "its APIs in their order"),
    };
}

std::vector<KeySpec> detector_keys() {
    return {
        later("api", string, "for this API alone"),
        later("environment", string, "for this environment alone"),
        later("type", choice(detector_types), "for this type of anomaly alone"),
        later("sensitivity", Shape{.kind = Kind::number, .bounds = {.min = 1, .max = 5}}, "lower finds more"),
        later("budget", rate, "false alarms that a series may make"),
    };
}

template <typename Owner> std::vector<KeySpec> specs_of(const std::vector<Key<Owner>>& keys) {
    std::vector<KeySpec> specs;
    specs.reserve(keys.size());
    for (const Key<Owner>& key : keys) {
        specs.push_back(key.spec);
    }
    return specs;
}

ArraySpec unavailable(std::string_view table, std::string_view plural, std::vector<KeySpec> keys) {
    return ArraySpec{.name = table,
                     .help = "accepted, not in effect",
                     .available = false,
                     .plural = plural,
                     .keys = std::move(keys)};
}

} // namespace

const std::vector<Key<HeartbeatEntry>>& heartbeat_keys() {
    static const std::vector<Key<HeartbeatEntry>> keys = {
        {required("source", name, "who beats"), &HeartbeatEntry::source},
        {optional("scid", integer(-scid_max, scid_max), "0", "about what"), &HeartbeatEntry::scid},
        {optional("interval", pace, "heartbeats.interval", "how often it must beat"), &HeartbeatEntry::interval_us},
        {optional("grace", pace, "heartbeats.grace", "how much later than its deadline a beat may come"),
         &HeartbeatEntry::grace_us},
        {optional("schedule", string, "",
                  "when it must beat instead: five cron fields, @daily or a calendar expression"),
         &HeartbeatEntry::schedule},
        {optional("zone", string, "", "time zone of the schedule; empty: UTC"), &HeartbeatEntry::zone},
        {optional("early", duration(0, limits::early_us_max), "5m",
                  "how much sooner than its slot a beat counts for it"),
         &HeartbeatEntry::early_us},
        {optional("run_limit", duration(limits::interval_us_min, limits::run_us_max), "",
                  "how long a run may take; empty: as long as it wants"),
         &HeartbeatEntry::run_limit_us},
        {optional("uid", integer(0, 4'294'967'294), "", "only this user may beat; empty: anybody"),
         &HeartbeatEntry::uid},
        {optional("unit", string, "", "only this systemd unit may beat; empty: any"), &HeartbeatEntry::unit},
    };
    return keys;
}

const std::vector<Key<ScriptEntry>>& script_keys() {
    static const std::vector<Key<ScriptEntry>> keys = {
        {required("name", script, "file name of the script"), &ScriptEntry::name},
        {optional("submit", boolean, "true", "false: only administrators and rules may start it"),
         &ScriptEntry::submit},
        {optional("timeout", duration(100'000, 7 * day), "jobs.timeout", "SIGTERM after this"),
         &ScriptEntry::timeout_us},
        {optional("kill_after", duration(0, 3600 * second), "jobs.kill_after", "SIGKILL this long after SIGTERM"),
         &ScriptEntry::kill_after_us},
        {optional("parallel", integer(1, 256), "jobs.parallel",
                  "runs of this script at the same time; others go on meanwhile"),
         &ScriptEntry::parallel},
        {optional("retries", integer(0, 100), "jobs.retries", "how often it is run again after a failure"),
         &ScriptEntry::retries},
        {optional("rerun", boolean, "true", "false: not again when the daemon died during a run"), &ScriptEntry::rerun},
        {optional("callback", boolean, "false",
                  "true: it gets TOCSIN_CALLBACK, an address by which its report may come later, once"),
         &ScriptEntry::callback},
        {optional("coalesce", boolean, "false",
                  "true: an event whose name, source and scid are those of a queued job joins it, and gets its report"),
         &ScriptEntry::coalesce},
    };
    return keys;
}

const std::vector<Key<DatasetEntry>>& dataset_keys() {
    static const std::vector<Key<DatasetEntry>> keys = {
        {required("id", name, "event_id of its events"), &DatasetEntry::id},
        {required("fields", Shape{.kind = Kind::fields},
                  "name, label and type (string, number, integer, boolean) of each payload key, in order"),
         &DatasetEntry::fields},
    };
    return keys;
}

const std::vector<ArraySpec>& array_tables() {
    static const std::vector<ArraySpec> tables = {
        {.name = "heartbeat", .help = "a watch over one source", .keys = specs_of(heartbeat_keys())},
        {.name = "script", .help = "limits of one installed script", .keys = specs_of(script_keys())},
        {.name = "dataset", .help = "the schema of one kind of dataset event", .keys = specs_of(dataset_keys())},
        unavailable("journey", "journeys", journey_keys()),
        unavailable("input", "inputs", input_keys()),
        unavailable("extract", "extracts", extract_keys()),
        unavailable("rule", "rules", rule_keys()),
        unavailable("handler", "handlers", handler_keys()),
        unavailable("detector", "detectors", detector_keys()),
    };
    return tables;
}

const ArraySpec* find_array(std::string_view table) {
    const auto found = std::ranges::find(array_tables(), table, &ArraySpec::name);
    return found == array_tables().end() ? nullptr : &*found;
}

} // namespace tocsin::daemon
