// SPDX-License-Identifier: Apache-2.0
// Directories and what is refused about them; the log's line format.
#include "daemon/process.hpp"

#include "daemon/logging.hpp"
#include "tests/unit/daemon/temp_dir.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <vector>

namespace tocsin::daemon {
namespace {

mode_t mode_of(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 07777U;
}

TEST(StateDirTest, IsMadeForUsAlone) {
    const TempDir dir;
    const auto path = dir.path() / "a/b/state";
    const auto taken = StateDir::take(path);
    ASSERT_TRUE(taken) << taken.error().detail();
    EXPECT_EQ(taken->path(), path);
    EXPECT_EQ(mode_of(path), 0700U);
    EXPECT_EQ(mode_of(path / "lock"), 0600U);
}

TEST(StateDirTest, IsTakenByOneDaemonOnly) {
    const TempDir dir;
    {
        const auto first = StateDir::take(dir.path() / "s");
        ASSERT_TRUE(first);
        const auto second = StateDir::take(dir.path() / "s");
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, Code::conflict);
    }
    EXPECT_TRUE(StateDir::take(dir.path() / "s")) << "free again";
}

TEST(StateDirTest, RefusesWhatOthersCanChange) {
    const TempDir dir;
    const auto path = dir.path() / "s";
    std::filesystem::create_directory(path);
    chmod(path.c_str(), 0777);
    const auto open = StateDir::take(path);
    ASSERT_FALSE(open);
    EXPECT_EQ(open.error().code, Code::not_authorized);
    EXPECT_NE(open.error().reason.find("chmod go-w"), std::string::npos);
    chmod(path.c_str(), 0755);
    EXPECT_TRUE(StateDir::take(path)) << "others may read the directory; its files have modes of their own";
}

TEST(StateDirTest, RefusesWhatIsNotOurs) {
    if (geteuid() != 0) {
        GTEST_SKIP() << "needs root";
    }
    const TempDir dir;
    const auto path = dir.path() / "s";
    std::filesystem::create_directory(path);
    ASSERT_EQ(chown(path.c_str(), 12345, 12345), 0);
    const auto foreign = StateDir::take(path);
    ASSERT_FALSE(foreign);
    EXPECT_NE(foreign.error().reason.find("uid 12345"), std::string::npos);
}

TEST(StateDirTest, RefusesAFileInItsPlace) {
    const TempDir dir;
    const auto file = dir.write("f", "");
    EXPECT_FALSE(StateDir::take(file));
    const auto below = StateDir::take(file / "s");
    ASSERT_FALSE(below);
    EXPECT_EQ(below.error().code, Code::not_authorized);
}

TEST(RuntimeDir, IsOpenOnlyForAGroup) {
    const TempDir dir;
    ASSERT_TRUE(make_runtime_dir(dir.path() / "own", false));
    EXPECT_EQ(mode_of(dir.path() / "own"), 0700U);
    ASSERT_TRUE(make_runtime_dir(dir.path() / "shared", true));
    EXPECT_EQ(mode_of(dir.path() / "shared"), 0755U);
    ASSERT_TRUE(make_runtime_dir(dir.path() / "own", true));
    EXPECT_EQ(mode_of(dir.path() / "own"), 0700U) << "what is there is left as it is";
    EXPECT_FALSE(make_runtime_dir(dir.write("file", "") / "x", false));
}

TEST(Process, IsPrepared) {
    const mode_t before = umask(0);
    prepare_process();
    EXPECT_EQ(umask(before), 077U);
    rlimit files{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
    EXPECT_GE(files.rlim_cur, std::min<rlim_t>(files.rlim_max, 8192));
    struct sigaction action{};
    sigaction(SIGPIPE, nullptr, &action);
    EXPECT_EQ(action.sa_handler, SIG_IGN);
}

TEST(Process, KnowsWhereItIs) {
    EXPECT_EQ(group_id("root"), 0U);
    EXPECT_FALSE(group_id("no-such-group-here"));
    EXPECT_FALSE(hostname().empty());
    EXPECT_TRUE(spark_helper().is_absolute());
    EXPECT_EQ(spark_helper().filename(), "tocsin-spark");
    EXPECT_GT(file_system_bytes("/"), 0U);
    EXPECT_EQ(file_system_bytes("/nonexistent"), 0U);
}

TEST(Process, WithoutSystemdNoSocketIsHandedOver) {
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    const auto sockets = handed_over_sockets();
    ASSERT_TRUE(sockets);
    for (const HandedOverSocket& socket : {sockets->http, sockets->notify}) {
        EXPECT_EQ(socket.fd, -1);
        EXPECT_TRUE(socket.path.empty());
    }
}

// What systemd hands over: descriptors from 3 on, named, for this pid. What was there before comes back.
class HandOver : public testing::Test {
protected:
    static constexpr int first = 3;
    static constexpr int count_max = 3;
    HandOver() {
        for (int i = 0; i < count_max; ++i) {
            saved[static_cast<std::size_t>(i)] = fcntl(first + i, F_DUPFD_CLOEXEC, 20);
        }
    }
    ~HandOver() override {
        for (int i = 0; i < count_max; ++i) {
            const int before = saved[static_cast<std::size_t>(i)];
            close(first + i);
            if (before >= 0) {
                dup2(before, first + i);
                close(before);
            }
        }
    }
    // Bound to dir/name; listens where it is a stream socket that shall.
    void offer(const std::string& file, int type, bool listening = true) {
        const int fd = fcntl(socket(AF_UNIX, type, 0), F_DUPFD, 10);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (dir.path() / file).string().copy(address.sun_path, sizeof(address.sun_path) - 1);
        ASSERT_EQ(bind(fd, std::bit_cast<const sockaddr*>(&address), sizeof(address)), 0);
        ASSERT_TRUE(type != SOCK_STREAM || !listening || listen(fd, 1) == 0);
        offered.push_back(fd);
    }
    Result<HandedOver> take(const std::string& names) {
        for (std::size_t i = 0; i < offered.size(); ++i) {
            EXPECT_GE(dup2(offered[i], first + static_cast<int>(i)), 0);
            close(offered[i]);
        }
        setenv("LISTEN_FDS", std::to_string(offered.size()).c_str(), 1);
        setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
        setenv("LISTEN_FDNAMES", names.c_str(), 1);
        return handed_over_sockets();
    }
    const TempDir dir{};
    std::vector<int> offered{};
    std::array<int, count_max> saved{};
};

TEST_F(HandOver, BothSocketsByName) {
    offer("n", SOCK_DGRAM);
    offer("h", SOCK_STREAM);
    const auto taken = take("notify:http");
    ASSERT_TRUE(taken) << taken.error().detail();
    EXPECT_EQ(taken->notify.fd, 3);
    EXPECT_EQ(taken->notify.path, dir.path() / "n");
    EXPECT_EQ(taken->http.fd, 4);
    EXPECT_EQ(taken->http.path, dir.path() / "h");
    EXPECT_EQ(getenv("LISTEN_FDS"), nullptr) << "children must not see it";
}

TEST_F(HandOver, OfOneUnitTheyShareAName) {
    offer("h", SOCK_STREAM);
    offer("n", SOCK_DGRAM);
    const auto taken = take("http:http");
    ASSERT_TRUE(taken) << taken.error().detail();
    EXPECT_EQ(taken->http.fd, 3);
    EXPECT_EQ(taken->notify.fd, 4);
}

TEST_F(HandOver, TheNameDecidesAmongSeveral) {
    offer("a", SOCK_STREAM);
    offer("b", SOCK_STREAM);
    const auto taken = take("other:http");
    ASSERT_TRUE(taken) << taken.error().detail();
    EXPECT_EQ(taken->http.fd, 4);
    EXPECT_EQ(taken->notify.fd, -1);
    EXPECT_EQ(fcntl(3, F_GETFD), -1) << "what nobody wants is closed";
}

TEST_F(HandOver, ASocketThatDoesNotListenIsRefused) {
    offer("h", SOCK_STREAM, false);
    const auto taken = take("http");
    ASSERT_FALSE(taken);
    EXPECT_NE(taken.error().reason.find("tocsind.socket"), std::string::npos);
}

TEST(Logging, AMessageIsOneLine) {
    EXPECT_EQ(log::one_line("plain · ümlaut"), "plain · ümlaut");
    EXPECT_EQ(log::one_line("a\nb\tc\x1b[0m\x7f"), "a\\nb\\tc\\x1b[0m\\x7f");
    EXPECT_EQ(log::one_line(std::string(100'000, 'x')).size(), 8'192U);
}

TEST(Logging, LevelsAreSyslogsPriorities) {
    EXPECT_EQ(log::priority_prefix("debug"), "<7>");
    EXPECT_EQ(log::priority_prefix("info"), "<6>");
    EXPECT_EQ(log::priority_prefix("warning"), "<4>");
    EXPECT_EQ(log::priority_prefix("error"), "<3>");
    EXPECT_EQ(log::priority_prefix("critical"), "<2>");
}

TEST(Logging, ReadsTheJournalsStream) {
    EXPECT_EQ(log::parse_journal_stream("9:12345"), (std::pair<dev_t, ino_t>(9, 12345)));
    for (const char* text : {"", "9", "9:", ":9", "a:b", "9:12x", "-1:2"}) {
        EXPECT_FALSE(log::parse_journal_stream(text)) << text;
    }
}

} // namespace
} // namespace tocsin::daemon
