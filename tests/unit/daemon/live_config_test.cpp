// SPDX-License-Identifier: Apache-2.0
// Reload: all or nothing.
#include "daemon/live_config.hpp"

#include "tests/unit/daemon/temp_dir.hpp"

#include <gtest/gtest.h>

namespace tocsin::daemon {
namespace {

class Reload : public testing::Test {
protected:
    LiveConfig begin(const std::string& text) {
        sources.file = dir.write("t.toml", text);
        Loaded loaded = load_config(sources);
        EXPECT_TRUE(loaded.problems.empty());
        return LiveConfig(sources, std::move(loaded));
    }
    void write(const std::string& text) const { dir.write("t.toml", text); }

    TempDir dir{};
    ConfigSources sources{};
};

using Names = std::vector<std::string>;

TEST_F(Reload, TakesWhatMayChangeNow) {
    LiveConfig live = begin("jobs.parallel = 2\n");
    write("jobs.parallel = 3\ntime.zone = \"Europe/Berlin\"\n[[heartbeat]]\nsource = \"a\"\n");
    const auto reloaded = live.reload();
    ASSERT_TRUE(reloaded) << reloaded.error().detail();
    EXPECT_EQ(reloaded->changed, (Names{"time.zone", "jobs.parallel", "heartbeat"}));
    EXPECT_TRUE(reloaded->waiting.empty());
    EXPECT_EQ(live.config().jobs_parallel, 3);
    EXPECT_EQ(live.config().time_zone.name(), "Europe/Berlin");
    EXPECT_EQ(live.config().heartbeats.size(), 1U);
}

TEST_F(Reload, ABadFileChangesNothing) {
    LiveConfig live = begin("jobs.parallel = 2\n[[script]]\nname = \"r\"\n");
    write("jobs.parallel = 3\ntime.zone = \"Mars\"\njobs.retries = -1\n");
    const auto reloaded = live.reload();
    ASSERT_FALSE(reloaded);
    EXPECT_EQ(reloaded.error().code, Code::invalid_argument);
    EXPECT_NE(reloaded.error().object.find("t.toml:2:6: time.zone"), std::string::npos) << reloaded.error().object;
    EXPECT_NE(reloaded.error().reason.find("and 1 more problem;"), std::string::npos) << reloaded.error().reason;
    EXPECT_EQ(live.config().jobs_parallel, 2);
    EXPECT_EQ(live.config().time_zone.name(), "UTC");
    EXPECT_EQ(live.config().scripts.size(), 1U);
}

TEST_F(Reload, AMissingFileChangesNothing) {
    LiveConfig live = begin("jobs.parallel = 5\n");
    std::filesystem::remove(*sources.file);
    EXPECT_FALSE(live.reload());
    EXPECT_EQ(live.config().jobs_parallel, 5);
}

TEST_F(Reload, KeysThatNeedARestartWait) {
    LiveConfig live = begin("store.max_bytes = \"1G\"\n");
    write("\n\nstore.max_bytes = \"2G\"\njobs.retries = 1\n");
    const auto reloaded = live.reload();
    ASSERT_TRUE(reloaded);
    EXPECT_EQ(reloaded->changed, Names{"jobs.retries"});
    EXPECT_EQ(reloaded->waiting, Names{"store.max_bytes"});
    EXPECT_EQ(live.config().store_max_bytes, 1ULL << 30);
    EXPECT_EQ(live.loaded().origin_of("store.max_bytes"), sources.file->string() + ":1")
        << "where the value in effect is from";
    write("jobs.retries = 1\n");
    ASSERT_EQ(live.reload()->waiting, Names{"store.max_bytes"}) << "removing a key is a change, too";
}

TEST_F(Reload, TheSameAgainChangesNothing) {
    const std::string text = "[[script]]\nname = \"r\"\n[[dataset]]\nid = \"d\"\nfields = [{ name = \"u\" "
                             "}]\n[[heartbeat]]\nsource = \"a\"\n";
    LiveConfig live = begin(text);
    write("# a comment moves every line\n" + text);
    const auto same = live.reload();
    ASSERT_TRUE(same);
    EXPECT_TRUE(same->changed.empty());
    write("[[script]]\nname = \"r\"\nrerun = false\n[[dataset]]\nid = \"d\"\nfields = [{ name = \"u\", type = "
          "\"number\" }]\n");
    EXPECT_EQ(live.reload()->changed, (Names{"heartbeat", "script", "dataset"}));
}

TEST_F(Reload, EachWordOfAWatchCounts) {
    const std::string watch = "[[heartbeat]]\nsource = \"a\"\nschedule = \"@daily\"\n";
    LiveConfig live = begin(watch);
    for (const std::string word : {"zone = \"Europe/Berlin\"", "early = \"1m\"", "run_limit = \"1h\"", "grace = \"1h\"",
                                   "uid = 7", "unit = \"a.service\""}) {
        write(watch + word + "\n");
        EXPECT_EQ(live.reload()->changed, Names{"heartbeat"}) << word;
    }
}

TEST_F(Reload, TheCommandLineStillWins) {
    sources.sets = {"jobs.parallel=9"};
    LiveConfig live = begin("jobs.parallel = 2\n");
    write("jobs.parallel = 3\n");
    EXPECT_TRUE(live.reload()->changed.empty());
    EXPECT_EQ(live.config().jobs_parallel, 9);
}

} // namespace
} // namespace tocsin::daemon
