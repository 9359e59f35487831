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
#include <sys/un.h>

namespace tocsin::jobs::test {
namespace {

using protocol::Message;

// Starts the helper with `input` as its stdin.
pid_t start_helper(int input, std::vector<std::string> arguments = {}, std::vector<std::string> environment = {}) {
    std::string program = helper_path();
    std::vector<char*> argv{program.data()};
    for (auto& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    const char* const set = std::getenv("TMPDIR");
    environment.push_back(std::string("TMPDIR=") + (set != nullptr ? set : "/tmp"));
    std::vector<char*> envp;
    for (auto& variable : environment) {
        envp.push_back(variable.data());
    }
    envp.push_back(nullptr);
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
        pid_ = start_helper(theirs.get());
        const auto hello = wait_for<protocol::Hello>();
        EXPECT_EQ(hello.pid, static_cast<std::uint32_t>(pid_));
        EXPECT_EQ(hello.release, TOCSIN_VERSION);
        EXPECT_EQ(hello.unlimited, "") << "nobody promised limits";
    }
    void TearDown() override {
        socket_.reset();
        if (pid_ > 0) {
            EXPECT_EQ(exit_code(pid_), 0);
        }
        EXPECT_EQ(left_behind(), 0U) << "a working directory";
    }

    protocol::Run request(const std::string& name) const {
        return {.job_id = 1,
                .attempt = 1,
                .script = name,
                .path = (root_.path() / "spark.d" / name).string(),
                .owner_uid = ::geteuid(),
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
    Fd lock_file() const { return Fd(::open((root_.path() / "lock").c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600)); }
    void send(const Message& message) {
        EXPECT_EQ(send_packet(socket_.get(), protocol::encode(message)), PacketStatus::ok);
    }
    void send_run(const protocol::Run& run, const Fd& event) {
        const Fd lock = lock_file();
        const std::array<int, 2> descriptors{event.get(), lock.get()};
        EXPECT_EQ(send_packet(socket_.get(), protocol::encode(run), descriptors), PacketStatus::ok);
    }
    void send_run(const protocol::Run& run) { send_run(run, event_file("{}")); }
    // The next message; nullopt when the helper closed.
    std::optional<Message> next() {
        pollfd watched{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        EXPECT_EQ(::poll(&watched, 1, 30'000), 1) << "it says nothing";
        Packet packet = receive_packet(socket_.get());
        descriptors_ = std::move(packet.descriptors);
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
    std::vector<Fd> descriptors_{}; // of the last message
};

std::string content(int fd) {
    std::string text(1'000, '\0');
    const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
    return text.substr(0, size > 0 ? static_cast<std::size_t>(size) : 0);
}

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
    send_run(request("s"), open);
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
    send_run(request("s"), read);
    expect_refusal("sealed");
}

TEST_F(Helper, TheDirectoryIsItsOwnAndGoes) {
    script("s", "ls -A; stat -c %a .; pwd > NOTES/pwd");
    send_run(request("s"));
    EXPECT_EQ(wait_for<protocol::Output>().bytes, "700\n");
    wait_for<protocol::Ended>();
    EXPECT_TRUE(read_file(notes("pwd")).starts_with((root_.path() / "tmp/tocsin-spark-").string()));
    EXPECT_EQ(left_behind(), 0U) << "it goes before the end is told";
}

TEST_F(Helper, ATreeOfAnyDepthAndModeGoes) {
    script("s", R"(cat > make.py <<'END'
import os
top = os.getcwd()
for i in range(300):
    os.mkdir("d"); os.chdir("d")
    open("f", "w").close()
os.chdir(top)
os.mkdir("locked"); open("locked/f", "w").close(); os.chmod("locked", 0); os.chmod(".", 0o500)
END
python3 -I -S make.py)");
    send_run(request("s"));
    while (auto message = next()) {
        if (const auto* ended = std::get_if<protocol::Ended>(&*message)) {
            EXPECT_GT(ended->products_dropped, 0U) << "it lies too deep";
        } else if (std::holds_alternative<protocol::Product>(*message)) {
            send(protocol::Taken{});
        }
    }
    EXPECT_EQ(left_behind(), 0U);
}

TEST_F(Helper, ProductsComeOneByOneSealed) {
    script("s", "mkdir d; echo b > d/b; echo a > a; ln -s /etc/passwd link; mkfifo pipe; ln -s d also");
    send_run(request("s"));
    EXPECT_EQ(wait_for<protocol::Product>(), (protocol::Product{"a", 2}));
    ASSERT_EQ(descriptors_.size(), 1U);
    EXPECT_EQ(content(descriptors_[0].get()), "a\n");
    EXPECT_EQ(::fcntl(descriptors_[0].get(), F_GET_SEALS), F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    pollfd watched{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&watched, 1, 100), 0) << "it did not wait until the first was taken";
    send(protocol::Taken{});
    EXPECT_EQ(wait_for<protocol::Product>(), (protocol::Product{"d/b", 2}));
    EXPECT_EQ(content(descriptors_[0].get()), "b\n");
    send(protocol::Taken{});
    const auto ended = wait_for<protocol::Ended>();
    EXPECT_EQ(ended.products_dropped, 3U);
    EXPECT_NE(ended.dropped_reason.find("regular"), std::string::npos) << ended.dropped_reason;
}

TEST_F(Helper, NoMoreProductsThanAreWanted) {
    script("s", "echo 1 > 1; echo 2 > 2; echo 3 > 3");
    send_run(request("s"));
    wait_for<protocol::Product>();
    send(protocol::Taken{.enough = true});
    const auto ended = wait_for<protocol::Ended>();
    EXPECT_EQ(ended.outcome, protocol::Outcome::exited);
    EXPECT_EQ(ended.products_dropped, 2U) << "what was not sent is said";
    EXPECT_NE(ended.dropped_reason.find("keeps no more"), std::string::npos) << ended.dropped_reason;
}

TEST_F(Helper, ProductsAreBounded) {
    script("s", "i=0; while [ $i -lt 300 ]; do : > f$i; i=$((i+1)); done; truncate -s 65M a");
    send_run(request("s"));
    std::size_t products = 0;
    while (auto message = next()) {
        if (std::holds_alternative<protocol::Product>(*message)) {
            ++products;
            send(protocol::Taken{});
        } else if (const auto* ended = std::get_if<protocol::Ended>(&*message)) {
            EXPECT_EQ(ended->products_dropped, 301 - protocol::product_files_max + 1);
        }
    }
    EXPECT_EQ(products, protocol::product_files_max - 1) << "the large one is not sent";
}

TEST_F(Helper, AStopWhileAProductIsWithTheDaemonEndsIt) {
    script("s", "echo 1 > 1; echo 2 > 2");
    send_run(request("s"));
    wait_for<protocol::Product>();
    send(protocol::Stop{0});
    EXPECT_EQ(wait_for<protocol::Ended>().outcome, protocol::Outcome::exited);
}

TEST_F(Helper, ADaemonThatGoesAwayWithAProductLeavesNothing) {
    script("s", "echo 1 > 1");
    send_run(request("s"));
    wait_for<protocol::Product>();
    socket_.reset();
    EXPECT_EQ(exit_code(pid_), 0);
    pid_ = 0;
}

TEST_F(Helper, LimitsAreHardAndCoresOff) {
    script("s", R"(all=$(for i in v f n c; do ulimit -H$i; ulimit -S$i; done); echo "$all")"); // one write, one packet
    protocol::Run run = request("s");
    run.limits = {.memory_bytes = 1'024'000'000, .file_bytes = 51'200, .open_files = 100};
    send_run(run);
    EXPECT_EQ(wait_for<protocol::Output>().bytes, "1000000\n1000000\n100\n100\n100\n100\n0\n0\n");
    wait_for<protocol::Ended>();
}

TEST_F(Helper, ADaemonOfAnotherVersionIsToldSo) {
    std::string packet = protocol::encode(protocol::Stop{0});
    packet[0] = protocol::version + 1;
    ASSERT_EQ(send_packet(socket_.get(), packet), PacketStatus::ok);
    expect_refusal("another version");
}

TEST_F(Helper, AnEarlierRunHoldsTheLock) {
    script("s", "echo mine");
    Fd lock = lock_file();
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
    const Fd lock = lock_file();
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
        const pid_t pid = start_helper(theirs.get());
        theirs.reset();
        const Fd event = event_file("{}");
        const Fd lock = lock_file();
        const std::array<int, 2> descriptors{event.get(), lock.get()};
        ASSERT_EQ(send_packet(ours.get(), protocol::encode(request("s")), descriptors), PacketStatus::ok);
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

TEST_F(Helper, TheServiceManagerIsToldThatItLives) {
    const std::string name = (root_.path() / "notify").string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const Fd notified(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(notified.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    Fd ours(ends[0]);
    Fd theirs(ends[1]);
    const pid_t pid = start_helper(theirs.get(), {}, {"NOTIFY_SOCKET=" + name, "WATCHDOG_USEC=20000"});
    theirs.reset();
    for (int i = 0; i < 3; ++i) {
        pollfd watched{.fd = notified.get(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(::poll(&watched, 1, 30'000), 1) << "sign " << i;
        std::array<char, 64> text{};
        ASSERT_GT(::read(notified.get(), text.data(), text.size()), 0);
        EXPECT_STREQ(text.data(), "WATCHDOG=1");
    }
    ours.reset();
    EXPECT_EQ(exit_code(pid), 0);
}

TEST(HelperAlone, WithoutASocketItExplainsItself) {
    const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(exit_code(start_helper(null.get())), 2);
    EXPECT_EQ(exit_code(start_helper(null.get(), {"--version"})), 0);
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const Fd ours(ends[0]);
    const Fd theirs(ends[1]);
    EXPECT_EQ(exit_code(start_helper(theirs.get())), 2) << "a stream keeps no packets";
}

} // namespace
} // namespace tocsin::jobs::test
