// SPDX-License-Identifier: Apache-2.0
// The table itself: every default is a value of its own key, every key is whole, and everything documented is accepted.
#include "daemon/config_table.hpp"

#include "core/json.hpp"
#include "daemon/config_describe.hpp"
#include "daemon/config_load.hpp"
#include "tests/unit/daemon/temp_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace tocsin::daemon {
namespace {

// Every key that others rely on, as it is documented.
constexpr std::string_view documented = R"toml(
daemon.log_level = "info"
listen.http = ""
time.zone = "UTC"
access.group = "tocsin"
compat = { event_manager = false, event_tracker = false, api_monitor = false, healthchecks = false, listen = "" }
spark = { url = "", callback_base = "" }
deadman = { url = "", interval = "60s" }
privacy.redact = ["*password*"]
analysis = { sensitivity = 3.0, budget = "1/7d" }
datasets.strict = false

[store]
max_bytes = "4G"
keep_free = "15%"
idempotency_window = "7d"
retention = { info = "30d", warning = "90d", error = "1y", critical = "1y", counters = "5y" }

[heartbeats]
interval = "60s"
grace = "30s"
auto_register = false
learn = false

[jobs]
directories = ["/etc/tocsin/spark.d", "/usr/lib/tocsin/spark.d"]
parallel = 2
timeout = "10m"
callback_timeout = "10m"
retries = 0

[[heartbeat]]
source = "backup"
schedule = "0 3 * * *"
zone = "Europe/Berlin"
grace = "1h"
run_limit = "2h"

[[journey]]
name = "checkout"
environment = "aws"
apis = ["/api/orders", "/api/payments"]

[[dataset]]
id = "sshd-LoginSucceeded"
fields = [ { name = "user", label = "User", type = "string" }, { name = "duration", label = "D", type = "number" } ]

[[input]]
name = "cat3"
type = "sql"
url = "postgresql:///events?user=reader"
table = "event_alerts"
cursor = "unique_index"
interval = "10s"
batch = 1000
where = "event_src = 'ecql'"
map = { event_name = "event_name", event_src = "event_src", scid = "scid", event_time = "event_time" }

[[input]]
name = "auth"
type = "file"
path = "/var/log/auth.log"
from = "end"
pattern = '^(?P<stamp>\w+ +\d+ [\d:]+) (?P<host>\S+) sshd\[(?P<pid>\d+)\]: (?P<summary>.*)$'
event_name = "sshd.line"
event_src = "sshd"

[[extract]]
when = 'event_name == "sshd.line"'
field = "summary"
pattern = 'Failed password for (invalid user )?(?P<user>\S+) from (?P<rhost>\S+) port'
event_name = "sshd.login_failed"

[[script]]
name = "report"
submit = true
timeout = "2m"
kill_after = "5s"
parallel = 1
retries = 2
rerun = true

[[rule]]
name = "brute-force"
when = 'event_name == "sshd.login_failed" and payload.user != "probe"'
count = 5
within = "5m"
by = ["payload.rhost"]
severity = "critical"
for = "0s"
summary = "{{count}} failed logins from {{payload.rhost}}"
handlers = ["ops-mail"]
spark_script = "report"
[rule.environment.aws]
count = 10

[[handler]]
name = "ops-mail"
type = "email"
url = "smtps://mail.example.org"
from = "tocsin@example.org"
to = ["ops@example.org"]
password_credential = "smtp-password"
filter = 'severity >= "error"'
group_wait = "30s"
group_interval = "5m"
repeat_interval = "4h"
rate = "30/1h"

[[detector]]
api = "/api/orders"
sensitivity = 2
)toml";

TEST(ConfigTable, EveryKeyIsWhole) {
    std::set<std::string_view> seen;
    for (const Key<Config>& key : config_keys()) {
        EXPECT_TRUE(seen.insert(key.spec.path).second) << key.spec.path << " is there twice";
        EXPECT_NE(key.spec.path.find('.'), std::string_view::npos) << key.spec.path;
        EXPECT_FALSE(key.spec.help.empty()) << key.spec.path;
        EXPECT_FALSE(std::holds_alternative<std::monostate>(key.member)) << key.spec.path << " sets nothing";
        EXPECT_EQ(find_key(key.spec.path), &key);
    }
    EXPECT_EQ(find_key("store"), nullptr);
}

TEST(ConfigTable, DefaultsReadBackAsTheyAreShown) {
    const Config defaults = default_config();
    for (const Key<Config>& key : config_keys()) {
        const std::string shown = show(defaults, key);
        const auto again = convert(key.spec.shape, RawValue{.value = shown, .loose = true});
        ASSERT_TRUE(again) << key.spec.path << " = " << shown << ": " << again.error();
        EXPECT_EQ(show(key.spec.shape, *again), shown) << key.spec.path;
    }
    EXPECT_EQ(defaults.store_max_bytes, 0U);
    EXPECT_EQ(show(defaults, *find_key("store.max_bytes")), "auto");
    EXPECT_EQ(defaults.retention_counters_us, 5LL * 365 * 24 * 3600 * 1'000'000);
    EXPECT_EQ(defaults.privacy_redact, std::vector<std::string>{"*password*"});
    EXPECT_EQ(show(defaults, *find_key("analysis.budget")), "1/7d");
    EXPECT_EQ(show(defaults, *find_key("store.keep_free")), "15%");
    EXPECT_EQ(show(defaults, *find_key("jobs.directories")), R"(["/etc/tocsin/spark.d", "/usr/lib/tocsin/spark.d"])");
}

TEST(ConfigTable, WhatIsDocumentedIsAcceptedAndIsTheDefault) {
    const TempDir dir;
    ConfigSources sources;
    sources.file = dir.write("t.toml", std::string(documented));
    const Loaded loaded = load_config(sources);
    for (const Problem& problem : loaded.problems) {
        ADD_FAILURE() << problem.text();
    }
    const Config defaults = default_config();
    for (const auto& [key, place] : loaded.places) {
        if (key != "store.max_bytes") {
            EXPECT_EQ(show(loaded.config, *find_key(key)), show(defaults, *find_key(key))) << key;
        }
    }
    ASSERT_EQ(loaded.config.datasets.size(), 1U);
    EXPECT_EQ(loaded.config.datasets[0].fields[1].type, "number");
    ASSERT_EQ(loaded.config.scripts.size(), 1U);
    EXPECT_EQ(loaded.config.scripts[0].timeout_us, 120'000'000);
    EXPECT_EQ(loaded.config.scripts[0].retries, 2);
    EXPECT_EQ(loaded.origin_of("jobs.parallel"), sources.file->string() + ":27");
}

TEST(ConfigTable, EveryEntryKeySetsItsMember) {
    const TempDir dir;
    ConfigSources sources;
    sources.file = dir.write("t.toml", R"(
[[heartbeat]]
source = "s"
scid = -3
grace = "2s"
schedule = "@daily"
zone = "Europe/Berlin"
early = "3s"
run_limit = "4s"
uid = 5
unit = "a.service"
[[script]]
name = "n"
submit = false
timeout = "6s"
kill_after = "0s"
parallel = 7
retries = 8
rerun = false
callback = true
coalesce = true
)");
    const Loaded loaded = load_config(sources);
    ASSERT_TRUE(loaded.problems.empty()) << loaded.problems[0].text();
    const HeartbeatEntry& beat = loaded.config.heartbeats.at(0);
    EXPECT_EQ(beat.source, "s");
    EXPECT_EQ(beat.scid, -3);
    EXPECT_EQ(beat.grace_us, 2'000'000);
    EXPECT_EQ(beat.schedule, "@daily");
    EXPECT_EQ(beat.zone, "Europe/Berlin");
    EXPECT_EQ(beat.early_us, 3'000'000);
    EXPECT_EQ(beat.run_limit_us, 4'000'000);
    EXPECT_EQ(beat.uid, 5);
    EXPECT_EQ(beat.unit, "a.service");
    const ScriptEntry& script = loaded.config.scripts.at(0);
    EXPECT_EQ(script.name, "n");
    EXPECT_FALSE(script.submit);
    EXPECT_FALSE(script.rerun);
    EXPECT_EQ(script.timeout_us, 6'000'000);
    EXPECT_EQ(script.kill_after_us, 0);
    EXPECT_EQ(script.parallel, 7);
    EXPECT_EQ(script.retries, 8);
    EXPECT_TRUE(script.callback);
    EXPECT_TRUE(script.coalesce);
    std::set<std::string> given;
    for (const Warning& warning : loaded.warnings) {
        given.insert(warning.key);
    }
    for (const KeySpec& spec : find_array("heartbeat")->keys) {
        EXPECT_EQ(given.contains("heartbeat[0]." + std::string(spec.path)), !spec.available) << spec.path;
    }
}

// What a program reads: names and values that a JSON parser sees.
std::map<std::string, std::string> members_of(const std::string& text) {
    std::map<std::string, std::string> out;
    json::Parser parser;
    const auto read = parser.object(text, [&out](std::string_view key, const Scalar& value) {
        std::string shown;
        json::append_scalar(shown, value);
        out.emplace(key, shown);
    });
    EXPECT_TRUE(read) << read.error().detail() << text;
    return out;
}

TEST(ConfigDescribe, ListsEveryKeyAsJson) {
    const std::string text = describe_config_json();
    members_of("{\"keys\":" + text + "}");
    for (const Key<Config>& key : config_keys()) {
        EXPECT_NE(text.find("{\"key\":\"" + std::string(key.spec.path) + "\""), std::string::npos) << key.spec.path;
    }
    EXPECT_NE(text.find(R"({"key":"heartbeat[].source","type":"name")"), std::string::npos);
    EXPECT_NE(text.find(R"({"key":"rule[].when","type":"string")"), std::string::npos);
    const std::size_t at = text.find(R"({"key":"jobs.parallel")");
    const auto parallel = members_of(text.substr(at, text.find('}', at) - at + 1));
    EXPECT_EQ(parallel.at("default"), "\"2\"");
    EXPECT_EQ(parallel.at("min"), "1");
    EXPECT_EQ(parallel.at("max"), "256");
    EXPECT_EQ(parallel.at("reloadable"), "true");
    EXPECT_EQ(parallel.at("available"), "true");
    EXPECT_FALSE(parallel.at("help").empty());
}

TEST(ConfigDescribe, WhatMembersAreShownHasNoSecrets) {
    ConfigSources sources;
    sources.vendor = sources.admin = "/nonexistent";
    EXPECT_EQ(show_config_json(load_config(sources)).find("hidden"), std::string::npos) << "nothing to hide";
    sources.sets = {"deadman.url=https://hc.example/uuid"};
    const Loaded loaded = load_config(sources);
    const std::string shown = show_config_json(loaded);
    EXPECT_NE(shown.find(R"_({"key":"deadman.url","value":"(hidden)","origin":"--set"})_"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("hc.example"), std::string::npos);
    EXPECT_NE(check_config_json(loaded).find("hc.example"), std::string::npos) << "who may read the files is shown all";
}

TEST(ConfigDescribe, CheckTellsProblemsAndWarnings) {
    ConfigSources sources;
    sources.vendor = sources.admin = "/nonexistent";
    sources.sets = {"jobs.paralel=2", "spark.url=https://spark.example", "deadman.url=https://hc.example/uuid"};
    const Loaded loaded = load_config(sources);
    const auto members = members_of(check_config_json(loaded));
    EXPECT_EQ(members.at("ok"), "false");
    EXPECT_EQ(members.at("files"), "[]");
    EXPECT_NE(members.at("values").find(R"({"key":"jobs.retries","value":"0","origin":"default"})"), std::string::npos);
    EXPECT_NE(members.at("values").find(R"({"key":"spark.url","value":"https://spark.example","origin":"--set"})"),
              std::string::npos);
    EXPECT_NE(members.at("problems")
                  .find(R"("file":"--set","key":"jobs.paralel","reason":"unknown key; did you mean jobs.parallel?")"),
              std::string::npos)
        << members.at("problems");
    EXPECT_NE(members.at("warnings").find("spark.url"), std::string::npos);
    const std::string text = check_config_text(loaded);
    EXPECT_NE(text.find("--set: jobs.paralel: unknown key"), std::string::npos);
    EXPECT_NE(text.find("warning: --set: spark.url"), std::string::npos);
    EXPECT_NE(text.find("has 1 problem\n"), std::string::npos);
    sources.sets = {"jobs.parallel=2"};
    EXPECT_NE(check_config_text(load_config(sources)).find("is good: 1 keys set, 0 files read"), std::string::npos);
    EXPECT_EQ(members_of(check_config_json(load_config(sources))).at("ok"), "true");
}

} // namespace
} // namespace tocsin::daemon
