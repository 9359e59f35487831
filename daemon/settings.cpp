// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings.hpp"

#include <algorithm>
#include <thread>

namespace tocsin::daemon {

namespace {

constexpr std::uint64_t store_bytes_default = 4ULL << 30;
// Two runs begin in a second on each processor, after some at once: a queue of scripts that end soon, or that make many
// processes, must not slow intake down.
constexpr std::int64_t begins_a_processor = 2;
constexpr unsigned begin_burst = 4;
constexpr std::uint64_t store_bytes_least = 16ULL << 20; // of a tiny file system

constexpr std::int64_t second_us = 1'000'000;

std::int64_t begins_a_second(const Config& config) {
    const std::int64_t processors = std::max(1U, std::thread::hardware_concurrency());
    return config.jobs_begins != 0 ? config.jobs_begins : begins_a_processor * processors;
}

std::uint64_t default_max_bytes(const Site& site) {
    if (site.file_system_bytes == 0) {
        return store_bytes_default;
    }
    return std::min(store_bytes_default, std::max(store_bytes_least, site.file_system_bytes / 10));
}

jobs::ScriptConfig script_config(const ScriptEntry& entry) {
    jobs::ScriptConfig script{.submit = entry.submit, .rerun = entry.rerun};
    script.parallel = static_cast<unsigned>(entry.parallel);
    script.callback = entry.callback;
    script.coalesce = entry.coalesce;
    if (entry.timeout_us > 0) {
        script.timeout_us = entry.timeout_us;
    }
    if (entry.kill_after_us >= 0) {
        script.kill_after_us = entry.kill_after_us;
    }
    if (entry.retries >= 0) {
        script.retries = static_cast<unsigned>(entry.retries);
    }
    return script;
}

heartbeats::WatchConfig watch_config(const HeartbeatEntry& entry) {
    return heartbeats::WatchConfig{.key = WatchKey{.source = entry.source, .scid = entry.scid},
                                   .interval_us = entry.interval_us,
                                   .grace_us = entry.grace_us,
                                   .schedule = entry.schedule,
                                   .zone = entry.zone,
                                   .early_us = entry.early_us,
                                   .run_limit_us = entry.run_limit_us,
                                   .uid = entry.uid < 0 ? std::nullopt
                                                        : std::optional(static_cast<std::uint32_t>(entry.uid)),
                                   .unit = entry.unit};
}

} // namespace

storage::Options store_options(const Config& config, const Site& site) {
    storage::Options options;
    options.directory = site.state_dir / "store";
    options.max_bytes = config.store_max_bytes > 0 ? config.store_max_bytes : default_max_bytes(site);
    options.retention.age_us = {config.retention_info_us, config.retention_warning_us, config.retention_error_us,
                                config.retention_critical_us};
    options.retention.counters_us = config.retention_counters_us;
    options.retention.keep_free_bytes = config.store_keep_free.bytes;
    options.retention.keep_free_share = config.store_keep_free.fraction;
    options.idempotency_window_us = config.store_idempotency_window_us;
    options.idempotency_keys = static_cast<std::size_t>(config.store_idempotency_keys);
    options.tail_events = static_cast<std::size_t>(config.store_tail_events);
    options.readers = static_cast<unsigned>(config.store_readers);
    options.query_us_max = config.store_query_timeout_us;
    return options;
}

heartbeats::Settings heartbeat_settings(const Config& config) {
    heartbeats::Settings settings;
    settings.defaults = WatchDefaults{.interval_us = config.heartbeats_interval_us,
                                      .grace_us = config.heartbeats_grace_us,
                                      .auto_register = config.heartbeats_auto_register,
                                      .learn = config.heartbeats_learn};
    for (const HeartbeatEntry& entry : config.heartbeats) {
        settings.watches.push_back(watch_config(entry));
    }
    return settings;
}

jobs::Settings job_settings(const Config& config, const Site& site) {
    jobs::Settings settings;
    settings.helper = site.helper;
    settings.directories.assign(config.jobs_directories.begin(), config.jobs_directories.end());
    settings.products = site.state_dir / "products";
    settings.socket = site.socket.string();
    settings.parallel = static_cast<unsigned>(config.jobs_parallel);
    settings.pace = {.gap_us = second_us / begins_a_second(config), .burst = begin_burst};
    settings.timeout_us = config.jobs_timeout_us;
    settings.kill_after_us = config.jobs_kill_after_us;
    settings.callback_timeout_us = config.jobs_callback_timeout_us;
    settings.retries = static_cast<unsigned>(config.jobs_retries);
    settings.memory_bytes = config.jobs_memory_max;
    settings.file_bytes = config.jobs_file_size_max;
    settings.open_files = static_cast<std::uint32_t>(config.jobs_open_files);
    settings.products_bytes_max = config.jobs_products_max;
    settings.helper_socket_required = !config.jobs_helper_socket.empty();
    settings.helper_socket = settings.helper_socket_required ? std::filesystem::path(config.jobs_helper_socket)
                                                             : site.socket.parent_path() / "spark.sock";
    settings.queue = static_cast<std::size_t>(config.jobs_queue);
    settings.callback_base = config.spark_callback_base;
    while (settings.callback_base.ends_with('/')) {
        settings.callback_base.pop_back();
    }
    settings.owner_is_root = site.bus == Bus::system;
    for (const ScriptEntry& entry : config.scripts) {
        settings.scripts.insert_or_assign(entry.name, script_config(entry));
    }
    return settings;
}

DeadmanSettings deadman_settings(const Config& config) {
    return DeadmanSettings{.url = config.deadman_url, .interval_us = config.deadman_interval_us};
}

ipc::http::CompatOptions compat_options(const Config& config) {
    return {.event_manager = config.compat_event_manager,
            .event_tracker = config.compat_event_tracker,
            .api_monitor = config.compat_api_monitor,
            .healthchecks = config.compat_healthchecks};
}

IntakeRules intake_rules(const Config& config, const Site& site) {
    IntakeRules rules;
    rules.zone = config.time_zone;
    rules.host = site.hostname;
    rules.redact = config.privacy_redact;
    rules.datasets_strict = config.datasets_strict;
    for (const DatasetEntry& entry : config.datasets) {
        rules.datasets.insert_or_assign(entry.id, entry.fields);
    }
    return rules;
}

std::string access_group(const Loaded& loaded, const Site& site, bool root) {
    const bool personal = !root && site.bus != Bus::system;
    if (personal && loaded.origin_of("access.group") == "default") {
        return {};
    }
    return loaded.config.access_group;
}

} // namespace tocsin::daemon
