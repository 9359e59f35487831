// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings.hpp"

#include "daemon/config_load.hpp"
#include "tests/unit/daemon/temp_dir.hpp"

#include <gtest/gtest.h>

namespace tocsin::daemon {
namespace {

constexpr std::uint64_t gib = 1ULL << 30;

Loaded loaded_from(const std::string& text) {
    const TempDir dir;
    ConfigSources sources;
    sources.file = dir.write("t.toml", text);
    Loaded loaded = load_config(sources);
    EXPECT_TRUE(loaded.problems.empty()) << loaded.problems[0].text();
    return loaded;
}

Site site() {
    return Site{.state_dir = "/state", .socket = "/run/t/tocsin.sock", .helper = "/x/tocsin-spark", .hostname = "here"};
}

TEST(Settings, TheStoreTakesTheSmallerOfFourGigabytesAndATenth) {
    const Config config = loaded_from("").config;
    Site at = site();
    EXPECT_EQ(store_options(config, at).max_bytes, 4 * gib) << "unknown file system";
    at.file_system_bytes = 100 * gib;
    EXPECT_EQ(store_options(config, at).max_bytes, 4 * gib);
    at.file_system_bytes = 10 * gib;
    EXPECT_EQ(store_options(config, at).max_bytes, gib);
    at.file_system_bytes = 1 << 20;
    EXPECT_EQ(store_options(config, at).max_bytes, 16U << 20);
    at.file_system_bytes = 10 * gib;
    EXPECT_EQ(store_options(loaded_from("store.max_bytes = \"2G\"").config, at).max_bytes, 2 * gib);
}

TEST(Settings, TheStoreGetsItsKeys) {
    const auto options = store_options(
        loaded_from("[store]\nreaders = 4\nidempotency_window = \"1h\"\nidempotency_keys = 77\nquery_timeout = \"2s\"")
            .config,
        site());
    EXPECT_EQ(options.directory, "/state/store");
    EXPECT_EQ(options.readers, 4U);
    EXPECT_EQ(options.idempotency_window_us, 3'600'000'000);
    EXPECT_EQ(options.idempotency_keys, 77U);
    EXPECT_EQ(options.query_us_max, 2'000'000);
}

TEST(Settings, WatchesGetTheirKeys) {
    const auto settings = heartbeat_settings(loaded_from(R"(
heartbeats = { interval = "5s", grace = "1s", auto_register = true, learn = true }
[[heartbeat]]
source = "plain"
[[heartbeat]]
source = "exact"
scid = 3
interval = "10s"
grace = "2s"
[[heartbeat]]
source = "cron"
schedule = "@daily"
zone = "Europe/Berlin"
early = "1m"
run_limit = "2h"
uid = 7
unit = "backup.service"
)")
                                                 .config);
    EXPECT_EQ(settings.defaults.interval_us, 5'000'000);
    EXPECT_EQ(settings.defaults.grace_us, 1'000'000);
    EXPECT_TRUE(settings.defaults.auto_register);
    EXPECT_TRUE(settings.defaults.learn);
    ASSERT_EQ(settings.watches.size(), 3U);
    EXPECT_EQ(settings.watches[0].key.source, "plain");
    EXPECT_EQ(settings.watches[0].interval_us, 0);
    EXPECT_EQ(settings.watches[0].grace_us, -1);
    EXPECT_EQ(settings.watches[1].key.scid, 3);
    EXPECT_EQ(settings.watches[1].interval_us, 10'000'000);
    EXPECT_EQ(settings.watches[1].early_us, -1);
    EXPECT_EQ(settings.watches[1].uid, std::nullopt);
    const heartbeats::WatchConfig& cron = settings.watches[2];
    EXPECT_EQ(cron.schedule, "@daily");
    EXPECT_EQ(cron.zone, "Europe/Berlin");
    EXPECT_EQ(cron.early_us, 60'000'000);
    EXPECT_EQ(cron.run_limit_us, 7'200'000'000);
    EXPECT_EQ(cron.uid, 7U);
    EXPECT_EQ(cron.unit, "backup.service");
}

TEST(Settings, JobsGetTheirKeysAndScripts) {
    Site at = site();
    const Config config = loaded_from(R"(
[jobs]
parallel = 5
timeout = "1m"
kill_after = "2s"
queue = 77
callback_timeout = "3m"
retries = 4
directories = ["/a", "/b"]
[spark]
callback_base = "https://h:1/x//"
[[script]]
name = "plain"
[[script]]
name = "own"
submit = false
rerun = false
timeout = "9s"
kill_after = "0s"
retries = 0
parallel = 3
callback = true
coalesce = true
)")
                              .config;
    const auto settings = job_settings(config, at);
    EXPECT_EQ(settings.helper, "/x/tocsin-spark");
    EXPECT_EQ(settings.products, "/state/products");
    EXPECT_EQ(settings.socket, "/run/t/tocsin.sock");
    EXPECT_EQ(settings.directories, (std::vector<std::filesystem::path>{"/a", "/b"}));
    EXPECT_EQ(settings.parallel, 5U);
    EXPECT_EQ(settings.timeout_us, 60'000'000);
    EXPECT_EQ(settings.kill_after_us, 2'000'000);
    EXPECT_EQ(settings.callback_timeout_us, 180'000'000);
    EXPECT_EQ(settings.retries, 4U);
    EXPECT_EQ(settings.memory_bytes, 2 * gib);
    EXPECT_EQ(settings.file_bytes, gib / 4);
    EXPECT_EQ(settings.open_files, 1024U);
    EXPECT_EQ(settings.products_bytes_max, gib);
    EXPECT_EQ(settings.helper_socket, "/run/t/spark.sock");
    EXPECT_FALSE(settings.helper_socket_required) << "used where it is there";
    EXPECT_EQ(settings.queue, 77U);
    EXPECT_EQ(settings.callback_base, "https://h:1/x");
    EXPECT_FALSE(settings.owner_is_root) << "without the system bus scripts may be the user's";
    const jobs::ScriptConfig& plain = settings.scripts.at("plain");
    EXPECT_FALSE(plain.timeout_us || plain.kill_after_us || plain.retries);
    EXPECT_TRUE(plain.submit && plain.rerun);
    EXPECT_FALSE(plain.callback || plain.coalesce);
    EXPECT_EQ(plain.parallel, 0U);
    const jobs::ScriptConfig& own = settings.scripts.at("own");
    EXPECT_EQ(own.timeout_us, 9'000'000);
    EXPECT_EQ(own.kill_after_us, 0);
    EXPECT_EQ(own.retries, 0U);
    EXPECT_FALSE(own.submit || own.rerun);
    EXPECT_TRUE(own.callback && own.coalesce);
    EXPECT_EQ(own.parallel, 3U);
    at.bus = Bus::system;
    EXPECT_TRUE(job_settings(config, at).owner_is_root);
}

TEST(Settings, JobsGetTheirLimitsAndTheSocketOfTheHelper) {
    const auto settings = job_settings(loaded_from(R"(
[jobs]
memory_max = "512M"
file_size_max = "1M"
open_files = 64
products_max = 0
helper_socket = "/run/x/spark.sock"
)")
                                           .config,
                                       site());
    EXPECT_EQ(settings.memory_bytes, gib / 2);
    EXPECT_EQ(settings.file_bytes, 1U << 20);
    EXPECT_EQ(settings.open_files, 64U);
    EXPECT_EQ(settings.products_bytes_max, 0U);
    EXPECT_EQ(settings.helper_socket, "/run/x/spark.sock");
    EXPECT_TRUE(settings.helper_socket_required);
}

TEST(Settings, IntakeGetsItsRules) {
    const IntakeRules rules = intake_rules(loaded_from(R"(
time.zone = "Europe/Berlin"
privacy.redact = ["*secret*"]
datasets.strict = true
[[dataset]]
id = "d"
fields = [{ name = "user", label = "User" }]
)")
                                               .config,
                                           site());
    EXPECT_EQ(rules.host, "here");
    EXPECT_EQ(rules.zone.name(), "Europe/Berlin");
    EXPECT_EQ(rules.redact, std::vector<std::string>{"*secret*"});
    EXPECT_TRUE(rules.datasets_strict);
    EXPECT_EQ(rules.datasets.at("d").at(0).label, "User");
}

TEST(Settings, AnUnprivilegedDaemonIsItsOwnersAlone) {
    const Loaded defaults = loaded_from("");
    const Loaded given = loaded_from("access.group = \"staff\"");
    Site at = site();
    at.bus = Bus::user;
    EXPECT_EQ(access_group(defaults, at, false), "");
    EXPECT_EQ(access_group(given, at, false), "staff") << "who names a group means it";
    EXPECT_EQ(access_group(defaults, at, true), "tocsin");
    at.bus = Bus::system;
    EXPECT_EQ(access_group(defaults, at, false), "tocsin");
    EXPECT_EQ(access_group(loaded_from("access.group = \"\""), at, true), "");
}

} // namespace
} // namespace tocsin::daemon
