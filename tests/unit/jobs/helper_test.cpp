// SPDX-License-Identifier: Apache-2.0
// The helper by itself, spoken to over its socket as systemd would start it: requests it must refuse, and what it says
// when.
#include "site.hpp"

#include "jobs/packet.hpp"
#include "jobs/protocol.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace tocsin::jobs::test {
namespace {

using protocol::Message;

// Starts the helper with `input` as its stdin.
pid_t spawn_helper(int input, std::vector<std::string> arguments = {}) {
    std::string program = helper_path();
    std::vector<char*> argv{program.data()};
    for (auto& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    std::array<char*, 1> envp{nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
        ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
    }
    pid_t pid = 0;
    EXPECT_EQ(::posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), envp.data()), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    return pid;
}

int exit_code(pid_t pid) {
    int status = 0;
    return ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class Helper : public Site {
protected:
    void SetUp() override {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
        socket_ = Fd(ends[0]);
        const Fd theirs(ends[1]);
        pid_ = spawn_helper(theirs.get());
        ASSERT_EQ(::mkdir(settings_.products.c_str(), 0700), 0);
        directory_ = (settings_.products / "1").string();
        ASSERT_EQ(::mkdir(directory_.c_str(), 0700), 0);
    }
    void TearDown() override {
        socket_.reset();
        if (pid_ > 0) {
            EXPECT_EQ(exit_code(pid_), 0);
        }
    }

    protocol::Run request(const std::string& name) const {
        return {.job_id = 1,
                .attempt = 1,
                .script = name,
                .path = (root_.path() / "spark.d" / name).string(),
                .owner_uid = ::geteuid(),
                .directory = directory_,
                .socket = settings_.socket,
                .event_index = 1,
                .event_name = "e",
                .event_src = "s",
                .event_scid = 0,
                .event_time = "2026-01-02T03:00:04.000000Z",
                .event_severity = "info",
                .timeout_us = 20'000'000,
                .kill_after_us = 200'000,
                .output_bytes = 100};
    }
    static Fd event_file(std::string_view text, int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) {
        Fd file(::memfd_create("event", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
        EXPECT_EQ(::fcntl(file.get(), F_ADD_SEALS, seals), 0);
        return file;
    }
    void send(const Message& message, int fd = -1) {
        EXPECT_EQ(send_packet(socket_.get(), protocol::encode(message), fd), PacketStatus::ok);
    }
    void send_run(const protocol::Run& run) {
        const Fd event = event_file("{}");
        send(run, event.get());
    }
    // The next message; nullopt when the helper closed.
    std::optional<Message> next() {
        pollfd watched{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        EXPECT_EQ(::poll(&watched, 1, 30'000), 1) << "it says nothing";
        const Packet packet = receive_packet(socket_.get());
        if (packet.status != PacketStatus::ok) {
            return std::nullopt;
        }
        auto message = protocol::decode(packet.bytes);
        EXPECT_TRUE(message);
        return message ? std::optional(std::move(*message)) : std::nullopt;
    }
    // Everything up to the end.
    std::vector<Message> all() {
        std::vector<Message> messages;
        while (auto message = next()) {
            messages.push_back(std::move(*message));
        }
        return messages;
    }
    template <typename T> T wait_for() {
        while (auto message = next()) {
            if (auto* wanted = std::get_if<T>(&*message)) {
                return std::move(*wanted);
            }
        }
        ADD_FAILURE() << "the helper closed without saying it";
        return {};
    }
    void expect_refusal(const std::string& word) {
        const auto messages = all();
        ASSERT_EQ(messages.size(), 1U);
        const auto* ended = std::get_if<protocol::Ended>(messages.data());
        ASSERT_NE(ended, nullptr);
        EXPECT_EQ(ended->outcome, protocol::Outcome::not_started);
        EXPECT_NE(ended->reason.find(word), std::string::npos) << ended->reason;
    }

    Fd socket_{};
    pid_t pid_ = 0;
    std::string directory_{};
};

TEST_F(Helper, SaysEverythingInOrder) {
    script("s", "echo '{}' >&3; echo out; exit 4");
    send_run(request("s"));
    const auto messages = all();
    ASSERT_EQ(messages.size(), 4U);
    EXPECT_GT(std::get<protocol::Started>(messages[0]).pid, 1U);
    EXPECT_EQ(std::get<protocol::Output>(messages[1]).bytes, "out\n");
    EXPECT_EQ(std::get<protocol::Report>(messages[2]).line, "{}\n");
    EXPECT_EQ(std::get<protocol::Ended>(messages[3]),
              (protocol::Ended{.outcome = protocol::Outcome::exited, .code = 4, .output_bytes = 4}));
}

TEST_F(Helper, KeepsAsMuchOutputAsItWasTold) {
    script("s", "head -c 1000 /dev/zero | tr '\\0' x");
    send_run(request("s"));
    std::string output;
    for (const Message& message : all()) {
        if (const auto* piece = std::get_if<protocol::Output>(&message)) {
            output += piece->bytes;
        } else if (const auto* ended = std::get_if<protocol::Ended>(&message)) {
            EXPECT_EQ(ended->output_bytes, 1'000U);
            EXPECT_TRUE(ended->truncated);
        }
    }
    EXPECT_EQ(output, std::string(100, 'x'));
}

TEST_F(Helper, TheEventMustBeSealed) {
    script("s", "exit 0");
    const Fd open = event_file("{}", F_SEAL_SHRINK | F_SEAL_GROW);
    send(request("s"), open.get());
    expect_refusal("sealed");
}

TEST_F(Helper, TheEventMustBeThere) {
    script("s", "exit 0");
    send(request("s"));
    expect_refusal("sealed");
}

TEST_F(Helper, APipeIsNoEvent) {
    script("s", "exit 0");
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Fd read(ends[0]);
    const Fd write(ends[1]);
    send(request("s"), read.get());
    expect_refusal("sealed");
}

TEST_F(Helper, TheDirectoryMustBeItsOwn) {
    script("s", "exit 0");
    ::chmod(directory_.c_str(), 0750);
    send_run(request("s"));
    expect_refusal("0700");
}

TEST_F(Helper, TheDirectoryIsNoLink) {
    script("s", "exit 0");
    protocol::Run run = request("s");
    run.directory = (settings_.products / "link").string();
    ASSERT_EQ(::symlink("1", run.directory.c_str()), 0);
    send_run(run);
    expect_refusal("link");
}

TEST_F(Helper, TheDirectoryIsEmptiedFirst) {
    script("s", "ls -A");
    std::error_code error;
    fs::create_directories(directory_ + "/a/b/c", error);
    std::ofstream(directory_ + "/a/b/file") << "old";
    ASSERT_EQ(::symlink(notes("").c_str(), (directory_ + "/out").c_str()), 0);
    std::ofstream(notes("precious")) << "kept";
    send_run(request("s"));
    EXPECT_EQ(wait_for<protocol::Ended>().output_bytes, 0U);
    EXPECT_EQ(read_file(notes("precious")), "kept") << "it followed a link";
}

TEST_F(Helper, AnEarlierRunHoldsTheDirectory) {
    script("s", "echo mine");
    Fd lock(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(::flock(lock.get(), LOCK_EX | LOCK_NB), 0);
    send_run(request("s"));
    pollfd watched{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&watched, 1, 100), 0) << "it did not wait for the earlier run";
    lock.reset();
    EXPECT_EQ(wait_for<protocol::Output>().bytes, "mine\n");
    wait_for<protocol::Ended>();
}

TEST_F(Helper, StoppedWhileItWaitsForAnEarlierRun) {
    script("s", "exit 0");
    const Fd lock(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(::flock(lock.get(), LOCK_EX | LOCK_NB), 0);
    send_run(request("s"));
    send(protocol::Stop{0});
    expect_refusal("before it began");
}

TEST_F(Helper, TheScriptIsCheckedAgain) {
    script("s", "exit 0", 0777);
    send_run(request("s"));
    expect_refusal("written by others");
}

TEST_F(Helper, TheOwnerIsWhoTheRequestSays) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give files away";
    }
    script("s", "exit 0");
    const std::string path = (root_.path() / "spark.d/s").string();
    ASSERT_EQ(::chown(path.c_str(), 4711, 4711), 0);
    send_run(request("s"));
    expect_refusal("belongs to uid 4711");
}

TEST_F(Helper, StopIsTermThenKill) {
    script("s", "trap 'echo told' TERM; echo ready; while :; do :; done");
    send_run(request("s"));
    EXPECT_EQ(wait_for<protocol::Output>().bytes, "ready\n");
    send(protocol::Stop{1'000'000});
    EXPECT_EQ(wait_for<protocol::Output>().bytes, "told\n");
    const auto ended = wait_for<protocol::Ended>();
    EXPECT_EQ(ended.cause, protocol::Cause::stopped);
    EXPECT_EQ(ended.code, SIGKILL);
}

TEST_F(Helper, ASecondStopShortensTheGrace) {
    script("s", "trap '' TERM; echo ready; while :; do :; done");
    send_run(request("s"));
    wait_for<protocol::Output>();
    send(protocol::Stop{3'600'000'000});
    send(protocol::Stop{0});
    EXPECT_EQ(wait_for<protocol::Ended>().code, SIGKILL);
}

TEST_F(Helper, ASecondRequestIsIgnored) {
    script("s", "echo once >> NOTES/count");
    send_run(request("s"));
    send_run(request("s"));
    wait_for<protocol::Ended>();
    EXPECT_EQ(read_file(notes("count")), "once\n");
}

TEST_F(Helper, WhatIsNotOfTheProtocolEndsTheTree) {
    script("s", "echo ready; while :; do :; done");
    send_run(request("s"));
    wait_for<protocol::Output>();
    ASSERT_EQ(send_packet(socket_.get(), "nonsense"), PacketStatus::ok);
    EXPECT_EQ(exit_code(pid_), 0);
    pid_ = 0;
    EXPECT_TRUE(processes_with(marker()).empty());
}

TEST_F(Helper, AClosedSocketEndsTheTree) {
    script("s", "trap '' TERM; echo ready; while :; do :; done");
    send_run(request("s"));
    wait_for<protocol::Output>();
    socket_.reset();
    EXPECT_EQ(exit_code(pid_), 0);
    pid_ = 0;
    EXPECT_TRUE(processes_with(marker()).empty());
}

// The socket closes at any moment of the start: there is never a script without somebody who would end it.
TEST_F(Helper, AClosedSocketAtAnyMomentEndsTheTree) {
    script("s", "while :; do :; done");
    for (int round = 0; round < 60; ++round) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
        Fd ours(ends[0]);
        Fd theirs(ends[1]);
        const pid_t pid = spawn_helper(theirs.get());
        theirs.reset();
        const Fd event = event_file("{}");
        ASSERT_EQ(send_packet(ours.get(), protocol::encode(request("s")), event.get()), PacketStatus::ok);
        pollfd watched{.fd = ours.get(), .events = 0, .revents = 0};
        ::poll(&watched, 1, round % 6); // some milliseconds into it
        ours.reset();
        ASSERT_EQ(exit_code(pid), 0) << round;
        ASSERT_TRUE(processes_with(marker()).empty()) << round;
    }
}

TEST_F(Helper, ItNeverWaitsForAReader) {
    script("s", "echo out; touch NOTES/done");
    send_run(request("s"));
    EXPECT_TRUE(run_until(io_, [this] { return !::access(notes("done").c_str(), F_OK); }));
    EXPECT_TRUE(run_until(io_, [this] { return processes_with(marker()).empty(); }));
    EXPECT_EQ(exit_code(pid_), 0) << "what it said is in the socket";
    pid_ = 0;
    EXPECT_EQ(all().size(), 3U);
}

TEST(HelperAlone, WithoutASocketItExplainsItself) {
    const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(exit_code(spawn_helper(null.get())), 2);
    EXPECT_EQ(exit_code(spawn_helper(null.get(), {"--version"})), 0);
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const Fd ours(ends[0]);
    const Fd theirs(ends[1]);
    EXPECT_EQ(exit_code(spawn_helper(theirs.get())), 2) << "a stream keeps no packets";
}

} // namespace
} // namespace tocsin::jobs::test
