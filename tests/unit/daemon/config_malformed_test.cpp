// SPDX-License-Identifier: Apache-2.0
// Configurations that must be refused: for each the key that must be named, its line, and a word that must be said.
#include "daemon/config_load.hpp"

#include "tests/unit/daemon/temp_dir.hpp"

#include <gtest/gtest.h>

namespace tocsin::daemon {
namespace {

struct Case {
    const char* text;
    unsigned line;
    const char* key;
    const char* says;
};

// clang-format off
const Case malformed[] = {
    // unknown keys
    {"store.max_byte = 1", 1, "store.max_byte", "did you mean store.max_bytes?"},
    {"[stor]\nmax_bytes = 1", 2, "stor.max_bytes", "did you mean store.max_bytes?"},
    {"max_bytes = \"4G\"", 1, "max_bytes", "did you mean store.max_bytes?"},
    {"[daemon]\n\nloglevel = \"info\"", 3, "daemon.loglevel", "did you mean daemon.log_level?"},
    {"retention.info = \"30d\"", 1, "retention.info", "did you mean store.retention.info?"},
    {"compat = { eventmanager = true }", 1, "compat.eventmanager", "did you mean compat.event_manager?"},
    {"[analysis.deep]\nthing = 1", 2, "analysis.deep.thing", "unknown key"},
    {"wholly_unknown = 1", 1, "wholly_unknown", "tocsin.toml(5)"},
    {"[empty_unknown]", 1, "empty_unknown", "unknown key"},
    {"[[heartbeats]]\nsource = \"a\"", 1, "heartbeats", "is a section"},
    {"[[store]]\nmax_bytes = 1", 1, "store", "is a section"},
    // sections and arrays mixed up
    {"store = 5", 1, "store", "is a section, not an integer"},
    {"[heartbeat]\nsource = \"a\"", 1, "heartbeat", "[[heartbeat]]"},
    {"heartbeat = [ 1 ]", 1, "heartbeat[0]", "expected a table"},
    {"rule = \"x\"", 1, "rule", "[[rule]]"},
    {"[store.max_bytes]\nx = 1", 1, "store.max_bytes", "a size"},
    // booleans
    {"datasets.strict = \"true\"", 1, "datasets.strict", "true or false"},
    {"heartbeats.auto_register = 1", 1, "heartbeats.auto_register", "true or false"},
    // integers
    {"jobs.parallel = \"2\"", 1, "jobs.parallel", "an integer"},
    {"jobs.parallel = 2.5", 1, "jobs.parallel", "an integer"},
    {"jobs.parallel = 0", 1, "jobs.parallel", "1 to 256"},
    {"jobs.retries = -1", 1, "jobs.retries", "0 to 100"},
    {"store.readers = 17", 1, "store.readers", "1 to 16"},
    {"store.idempotency_keys = 9223372036854775807", 1, "store.idempotency_keys", "out of bounds"},
    // numbers
    {"analysis.sensitivity = \"3\"", 1, "analysis.sensitivity", "a number"},
    {"analysis.sensitivity = 0.5", 1, "analysis.sensitivity", "1 to 5"},
    {"analysis.sensitivity = nan", 1, "analysis.sensitivity", "a number"},
    {"analysis.sensitivity = inf", 1, "analysis.sensitivity", "a number"},
    // sizes
    {"store.max_bytes = \"lots\"", 1, "store.max_bytes", "a size"},
    {"store.max_bytes = \"4X\"", 1, "store.max_bytes", "a size"},
    {"store.max_bytes = -1", 1, "store.max_bytes", "a size"},
    {"store.max_bytes = 1.5", 1, "store.max_bytes", "a size"},
    {"store.max_bytes = \"1K\"", 1, "store.max_bytes", "1M to 64T"},
    {"store.max_bytes = \"999T\"", 1, "store.max_bytes", "1M to 64T"},
    {"store.max_bytes = true", 1, "store.max_bytes", "a size"},
    {"store.keep_free = \"91%\"", 1, "store.keep_free", "0% to 90%"},
    {"store.keep_free = \"-1%\"", 1, "store.keep_free", "0% to 90%"},
    {"store.keep_free = \"%\"", 1, "store.keep_free", "0% to 90%"},
    {"store.keep_free = \"much\"", 1, "store.keep_free", "percentage"},
    // durations
    {"heartbeats.interval = 60", 1, "heartbeats.interval", "with its unit"},
    {"heartbeats.interval = \"60\"", 1, "heartbeats.interval", "a duration"},
    {"heartbeats.interval = \"1 minute\"", 1, "heartbeats.interval", "a duration"},
    {"heartbeats.interval = \"-5s\"", 1, "heartbeats.interval", "a duration"},
    {"heartbeats.interval = \"99ms\"", 1, "heartbeats.interval", "100ms to"},
    {"heartbeats.grace = \"2y\"", 1, "heartbeats.grace", "out of bounds"},
    {"jobs.timeout = 07:32:00", 1, "jobs.timeout", "a date"},
    {"store.retention.info = \"\"", 1, "store.retention.info", "a duration"},
    {"store = { retention = { info = \"5 days\" } }", 1, "store.retention.info", "a duration"},
    {"deadman.interval = \"999999999999999y\"", 1, "deadman.interval", "a duration"},
    // rates
    {"analysis.budget = \"1\"", 1, "analysis.budget", "a rate"},
    {"analysis.budget = \"0/7d\"", 1, "analysis.budget", "a rate"},
    {"analysis.budget = \"1/0s\"", 1, "analysis.budget", "a rate"},
    {"analysis.budget = 1", 1, "analysis.budget", "a rate"},
    // choices, zones, addresses, URLs
    {"daemon.log_level = \"loud\"", 1, "daemon.log_level", "trace, debug, info"},
    {"daemon.log_level = 3", 1, "daemon.log_level", "trace, debug, info"},
    {"time.zone = \"Mars/Olympus\"", 1, "time.zone", "time zone"},
    {"time.zone = \"\"", 1, "time.zone", "time zone"},
    {"time.zone = 1", 1, "time.zone", "time zone"},
    {"listen.http = \"localhost\"", 1, "listen.http", "with a port"},
    {"listen.http = \":80\"", 1, "listen.http", "with a port"},
    {"listen.http = \"a:0\"", 1, "listen.http", "with a port"},
    {"listen.http = \"a:65536\"", 1, "listen.http", "with a port"},
    {"listen.http = \"::1:80\"", 1, "listen.http", "with a port"},
    {"deadman.url = \"ftp://x\"", 1, "deadman.url", "http://"},
    {"spark.url = \"http://\"", 1, "spark.url", "http://"},
    {"spark.callback_base = \"http://a/?x=1\"", 1, "spark.callback_base", "without a query"},
    {"jobs.queue = 0", 1, "jobs.queue", "1 to 20000"},
    {"spark.callback_base = \"http://a b\"", 1, "spark.callback_base", "http://"},
    {"access.group = true", 1, "access.group", "a string"},
    {"access.group = \"a\\u0000b\"", 1, "access.group", "zero byte"},
    // lists
    {"privacy.redact = \"x\"", 1, "privacy.redact", "a list of strings"},
    {"privacy.redact = [1]", 1, "privacy.redact", "a string in this list"},
    {"privacy.redact = [\"\"]", 1, "privacy.redact", "not empty"},
    {"jobs.directories = [\"spark.d\"]", 1, "jobs.directories", "absolute path"},
    {"jobs.directories = { a = 1 }", 1, "jobs.directories", "a list of strings"},
    // arrays of tables
    {"[[heartbeat]]\ninterval = \"5m\"", 1, "heartbeat[0].source", "is missing"},
    {"[[heartbeat]]\nsource = \"a\"\n[[heartbeat]]\nsource = \"b\"\ngrace = \"1ms\"", 5, "heartbeat[1].grace", "to"},
    {"[[heartbeat]]\nsource = \"a\"\nintervall = \"5m\"", 3, "heartbeat[0].intervall", "did you mean interval?"},
    {"[[heartbeat]]\nsource = \"\"", 2, "heartbeat[0].source", "is wrong"},
    {"[[heartbeat]]\nsource = \"a\\nb\"", 2, "heartbeat[0].source", "is wrong"},
    {"[[heartbeat]]\nsource = \"a\"\nscid = \"7\"", 3, "heartbeat[0].scid", "an integer"},
    {"[[heartbeat]]\nsource = \"a\"\nuid = -1", 3, "heartbeat[0].uid", "out of bounds"},
    {"[[heartbeat]]\nsource = \"a\"\nzone = \"UTC\"", 3, "heartbeat[0].zone", "is of a schedule"},
    {"[[heartbeat]]\nsource = \"a\"\nearly = \"1m\"", 3, "heartbeat[0].early", "is of a schedule"},
    {"[[heartbeat]]\nsource = \"a\"\nschedule = \"@daily\"\nzone = \"No/Where\"", 4, "heartbeat[0].zone", "No/Where"},
    {"[[heartbeat]]\nsource = \"a\"\nschedule = \"0 25 * * *\"", 3, "heartbeat[0].schedule", "25"},
    {"[[heartbeat]]\nsource = \"a\"\ninterval = \"1d\"\nschedule = \"@daily\"", 4, "heartbeat[0].schedule",
     "with an interval"},
    {"[[heartbeat]]\nsource = \"a\"\nrun_limit = \"4d\"", 3, "heartbeat[0].run_limit", "100ms to 3d"},
    {"[[heartbeat]]\nsource = \"a\"\n[[heartbeat]]\nsource = \"a\"", 3, "heartbeat[1]", "given twice, first in line 1"},
    {"[[script]]\nname = \"../x\"", 2, "script[0].name", "is wrong"},
    {"[[script]]\nname = \"\"", 2, "script[0].name", "is wrong"},
    {"[[script]]\nname = \"r\"\nsubmit = \"no\"", 3, "script[0].submit", "true or false"},
    {"[[script]]\nname = \"r\"\ntimeout = \"1us\"", 3, "script[0].timeout", "100ms to"},
    {"[[script]]\nname = \"r\"\n[[script]]\nname = \"r\"", 3, "script[1]", "given twice"},
    {"[[dataset]]\nid = \"d\"", 1, "dataset[0].fields", "is missing"},
    {"[[dataset]]\nid = \"d\"\nfields = []", 3, "dataset[0].fields", "a list of fields"},
    {"[[dataset]]\nid = \"d\"\nfields = [\"user\"]", 3, "dataset[0].fields", "a table"},
    {"[[dataset]]\nid = \"d\"\nfields = [{ label = \"User\" }]", 3, "dataset[0].fields", "name of a field"},
    {"[[dataset]]\nid = \"d\"\nfields = [{ name = \"u\", type = \"x\" }]", 3, "dataset[0].fields", "not one of string"},
    {"[[dataset]]\nid = \"d\"\nfields = [{ name = \"u\", kind = \"x\" }]", 3, "dataset[0].fields", "unknown key"},
    {"[[dataset]]\nid = \"d\"\nfields = [{ name = \"u\" }, { name = \"u\" }]", 3, "dataset[0].fields", "given twice"},
    {"[[rule]]\nname = \"r\"\nwithn = \"5m\"", 3, "rule[0].withn", "did you mean within?"},
    {"[[rule]]\nwhen = \"x\"", 1, "rule[0].name", "is missing"},
    {"[[input]]\nname = \"i\"\ntype = \"telepathy\"", 3, "input[0].type", "sql, journal"},
    {"[[handler]]\nname = \"h\"\ntype = \"email\"\nrate = \"30\"", 4, "handler[0].rate", "a rate"},
    {"[[journey]]\nname = \"j\"", 1, "journey[0].apis", "is missing"},
    {"[[extract]]\nwhen = \"x\"\nevent_name = 5", 3, "extract[0].event_name", "a string"},
    {"[[detector]]\nsensitivity = 9", 2, "detector[0].sensitivity", "1 to 5"},
    // not TOML
    {"[store\nmax_bytes = 1", 1, "", "is not TOML"},
    {"jobs.parallel = 1\njobs.parallel = 2", 2, "", "is not TOML"},
    {"a = \"\xff\"", 1, "", "is not TOML"},
    {"\n[\x0e\ndaemon]", 2, "", "is not TOML"},
    {"\xc3\xa9 = 1", 1, "", "is not TOML"},
};
// clang-format on

TEST(MalformedConfig, NamesKeyLineAndWhatIsExpected) {
    const TempDir dir;
    for (const Case& one : malformed) {
        SCOPED_TRACE(one.text);
        ConfigSources sources;
        sources.file = dir.write("t.toml", one.text);
        const Loaded loaded = load_config(sources);
        ASSERT_EQ(loaded.problems.size(), 1U);
        const Problem& problem = loaded.problems.front();
        EXPECT_EQ(problem.key, one.key);
        EXPECT_EQ(problem.place.line, one.line);
        EXPECT_GT(problem.place.column, 0U);
        EXPECT_EQ(problem.place.source, sources.file->string());
        EXPECT_NE(problem.reason.find(one.says), std::string::npos) << problem.reason;
        EXPECT_EQ(problem.text().find('\n'), std::string::npos);
    }
}

TEST(MalformedConfig, ThereAreEnoughOfThem) {
    EXPECT_GE(std::size(malformed), 40U);
}

TEST(MalformedConfig, TextThatIsNoValueIsRefusedToo) {
    const std::vector<std::pair<const char*, const char*>> sets = {{"heartbeat=1", "write [[heartbeat]] in a file"},
                                                                   {"store=1", "is a section"},
                                                                   {"jobs.parallel=", "an integer"},
                                                                   {"jobs.parallel=2x", "an integer"},
                                                                   {"datasets.strict=yes", "true or false"},
                                                                   {"jobs.directories=a,b", "absolute path"},
                                                                   {"analysis.sensitivity=high", "a number"}};
    for (const auto& [set, says] : sets) {
        ConfigSources sources;
        sources.vendor = sources.admin = "/nonexistent";
        sources.sets = {set};
        const Loaded loaded = load_config(sources);
        ASSERT_EQ(loaded.problems.size(), 1U) << set;
        EXPECT_NE(loaded.problems[0].reason.find(says), std::string::npos) << loaded.problems[0].reason;
    }
}

TEST(MalformedConfig, ADeepOrHugeFileIsRefused) {
    const TempDir dir;
    ConfigSources sources;
    sources.file = dir.write("deep.toml", "a = " + std::string(5'000, '['));
    EXPECT_FALSE(load_config(sources).problems.empty());
    sources.file = dir.write("huge.toml", std::string(17U << 20, '#'));
    ASSERT_EQ(load_config(sources).problems.size(), 1U);
    EXPECT_NE(load_config(sources).problems[0].reason.find("larger than 16M"), std::string::npos);
}

} // namespace
} // namespace tocsin::daemon
