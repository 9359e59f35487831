// SPDX-License-Identifier: Apache-2.0
// Order of the sources, where a value came from, and which files are refused.
#include "daemon/config_load.hpp"

#include "tests/unit/daemon/temp_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sys/stat.h>
#include <unistd.h>

namespace tocsin::daemon {
namespace {

class ConfigLoad : public testing::Test {
protected:
    ConfigLoad() {
        sources.vendor = dir.path() / "usr";
        sources.admin = dir.path() / "etc";
        sources.written = dir.path() / "state/conf.d";
    }
    Loaded load() const { return load_config(sources); }
    static std::string problems_of(const Loaded& loaded) {
        std::string out;
        for (const Problem& problem : loaded.problems) {
            out += problem.text() + "\n";
        }
        return out;
    }

    TempDir dir{};
    ConfigSources sources{};
};

TEST_F(ConfigLoad, NothingThereIsGood) {
    const Loaded loaded = load();
    EXPECT_TRUE(loaded.problems.empty()) << problems_of(loaded);
    EXPECT_TRUE(loaded.files.empty());
    EXPECT_EQ(loaded.config.jobs_parallel, 2);
    EXPECT_EQ(loaded.origin_of("jobs.parallel"), "default");
}

TEST_F(ConfigLoad, EachSourceOverridesTheOnesBefore) {
    struct Step {
        std::string name;
        std::int64_t parallel;
    };
    const std::vector<Step> files = {{"usr/tocsin.toml", 3},    {"usr/conf.d/50-a.toml", 4},
                                     {"etc/tocsin.toml", 5},    {"etc/conf.d/10.toml", 6},
                                     {"etc/conf.d/20.toml", 7}, {"state/conf.d/faces.toml", 8}};
    for (const Step& step : files) {
        const auto file = dir.write(step.name, "\njobs.parallel = " + std::to_string(step.parallel) + "\n");
        const Loaded loaded = load();
        ASSERT_TRUE(loaded.problems.empty()) << problems_of(loaded);
        EXPECT_EQ(loaded.config.jobs_parallel, step.parallel) << step.name;
        EXPECT_EQ(loaded.origin_of("jobs.parallel"), file.string() + ":2");
    }
    EXPECT_EQ(load().files.size(), files.size());
    sources.environment = {{"HOME", "/"}, {"TOCSIN_CONF_JOBS__PARALLEL", "9"}};
    EXPECT_EQ(load().config.jobs_parallel, 9);
    EXPECT_EQ(load().origin_of("jobs.parallel"), "environment");
    sources.sets = {"jobs.parallel=10"};
    EXPECT_EQ(load().config.jobs_parallel, 10);
    EXPECT_EQ(load().origin_of("jobs.parallel"), "--set");
    sources.sets.emplace_back("jobs.parallel=11");
    EXPECT_EQ(load().config.jobs_parallel, 11) << "the last one wins";
}

TEST_F(ConfigLoad, AGivenFileReplacesTheSystemsFiles) {
    dir.write("etc/tocsin.toml", "jobs.parallel = 5");
    dir.write("etc/conf.d/x.toml", "jobs.retries = 5");
    sources.file = dir.write("mine/t.toml", "[jobs]\nparallel = 7");
    dir.write("mine/conf.d/b.toml", "jobs.timeout = \"3m\"");
    dir.write("mine/conf.d/.hidden.toml", "nonsense");
    dir.write("mine/conf.d/README", "nonsense");
    const Loaded loaded = load();
    ASSERT_TRUE(loaded.problems.empty()) << problems_of(loaded);
    EXPECT_EQ(loaded.config.jobs_parallel, 7);
    EXPECT_EQ(loaded.config.jobs_retries, 0);
    EXPECT_EQ(loaded.config.jobs_timeout_us, 180'000'000);
}

TEST_F(ConfigLoad, AGivenFileMustExist) {
    sources.file = dir.path() / "none.toml";
    const Loaded loaded = load();
    ASSERT_EQ(loaded.problems.size(), 1U);
    EXPECT_NE(loaded.problems[0].text().find("none.toml: cannot be read: No such file"), std::string::npos)
        << loaded.problems[0].text();
}

TEST_F(ConfigLoad, TellsEveryProblemOfEverySource) {
    dir.write("etc/tocsin.toml", "[store]\nmax_byte = 1\nreaders = 99\n[nonsense]\na = 1\n");
    dir.write("etc/conf.d/a.toml", "jobs.parallel = \"two\"\n");
    dir.write("etc/conf.d/b.toml", "= 5\n");
    sources.environment = {{"TOCSIN_CONF_TIME__ZONE", "Mars/Olympus"}};
    sources.sets = {"jobs.retires=1"};
    const Loaded loaded = load();
    const std::string all = problems_of(loaded);
    EXPECT_EQ(loaded.problems.size(), 7U) << all;
    EXPECT_NE(all.find("tocsin.toml:2:1: store.max_byte: unknown key; did you mean store.max_bytes?"),
              std::string::npos)
        << all;
    EXPECT_NE(all.find("tocsin.toml:3:1: store.readers: 99 is out of bounds; expected 1 to 16"), std::string::npos)
        << all;
    EXPECT_NE(all.find("b.toml:1:1: is not TOML"), std::string::npos) << all;
    EXPECT_NE(all.find("environment TOCSIN_CONF_TIME__ZONE: time.zone:"), std::string::npos) << all;
    EXPECT_NE(all.find("--set: jobs.retires: unknown key; did you mean jobs.retries?"), std::string::npos) << all;
}

TEST_F(ConfigLoad, OneErrorCarriesTheFirstProblem) {
    sources.sets = {"jobs.parallel=0", "jobs.retries=-1", "nothing=1"};
    const Error error = first_problem(load());
    EXPECT_EQ(error.code, Code::invalid_argument);
    EXPECT_EQ(error.object, "--set: jobs.parallel");
    EXPECT_NE(error.reason.find("and 2 more problems"), std::string::npos) << error.reason;
}

TEST_F(ConfigLoad, ALaterFileReplacesAnEntryOfTheSameName) {
    dir.write("etc/tocsin.toml",
              "[[heartbeat]]\nsource = \"a\"\ninterval = \"1m\"\n[[heartbeat]]\nsource = \"b\"\ninterval = \"1m\"\n");
    dir.write("etc/conf.d/z.toml",
              "[[heartbeat]]\nsource = \"a\"\ninterval = \"2m\"\n[[heartbeat]]\nsource = \"a\"\nscid = 4\n");
    const Loaded loaded = load();
    ASSERT_TRUE(loaded.problems.empty()) << problems_of(loaded);
    ASSERT_EQ(loaded.config.heartbeats.size(), 3U);
    EXPECT_EQ(loaded.config.heartbeats[0].interval_us, 120'000'000);
    EXPECT_EQ(loaded.config.heartbeats[1].source, "b");
    EXPECT_EQ(loaded.config.heartbeats[2].scid, 4);
}

TEST_F(ConfigLoad, ListsFromTheEnvironment) {
    sources.environment = {{"TOCSIN_CONF_PRIVACY__REDACT", "*secret*,token"},
                           {"TOCSIN_CONF_JOBS__DIRECTORIES", R"(["/a", "/b,c"])"},
                           {"TOCSIN_CONF_STORE__MAX_BYTES", "64M"},
                           {"TOCSIN_CONF_DATASETS__STRICT", "true"},
                           {"TOCSIN_CONF_ANALYSIS__SENSITIVITY", "2.5"}};
    const Loaded loaded = load();
    ASSERT_TRUE(loaded.problems.empty()) << problems_of(loaded);
    EXPECT_EQ(loaded.config.privacy_redact, (std::vector<std::string>{"*secret*", "token"}));
    EXPECT_EQ(loaded.config.jobs_directories, (std::vector<std::string>{"/a", "/b,c"}));
    EXPECT_EQ(loaded.config.store_max_bytes, 64U << 20);
    EXPECT_TRUE(loaded.config.datasets_strict);
    EXPECT_DOUBLE_EQ(loaded.config.analysis_sensitivity, 2.5);
    sources.environment = {{"TOCSIN_CONF_PRIVACY__REDACT", ""}};
    EXPECT_TRUE(load().config.privacy_redact.empty()) << "an empty text is an empty list";
}

TEST_F(ConfigLoad, WarnsOfWhatIsNotInEffect) {
    dir.write("etc/tocsin.toml",
              "spark.url = \"https://spark.example\"\nstore.keep_free = \"15%\"\n[[rule]]\nname = \"brute-force\"\n");
    const Loaded loaded = load();
    ASSERT_TRUE(loaded.problems.empty()) << problems_of(loaded);
    std::string all;
    for (const Warning& warning : loaded.warnings) {
        all += warning.text() + "\n";
    }
    EXPECT_NE(all.find("spark.url: is not available in this version"), std::string::npos) << all;
    EXPECT_NE(all.find("rules are not available in this version; [[rule]] brute-force is not in effect"),
              std::string::npos)
        << all;
    EXPECT_EQ(all.find("keep_free"), std::string::npos) << "at its default it needs no warning: " << all;
}

TEST_F(ConfigLoad, RefusesFilesThatOthersCanChange) {
    if (geteuid() != 0) {
        GTEST_SKIP() << "needs root";
    }
    const auto file = dir.write("etc/tocsin.toml", "jobs.parallel = 5");
    sources.owner_must_be_root = true;
    chmod(file.c_str(), 0644);
    EXPECT_TRUE(load().problems.empty());
    for (const mode_t mode : {0664U, 0646U}) {
        chmod(file.c_str(), mode);
        const Loaded loaded = load();
        ASSERT_EQ(loaded.problems.size(), 1U);
        EXPECT_NE(loaded.problems[0].reason.find("chmod go-w"), std::string::npos);
        EXPECT_EQ(loaded.config.jobs_parallel, 2) << "it was not read";
    }
    chmod(file.c_str(), 0644);
    ASSERT_EQ(chown(file.c_str(), 12345, 0), 0);
    ASSERT_EQ(load().problems.size(), 1U);
    EXPECT_NE(load().problems[0].reason.find("uid 12345"), std::string::npos);
    sources.owner_must_be_root = false;
    EXPECT_TRUE(load().problems.empty());
}

TEST_F(ConfigLoad, RefusesWhatIsNoFile) {
    std::filesystem::create_directories(dir.path() / "etc/tocsin.toml");
    ASSERT_EQ(load().problems.size(), 1U);
    EXPECT_NE(load().problems[0].reason.find("is not a file"), std::string::npos);
}

TEST_F(ConfigLoad, ReadsTheEnvironmentOfTheProcess) {
    setenv("TOCSIN_CONF_JOBS__RETRIES", "3=4", 1);
    const auto variables = process_environment();
    unsetenv("TOCSIN_CONF_JOBS__RETRIES");
    EXPECT_NE(std::ranges::find(variables, std::pair<std::string, std::string>("TOCSIN_CONF_JOBS__RETRIES", "3=4")),
              variables.end());
}

} // namespace
} // namespace tocsin::daemon
