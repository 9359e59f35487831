// SPDX-License-Identifier: Apache-2.0
// The configuration as the daemon uses it, and what is known about how it came to be: which source set a key, what was
// wrong and where, what is accepted but not in effect. Defaults are not here but in the table (config_table.cpp), the
// one place that knows keys, types, bounds and help. Durations in µs, sizes in bytes.
#pragma once

#include "core/event.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tocsin::daemon {

// Bytes, or a fraction of the file system ("15%").
struct Share {
    std::uint64_t bytes = 0;
    double fraction = 0; // 0: bytes count
    friend bool operator==(const Share&, const Share&) = default;
};

// "30/1h"; a count of 0 is "no limit".
struct Rate {
    std::uint64_t count = 0;
    std::int64_t per_us = 0;
    friend bool operator==(const Rate&, const Rate&) = default;
};

// Where something was written: a file with line and column, or "environment TOCSIN_CONF_…", "--set", "default".
struct Place {
    std::string source = "default";
    unsigned line = 0; // 0: not a file
    unsigned column = 0;
    std::string text() const;   // "file:line:column"
    std::string origin() const; // "file:line", "environment", "--set", "default"
};

struct Problem {
    Place place;
    std::string key; // "store.max_bytes", "heartbeat[0].grace"; empty where the file itself is wrong
    std::string reason;
    std::string text() const;
};

// Accepted, but not in effect.
struct Warning {
    Place place;
    std::string key;
    std::string reason;
    std::string text() const;
};

struct HeartbeatEntry {
    std::string source;
    std::int64_t scid = 0;
    std::int64_t interval_us = 0; // 0: not given
    std::int64_t grace_us = -1;   // -1: not given
    std::string schedule{};
    std::string zone{};
    std::int64_t early_us = -1;    // -1: not given
    std::int64_t run_limit_us = 0; // 0: none
    std::int64_t uid = -1;         // -1: anybody
    std::string unit{};
    Place place{};
};

struct ScriptEntry {
    std::string name;
    bool submit = true;
    bool rerun = true;
    std::int64_t timeout_us = 0;     // 0: not given
    std::int64_t kill_after_us = -1; // -1: not given
    std::int64_t retries = -1;       // -1: not given
    std::int64_t parallel = 0;       // 0: not given
    bool callback = false;
    bool coalesce = false;
    Place place{};
};

struct DatasetEntry {
    std::string id;
    std::vector<DatasetField> fields{};
    Place place{};
};

struct Config {
    std::string daemon_log_level{};
    std::string listen_http{};
    Zone time_zone = Zone::utc();
    std::string access_group{};
    bool compat_event_manager = false;
    bool compat_event_tracker = false;
    bool compat_api_monitor = false;
    bool compat_healthchecks = false;
    std::string compat_listen{};
    std::string spark_url{};
    std::string spark_callback_base{};
    std::string deadman_url{};
    std::int64_t deadman_interval_us = 0;
    std::vector<std::string> privacy_redact{};
    double analysis_sensitivity = 0;
    Rate analysis_budget{};
    bool datasets_strict = false;

    std::uint64_t store_max_bytes = 0; // 0: the smaller of 4G and 10 % of the file system
    Share store_keep_free{};
    std::int64_t store_idempotency_window_us = 0;
    std::int64_t store_idempotency_keys = 0;
    std::int64_t store_tail_events = 0;
    std::int64_t store_readers = 0;
    std::int64_t store_query_timeout_us = 0;
    std::int64_t retention_info_us = 0;
    std::int64_t retention_warning_us = 0;
    std::int64_t retention_error_us = 0;
    std::int64_t retention_critical_us = 0;
    std::int64_t retention_counters_us = 0;

    std::int64_t heartbeats_interval_us = 0;
    std::int64_t heartbeats_grace_us = 0;
    bool heartbeats_auto_register = false;
    bool heartbeats_learn = false;

    std::vector<std::string> jobs_directories{};
    std::int64_t jobs_parallel = 0;
    std::int64_t jobs_begins = 0;
    std::int64_t jobs_timeout_us = 0;
    std::int64_t jobs_kill_after_us = 0;
    std::int64_t jobs_callback_timeout_us = 0;
    std::int64_t jobs_retries = 0;
    std::uint64_t jobs_memory_max = 0;
    std::uint64_t jobs_file_size_max = 0;
    std::int64_t jobs_open_files = 0;
    std::uint64_t jobs_products_max = 0;
    std::string jobs_helper_socket{};
    std::int64_t jobs_queue = 0;

    std::vector<HeartbeatEntry> heartbeats{};
    std::vector<ScriptEntry> scripts{};
    std::vector<DatasetEntry> datasets{};
};

// One reading of every source. `config` is only meant to be used when there is no problem.
struct Loaded {
    Config config{};
    std::map<std::string, Place, std::less<>> places{}; // of the keys that were set; the others are defaults
    std::vector<std::string> files{};                   // that were read, in their order
    std::vector<Problem> problems{};
    std::vector<Warning> warnings{};

    std::string origin_of(std::string_view key) const;
};

} // namespace tocsin::daemon
