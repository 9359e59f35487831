// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_table.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tocsin::daemon {

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t day = std::int64_t{24} * 3600 * second;
constexpr std::int64_t year = 365 * day;
constexpr std::int64_t mib = std::int64_t{1024} * 1024;
constexpr std::int64_t tib = mib * mib;

constexpr std::array<std::string_view, 6> log_levels = {"trace", "debug", "info", "warning", "error", "critical"};

constexpr Shape boolean{.kind = Kind::boolean};
constexpr Shape string{.kind = Kind::string};
constexpr Shape url{.kind = Kind::url};
constexpr Shape base_url{.kind = Kind::url, .base = true};
constexpr Shape address{.kind = Kind::address};
constexpr Shape paths{.kind = Kind::paths};
constexpr Shape globs{.kind = Kind::globs};

constexpr Shape size(std::int64_t min, std::int64_t max) {
    return Shape{.kind = Kind::size, .bounds = {.min = min, .max = max}};
}

constexpr Shape integer(std::int64_t min, std::int64_t max) {
    return Shape{.kind = Kind::integer, .bounds = {.min = min, .max = max}};
}

constexpr Shape duration(std::int64_t min, std::int64_t max) {
    return Shape{.kind = Kind::duration, .bounds = {.min = min, .max = max}};
}

// What a key is beyond its type.
struct Flags {
    bool reloadable = false;
    bool available = true;
    bool secret = false;
};
constexpr Flags reload{.reloadable = true};
constexpr Flags secret{.reloadable = true, .secret = true};
constexpr Flags restart{};
constexpr Flags later{.available = false};

// Type, default, flags.
struct Form {
    Shape shape{};
    std::string_view fallback{};
    Flags flags{};
};

Key<Config> key(std::string_view path, const Form& form, Member<Config> member, std::string_view help) {
    return Key<Config>{.spec = KeySpec{.path = path,
                                       .shape = form.shape,
                                       .fallback = form.fallback,
                                       .reloadable = form.flags.reloadable,
                                       .available = form.flags.available,
                                       .secret = form.flags.secret,
                                       .help = help},
                       .member = member};
}

std::vector<Key<Config>> general_keys() {
    return {
        key("daemon.log_level", {Shape{.kind = Kind::choice, .choices = log_levels}, "info", reload},
            &Config::daemon_log_level, "the least important messages that are logged"),
        key("listen.http", {address, "", restart}, &Config::listen_http,
            "address and port of the dashboard; empty: the Unix socket alone"),
        key("time.zone", {Shape{.kind = Kind::zone}, "UTC", reload}, &Config::time_zone,
            "zone of event and query times that come without one"),
        key("access.group", {string, "tocsin", restart}, &Config::access_group,
            "members may submit, beat and read; empty: the daemon's owner and root alone, which is the default where "
            "the daemon runs unprivileged"),
        key("compat.event_manager", {boolean, "false", restart}, &Config::compat_event_manager,
            "open the routes of the event manager"),
        key("compat.event_tracker", {boolean, "false", restart}, &Config::compat_event_tracker,
            "open the routes of the event tracker"),
        key("compat.api_monitor", {boolean, "false", restart}, &Config::compat_api_monitor,
            "open the routes of the API monitor"),
        key("compat.healthchecks", {boolean, "false", restart}, &Config::compat_healthchecks,
            "open the ping routes of healthchecks"),
        key("compat.listen", {address, "", restart}, &Config::compat_listen,
            "address and port where the routes of the older systems answer too; empty: nowhere"),
        key("spark.url", {url, "", later}, &Config::spark_url,
            "SPARK server to which the script spark-http posts its jobs"),
        key("spark.callback_base", {base_url, "", reload}, &Config::spark_callback_base,
            "how that server reaches this daemon: what stands before /v1/callbacks/… in TOCSIN_CALLBACK; empty: the "
            "path alone"),
        key("deadman.url", {url, "", secret}, &Config::deadman_url,
            "URL to which the daemon beats while it makes progress; empty: none"),
        key("deadman.interval", {duration(second, day), "60s", reload}, &Config::deadman_interval_us,
            "how often it beats there"),
        key("privacy.redact", {globs, R"(["*password*"])", reload}, &Config::privacy_redact,
            "payload keys (shell patterns, at any depth) that never reach the store"),
        key("analysis.sensitivity", {Shape{.kind = Kind::number, .bounds = {.min = 1, .max = 5}}, "3", later},
            &Config::analysis_sensitivity, "of the anomaly detectors; lower finds more"),
        key("analysis.budget", {Shape{.kind = Kind::rate}, "1/7d", later}, &Config::analysis_budget,
            "false alarms that a series may make"),
        key("datasets.strict", {boolean, "false", reload}, &Config::datasets_strict,
            "refuse dataset events whose event_id is not declared in a [[dataset]]"),
    };
}

std::vector<Key<Config>> store_keys() {
    return {
        key("store.max_bytes",
            {Shape{.kind = Kind::size, .bounds = {.min = mib, .max = 64 * tib}, .automatic = true}, "auto", restart},
            &Config::store_max_bytes,
            "size of the store beyond which older events go before their time; auto: the smaller of 4G and 10 % of the "
            "file system"),
        key("store.keep_free",
            {Shape{.kind = Kind::size_or_share, .bounds = {.min = 0, .max = 64 * tib}}, "15%", restart},
            &Config::store_keep_free, "what the store leaves free on its file system: a size or a percentage"),
        key("store.idempotency_window", {duration(second, year), "7d", restart}, &Config::store_idempotency_window_us,
            "how long an idempotency key is remembered"),
        key("store.idempotency_keys", {integer(1, 100'000'000), "1000000", restart}, &Config::store_idempotency_keys,
            "how many idempotency keys are remembered at most"),
        key("store.tail_events", {integer(100, 65'536), "65536", restart}, &Config::store_tail_events,
            "how many of the newest events are kept in memory for queries"),
        key("store.readers", {integer(1, 16), "2", restart}, &Config::store_readers, "threads that answer queries"),
        key("store.query_timeout", {duration(100'000, 3600 * second), "30s", restart}, &Config::store_query_timeout_us,
            "a count that takes longer is refused; a page of events ends after a second and goes on by its cursor"),
        key("store.retention.info", {duration(second, 100 * year), "30d", restart}, &Config::retention_info_us,
            "how long events of severity info are kept"),
        key("store.retention.warning", {duration(second, 100 * year), "90d", restart}, &Config::retention_warning_us,
            "how long warnings are kept"),
        key("store.retention.error", {duration(second, 100 * year), "1y", restart}, &Config::retention_error_us,
            "how long errors are kept"),
        key("store.retention.critical", {duration(second, 100 * year), "1y", restart}, &Config::retention_critical_us,
            "how long critical events are kept"),
        key("store.retention.counters", {duration(second, 100 * year), "5y", restart}, &Config::retention_counters_us,
            "how long the counts per hour are kept; totals are for ever"),
    };
}

std::vector<Key<Config>> reader_keys() {
    return {
        key("heartbeats.interval", {duration(limits::interval_us_min, limits::interval_us_max), "60s", reload},
            &Config::heartbeats_interval_us, "of a watch that names none"),
        key("heartbeats.grace", {duration(limits::interval_us_min, limits::interval_us_max), "30s", reload},
            &Config::heartbeats_grace_us, "how much later than its deadline a beat may come"),
        key("heartbeats.auto_register", {boolean, "false", reload}, &Config::heartbeats_auto_register,
            "watch every source that beats, with the interval and grace above"),
        key("heartbeats.learn", {boolean, "false", reload}, &Config::heartbeats_learn,
            "watch a source at the pace that was observed, once it has beaten nine times"),
        key("jobs.directories", {paths, R"(["/etc/tocsin/spark.d", "/usr/lib/tocsin/spark.d"])", reload},
            &Config::jobs_directories, "where scripts are installed; the first hit wins"),
        key("jobs.parallel", {integer(1, 256), "2", reload}, &Config::jobs_parallel, "jobs that run at the same time"),
        key("jobs.begins", {integer(0, 10'000), "0", reload}, &Config::jobs_begins,
            "runs that begin in a second, after four at once; 0: two for each processor"),
        key("jobs.timeout", {duration(100'000, 7 * day), "10m", reload}, &Config::jobs_timeout_us,
            "a script that runs longer gets SIGTERM"),
        key("jobs.kill_after", {duration(0, 3600 * second), "5s", reload}, &Config::jobs_kill_after_us,
            "SIGKILL comes this long after SIGTERM"),
        key("jobs.callback_timeout", {duration(second, 30 * day), "10m", reload}, &Config::jobs_callback_timeout_us,
            "how long a waiting job waits for its report"),
        key("jobs.retries", {integer(0, 100), "0", reload}, &Config::jobs_retries,
            "how often a failed job is run again, after 1 s, 2 s, 4 s, … at most 5 min"),
        key("jobs.memory_max", {size(16 * mib, 64 * tib), "2G", reload}, &Config::jobs_memory_max,
            "address space of each process of a script; interpreters that reserve more than they use need more"),
        key("jobs.file_size_max", {size(mib, 64 * tib), "256M", reload}, &Config::jobs_file_size_max,
            "size of each file that a script writes"),
        key("jobs.open_files", {integer(16, 1'048'576), "1024", reload}, &Config::jobs_open_files,
            "descriptors of each process of a script"),
        key("jobs.products_max", {size(0, 64 * tib), "1G", reload}, &Config::jobs_products_max,
            "size of all files that scripts left; more are not kept"),
        key("jobs.helper_socket", {string, "", reload}, &Config::jobs_helper_socket,
            "socket on which systemd starts tocsin-spark, an absolute path; without it a script does not run. Empty: "
            "spark.sock beside the daemon's socket where it is there, else the daemon starts tocsin-spark itself"),
        key("jobs.queue", {integer(1, limits::jobs_queued_max), "20000", reload}, &Config::jobs_queue,
            "jobs that are queued, running or waiting at most; further events that ask for scripts wait in the log"),
    };
}

} // namespace

const std::vector<Key<Config>>& config_keys() {
    static const std::vector<Key<Config>> keys = [] {
        std::vector<Key<Config>> all = general_keys();
        std::ranges::move(store_keys(), std::back_inserter(all));
        std::ranges::move(reader_keys(), std::back_inserter(all));
        return all;
    }();
    return keys;
}

const Key<Config>* find_key(std::string_view path) {
    const auto& keys = config_keys();
    const auto found = std::ranges::find(keys, path, [](const Key<Config>& key) { return key.spec.path; });
    return found == keys.end() ? nullptr : &*found;
}

Value value_of(const Config& config, const Key<Config>& key) {
    return std::visit(
        [&config](auto pointer) -> Value {
            if constexpr (std::is_same_v<decltype(pointer), std::monostate>) {
                return std::string();
            } else {
                return config.*pointer;
            }
        },
        key.member);
}

std::string show(const Config& config, const Key<Config>& key) {
    return show(key.spec.shape, value_of(config, key));
}

Config default_config() {
    Config config;
    for (const Key<Config>& key : config_keys()) {
        auto value = convert(key.spec.shape, RawValue{.value = std::string(key.spec.fallback), .loose = true});
        if (!value) {
            fatal(fmt::format("the default of {} is wrong: {}", key.spec.path, value.error()));
        }
        assign(config, key.member, std::move(*value));
    }
    return config;
}

} // namespace tocsin::daemon
