// SPDX-License-Identifier: Apache-2.0
// Directories and what is refused about them; the log's line format.
#include "daemon/process.hpp"

#include "daemon/logging.hpp"
#include "tests/unit/daemon/temp_dir.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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
    const auto socket = handed_over_socket();
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->fd, -1);
    EXPECT_TRUE(socket->path.empty());
}

// Handed over as systemd does it: descriptor 3 on, named, for this pid.
void hand_over(const std::filesystem::path& path, bool listening) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    unlink(path.c_str());
    ASSERT_EQ(bind(fd, std::bit_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_TRUE(!listening || listen(fd, 1) == 0);
    ASSERT_EQ(dup2(fd, 3), 3);
    if (fd != 3) {
        close(fd);
    }
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDNAMES", "http", 1);
}

TEST(Process, TakesTheSocketThatSystemdHandsOver) {
    const TempDir dir;
    const auto path = dir.path() / "h.sock";
    const int saved = fcntl(3, F_DUPFD_CLOEXEC, 10);
    hand_over(path, true);
    const auto taken = handed_over_socket();
    ASSERT_TRUE(taken) << taken.error().detail();
    EXPECT_EQ(taken->fd, 3);
    EXPECT_EQ(taken->path, path);
    EXPECT_EQ(getenv("LISTEN_FDS"), nullptr) << "children must not see it";
    hand_over(path, false);
    EXPECT_FALSE(handed_over_socket()) << "it does not listen";
    if (saved >= 0) {
        dup2(saved, 3);
        close(saved);
    }
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
