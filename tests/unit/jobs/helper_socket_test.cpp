// SPDX-License-Identifier: Apache-2.0
// The helper behind a socket: found, missing, of another version, gone in the middle. The other end is played here;
// real helpers behind a socket run in tests/integration.
#include "site.hpp"

#include "jobs/helper_socket.hpp"
#include "jobs/packet.hpp"
#include "jobs/protocol.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tocsin::jobs::test {
namespace {

// Accepts one connection after the other.
class Listener {
public:
    explicit Listener(const fs::path& path) : fd_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
        EXPECT_EQ(::listen(fd_.get(), 8), 0);
    }
    bool accept(Fd& connection) const {
        connection = Fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        return connection.valid();
    }

private:
    Fd fd_;
};

class HelperSocket : public Site {
protected:
    HelperSocket() { settings_.helper_socket = root_.path() / "spark.sock"; }

    void expect_socket(const std::string& socket, std::string_view script) {
        EXPECT_EQ(helper_socket_for(settings_, script), socket);
    }
    Fd accept(const Listener& listener) {
        Fd connection;
        EXPECT_TRUE(run_until(io_, [&listener, &connection] { return listener.accept(connection); }));
        return connection;
    }
    // Past the look at the start.
    void start_probed(const Listener& listener, const protocol::Hello& hello = {7, "x", ""}) {
        start();
        service_->on_helper([this](const HelperState& state) { states_.push_back(state); });
        const Fd probe = accept(listener);
        say(probe, hello);
        EXPECT_TRUE(run_until(io_, [&probe] { return receive_packet(probe.get()).status == PacketStatus::closed; }));
    }
    static void say(const Fd& connection, const protocol::Message& message) {
        EXPECT_EQ(send_packet(connection.get(), protocol::encode(message)), PacketStatus::ok);
    }
    // Hello, and the request that comes upon it.
    Packet greet(const Fd& connection, const protocol::Hello& hello = {7, "x", ""}) {
        say(connection, hello);
        Packet packet;
        EXPECT_TRUE(run_until(io_, [&connection, &packet] {
            packet = receive_packet(connection.get());
            return packet.status == PacketStatus::ok;
        }));
        return packet;
    }

    std::vector<HelperState> states_{};
};

TEST_F(HelperSocket, IsTheScriptsOwnOrTheUsualOrNone) {
    expect_socket("", "report");
    settings_.helper_socket_required = true;
    expect_socket(settings_.helper_socket.string(), "report");
    settings_.helper_socket_required = false;
    const Listener usual(settings_.helper_socket);
    expect_socket(settings_.helper_socket.string(), "report");
    std::ofstream(root_.path() / "spark-plain.sock") << "a file";
    expect_socket(settings_.helper_socket.string(), "plain");
    const Listener own(root_.path() / "spark-report.sock");
    expect_socket((root_.path() / "spark-report.sock").string(), "report");
    expect_socket(settings_.helper_socket.string(), std::string(250, 'x'));
    settings_.helper_socket.clear();
    expect_socket("", "report");
}

TEST_F(HelperSocket, ARunOverIt) {
    script("s", "exit 0");
    const Listener listener(settings_.helper_socket);
    start_probed(listener);
    const auto index = submit("s");
    const Fd helper = accept(listener);
    const Packet packet = greet(helper, {4711, "x", ""});
    EXPECT_EQ(packet.descriptors.size(), 2U) << "the event and the lock";
    const auto run = protocol::decode(packet.bytes);
    ASSERT_TRUE(run && std::holds_alternative<protocol::Run>(*run));
    EXPECT_EQ(job_of(index)->pid, 4711U);
    say(helper, protocol::Started{4712});
    say(helper, protocol::Output{"out"});
    EXPECT_TRUE(run_until(io_, [this, index] { return output_of(*job_of(index)) == "out"; })) << "while it runs";
    say(helper, protocol::Ended{.outcome = protocol::Outcome::exited, .output_bytes = 3});
    EXPECT_EQ(await_end(index).state, JobState::succeeded);
    EXPECT_EQ(states_.back(), HelperState{});
}

// As whom this process says something: root becomes somebody else for one packet, as the kernel sees it.
void say_as(const Fd& connection, uid_t uid, const protocol::Message& message) {
    ASSERT_EQ(::seteuid(uid), 0);
    iovec piece{};
    std::string bytes = protocol::encode(message);
    piece.iov_base = bytes.data();
    piece.iov_len = bytes.size();
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> space{};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = space.data();
    header.msg_controllen = space.size();
    cmsghdr* const control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_CREDENTIALS;
    control->cmsg_len = CMSG_LEN(sizeof(ucred));
    const ucred sender{.pid = ::getpid(), .uid = uid, .gid = ::getgid()};
    std::memcpy(CMSG_DATA(control), &sender, sizeof sender);
    EXPECT_GT(::sendmsg(connection.get(), &header, 0), 0);
    ASSERT_EQ(::seteuid(0), 0);
}

TEST_F(HelperSocket, AReportIsTheAffairOfTheUserThatRunsTheScript) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can be somebody else";
    }
    constexpr std::uint32_t user = 61'184;
    script("s", "exit 0");
    const Listener listener(settings_.helper_socket);
    start_probed(listener);
    const auto index = submit("s");
    const Fd helper = accept(listener);
    EXPECT_FALSE(service_->runs_as(index, user)) << "nobody said hello";
    say_as(helper, user, protocol::Hello{4711, "x", ""});
    EXPECT_TRUE(run_until(io_, [&helper] { return receive_packet(helper.get()).status == PacketStatus::ok; }));
    EXPECT_TRUE(service_->runs_as(index, user));
    EXPECT_FALSE(service_->runs_as(index, user + 1)) << "another user";
    EXPECT_FALSE(service_->runs_as(index + 1, user)) << "another's event";
    say(helper, protocol::Ended{.outcome = protocol::Outcome::exited});
    await_end(index);
    EXPECT_FALSE(service_->runs_as(index, user)) << "after the end";
}

TEST_F(HelperSocket, RootIsNotTakenForAScript) {
    script("s", "exit 0");
    const Listener listener(settings_.helper_socket);
    start_probed(listener);
    const auto index = submit("s");
    const Fd helper = accept(listener);
    greet(helper);
    EXPECT_FALSE(service_->runs_as(index, ::geteuid()));
    say(helper, protocol::Ended{.outcome = protocol::Outcome::exited});
    await_end(index);
}

TEST_F(HelperSocket, LimitsThatDoNotBindAreToldUntilTheyDo) {
    script("s", "exit 0");
    const Listener listener(settings_.helper_socket);
    start_probed(listener, {7, "x", "memory"});
    ASSERT_TRUE(run_until(io_, [this] { return states_.back().unlimited.find("memory") != std::string::npos; }));
    const auto index = submit("s");
    const Fd helper = accept(listener);
    greet(helper);
    say(helper, protocol::Ended{.outcome = protocol::Outcome::exited});
    await_end(index);
    EXPECT_EQ(states_.back(), HelperState{});
}

TEST_F(HelperSocket, ClosedBeforeTheHelloIsTriedAgain) {
    script("s", "exit 0");
    const Listener listener(settings_.helper_socket);
    start_probed(listener);
    const auto index = submit("s");
    accept(listener).reset();
    const Fd helper = accept(listener);
    greet(helper);
    say(helper, protocol::Ended{.outcome = protocol::Outcome::exited});
    EXPECT_EQ(await_end(index).attempt, 1U) << "nothing had begun";
}

TEST_F(HelperSocket, GoneInTheMiddleIsAFailure) {
    script("s", "exit 0");
    const Listener listener(settings_.helper_socket);
    start_probed(listener);
    const auto index = submit("s");
    Fd helper = accept(listener);
    greet(helper);
    say(helper, protocol::Started{4712});
    helper.reset();
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_NE(job.reason.find("without a word"), std::string::npos) << job.reason;
}

TEST_F(HelperSocket, AnotherVersionIsSaid) {
    script("s", "exit 0");
    const Listener listener(settings_.helper_socket);
    start_probed(listener);
    const auto index = submit("s");
    const Fd helper = accept(listener);
    greet(helper);
    std::string packet = protocol::encode(protocol::Started{1});
    packet[0] = protocol::version + 1;
    ASSERT_EQ(send_packet(helper.get(), packet), PacketStatus::ok);
    EXPECT_NE(await_end(index).reason.find("another version"), std::string::npos) << job_of(index)->reason;
}

TEST_F(HelperSocket, NobodyThereFailsTheJobAfterAWhile) {
    script("s", "exit 0");
    settings_.helper_socket_required = true;
    start();
    service_->on_helper([this](const HelperState& state) { states_.push_back(state); });
    const auto index = submit("s");
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_NE(job.reason.find("tocsin-spark.socket"), std::string::npos) << job.reason;
    EXPECT_FALSE(job.exit_status);
    EXPECT_NE(states_.back().unusable.find("is not there"), std::string::npos) << states_.back().unusable;
    EXPECT_TRUE(processes_with(marker()).empty()) << "it started one itself";
}

TEST_F(HelperSocket, CancelWhileItWaitsForOne) {
    script("s", "exit 0");
    settings_.helper_socket_required = true;
    start();
    service_->on_helper([this](const HelperState& state) { states_.push_back(state); });
    const Job job = await(submit("s"), JobState::running);
    const auto cancelled = cancel(job.id);
    ASSERT_TRUE(cancelled);
    EXPECT_EQ(cancelled->state, JobState::cancelled);
    EXPECT_EQ(states_.back().unusable.find("stopped"), std::string::npos) << states_.back().unusable;
}

TEST_F(HelperSocket, AStopClosesIt) {
    script("s", "exit 0");
    settings_.kill_after_us = 0;
    const Listener listener(settings_.helper_socket);
    start_probed(listener);
    submit("s");
    const Fd helper = accept(listener);
    greet(helper);
    bool stopped = false;
    service_->stop([&stopped] { stopped = true; });
    std::vector<PacketStatus> statuses;
    EXPECT_TRUE(run_until(io_, [&helper, &statuses, &stopped] {
        statuses.push_back(receive_packet(helper.get()).status);
        return stopped;
    })) << "a helper that does not answer holds up nobody";
    EXPECT_TRUE(std::ranges::count(statuses, PacketStatus::ok) == 1) << "it was told to stop";
}

TEST_F(HelperSocket, AHostileHelperCannotHarm) {
    script("s", "exit 0");
    const Listener listener(settings_.helper_socket);
    start_probed(listener);
    const auto index = submit("s");
    const Fd helper = accept(listener);
    greet(helper);
    say(helper, protocol::Hello{1, "again", ""});
    say(helper, protocol::Product{"x", 1}); // without a descriptor
    for (int i = 0; i < 20; ++i) {
        say(helper, protocol::Output{std::string(protocol::output_chunk_bytes, 'x')});
        EXPECT_TRUE(run_until(io_, [] { return true; }));
        io_.restart();
        io_.poll();
    }
    say(helper, protocol::Ended{.outcome = protocol::Outcome::exited});
    const Job job = await_end(index);
    EXPECT_EQ(output_of(job)->size(), limits::job_output_bytes);
    EXPECT_NE(job.reason.find("descriptor did not arrive"), std::string::npos) << job.reason;
}

} // namespace
} // namespace tocsin::jobs::test
