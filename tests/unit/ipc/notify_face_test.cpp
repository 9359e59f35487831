// SPDX-License-Identifier: Apache-2.0
// What becomes of a datagram, and the socket with senders of its own process.
#include "ipc/notify/face.hpp"

#include "notify_fakes.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>

namespace tocsin::ipc::notify {
namespace {

constexpr std::int64_t second = 1'000'000;

class NotifyFace : public ::testing::Test {
protected:
    NotifyFace() {
        face->on_trouble([this](const std::string& message) { troubles.push_back(message); });
        face->on_dropped([this](const tocsin::Sender& sender) { dropped.push_back(sender.uid); });
    }
    Datagram datagram(std::string bytes) const {
        Datagram made;
        made.bytes = std::move(bytes);
        made.credentials = ucred{.pid = ::getpid(), .uid = ::getuid(), .gid = ::getgid()};
        return made;
    }
    void take(const std::string& bytes) {
        Datagram made = datagram(bytes);
        face->take(made);
    }
    Beat last() const { return heartbeats.beats_seen.empty() ? Beat{} : heartbeats.beats_seen.back(); }

    test::FakeClock clock{};
    test::FakeHeartbeats heartbeats{};
    std::shared_ptr<Face> face = std::make_shared<Face>(heartbeats, clock, "/nonexistent");
    std::vector<std::string> troubles{};
    std::vector<std::optional<std::uint32_t>> dropped{};
};

TEST_F(NotifyFace, ADatagramIsOneBeat) {
    take("WATCHDOG=1\nWATCHDOG_USEC=20000000\nSTATUS=warm\nREADY=1");
    ASSERT_EQ(heartbeats.beats_seen.size(), 1U);
    EXPECT_FALSE(last().key.source.empty());
    EXPECT_EQ(last().key.scid, 0);
    EXPECT_EQ(last().kind, BeatKind::ok);
    EXPECT_EQ(last().interval_us, 20 * second);
    EXPECT_EQ(last().status, "warm");
    EXPECT_EQ(last().time_us, clock.wall);
    EXPECT_EQ(face->counts().taken, 1U);
    EXPECT_TRUE(troubles.empty());
}

TEST_F(NotifyFace, KindsOfBeats) {
    take("READY=1");
    EXPECT_EQ(last().kind, BeatKind::ok);
    take("WATCHDOG=1\nWATCHDOG=trigger");
    EXPECT_EQ(last().kind, BeatKind::fail);
    take("STATUS=thinking");
    EXPECT_EQ(last().kind, BeatKind::note);
    EXPECT_EQ(last().uid, ::getuid()) << "who may beat is asked by the kernel's word";
    take("STOPPING=1\nSTATUS=bye\nWATCHDOG=1");
    EXPECT_EQ(heartbeats.beats_seen.size(), 4U);
    EXPECT_EQ(last().kind, BeatKind::stop);
    EXPECT_EQ(last().uid, ::getuid()) << "only the owner ends a watch, too";
    take("RELOADING=1\nMAINPID=1");
    EXPECT_EQ(face->counts().ignored, 1U);
    EXPECT_EQ(face->counts().taken, 4U);
}

TEST_F(NotifyFace, WhatIsNotTakenIsCountedAndToldOnceOfItsKind) {
    for (int i = 0; i < 3; ++i) {
        take("nonsense");
        take("WATCHDOG_USEC=soon");
        Datagram cut = datagram("WATCHDOG=1");
        cut.cut = true;
        face->take(cut);
        Datagram nobody = datagram("WATCHDOG=1");
        nobody.credentials.reset();
        face->take(nobody);
    }
    EXPECT_EQ(face->counts().malformed, 9U);
    EXPECT_EQ(face->counts().unidentified, 3U);
    EXPECT_TRUE(heartbeats.beats_seen.empty());
    ASSERT_EQ(troubles.size(), 2U);
    EXPECT_NE(troubles[0].find("not of the sd_notify protocol"), std::string::npos) << troubles[0];
    EXPECT_NE(troubles[0].find("pid " + std::to_string(::getpid())), std::string::npos) << troubles[0];
    EXPECT_NE(troubles[1].find("cannot be attributed"), std::string::npos) << troubles[1];
}

TEST_F(NotifyFace, ARefusalOfTheWatchesIsCounted) {
    heartbeats.refusal = Error{.code = Code::limit_exceeded, .context = "beat", .object = "x", .reason = "no room"};
    take("WATCHDOG=1");
    EXPECT_EQ(face->counts().refused, 1U);
    EXPECT_EQ(face->counts().taken, 0U);
    ASSERT_EQ(troubles.size(), 1U);
    EXPECT_NE(troubles[0].find("no room"), std::string::npos);
    EXPECT_EQ(face->outstanding().beats(), 0U);
}

TEST_F(NotifyFace, AStoppedSourceThatNobodyWatchedIsNoTrouble) {
    heartbeats.refusal = Error{.code = Code::not_found, .context = "stop", .object = "x", .reason = "no watch"};
    take("STOPPING=1");
    EXPECT_EQ(face->counts().taken, 1U);
    EXPECT_TRUE(troubles.empty());
}

TEST_F(NotifyFace, AFloodOfOneSourceIsDroppedBeyondItsBound) {
    heartbeats.hold = true;
    for (std::size_t i = 0; i < Outstanding::beats_per_source_max + 10; ++i) {
        take("WATCHDOG=1");
    }
    EXPECT_EQ(heartbeats.held.size(), Outstanding::beats_per_source_max);
    EXPECT_EQ(face->counts().taken, 0U) << "nothing is kept yet, and a counter never goes down";
    EXPECT_EQ(face->counts().dropped, 10U);
    EXPECT_EQ(dropped, (std::vector<std::optional<std::uint32_t>>(10, ::getuid()))) << "with whose they are";
    EXPECT_EQ(troubles.size(), 1U);
    heartbeats.settle(Watch{});
    EXPECT_EQ(face->counts().taken, 1U);
    take("WATCHDOG=1");
    EXPECT_EQ(face->counts().dropped, 10U);
}

TEST_F(NotifyFace, ABarrierOpensWhenWhatCameBeforeIsStored) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const Fd reading(ends[0]);
    heartbeats.hold = true;
    take("WATCHDOG=1");
    Datagram barrier = datagram("BARRIER=1\nWATCHDOG=1");
    barrier.credentials.reset(); // it needs none
    barrier.descriptors.emplace_back(ends[1]);
    face->take(barrier);
    EXPECT_EQ(heartbeats.held.size(), 1U) << "nothing else in it counts";
    EXPECT_FALSE(test::hung_up(reading.get()));
    heartbeats.settle(fail(Code::storage_full, "commit", "", "no space"));
    EXPECT_FALSE(test::hung_up(reading.get()));
    take("WATCHDOG=1");
    heartbeats.settle(Watch{});
    EXPECT_TRUE(test::hung_up(reading.get()));
    EXPECT_EQ(face->counts().barriers, 1U);
}

TEST_F(NotifyFace, ABarrierHasExactlyOneDescriptor) {
    take("BARRIER=1");
    Datagram two = datagram("BARRIER=1");
    two.descriptors.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    two.descriptors.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    face->take(two);
    EXPECT_EQ(face->counts().malformed, 2U);
    EXPECT_EQ(face->counts().barriers, 0U);
}

TEST_F(NotifyFace, AnAnswerAfterItsEndIsHarmless) {
    heartbeats.hold = true;
    take("WATCHDOG=1");
    face.reset();
    heartbeats.settle(Watch{});
}

// The socket itself.
class NotifyServer : public ::testing::Test {
protected:
    NotifyServer() {
        std::string name = ::testing::TempDir() + "tocsin-notify-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        directory = name;
        path = directory / "notify";
        sender = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    }
    ~NotifyServer() override {
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }
    std::unique_ptr<Server> make(int fd = -1, AccessPolicy access = {.owner_uid = ::getuid(), .group = {}}) {
        auto server = std::make_unique<Server>(
            io, heartbeats, clock,
            Options{.socket = path, .fd = fd, .access = access, .cgroups = {}, .check_us = second / 50});
        server->on_health([this](const std::string& problem) { health.push_back(problem); });
        return server;
    }
    sockaddr_un address() const {
        sockaddr_un made{};
        made.sun_family = AF_UNIX;
        path.native().copy(made.sun_path, sizeof made.sun_path - 1);
        return made;
    }
    // Runs the loop when the socket's queue is full.
    bool send(std::string_view text, const std::vector<int>& descriptors = {}) {
        const sockaddr_un to = address();
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!test::send_with(sender.get(), text, descriptors, &to)) {
            if (errno != EAGAIN || std::chrono::steady_clock::now() > end) {
                return false;
            }
            io.run_one_for(std::chrono::milliseconds(10));
        }
        return true;
    }
    template <typename Condition> bool pump(Condition holds) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!holds()) {
            if (std::chrono::steady_clock::now() > end) {
                return false;
            }
            io.run_one_for(std::chrono::milliseconds(10));
        }
        return true;
    }
    mode_t mode() const {
        struct stat found{};
        EXPECT_EQ(::lstat(path.c_str(), &found), 0);
        return found.st_mode & 07777U;
    }

    boost::asio::io_context io{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
    test::FakeClock clock{};
    test::FakeHeartbeats heartbeats{};
    std::filesystem::path directory{};
    std::filesystem::path path{};
    Fd sender{};
    std::vector<std::string> health{};
};

TEST_F(NotifyServer, TakesBeatsFromItsSocket) {
    const auto server = make();
    const auto started = server->start();
    ASSERT_TRUE(started) << started.error().detail();
    EXPECT_EQ(mode(), 0600U);
    ASSERT_TRUE(send("WATCHDOG=1\nSTATUS=warm"));
    ASSERT_TRUE(pump([this] { return !heartbeats.beats_seen.empty(); }));
    EXPECT_EQ(heartbeats.beats_seen[0].status, "warm");
    server->stop();
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_FALSE(send("WATCHDOG=1"));
}

TEST_F(NotifyServer, AGroupOpensTheSocketToIt) {
    const auto server = make(-1, {.owner_uid = ::getuid(), .group = ::getgid()});
    ASSERT_TRUE(server->start());
    EXPECT_EQ(mode(), 0660U);
}

TEST_F(NotifyServer, ReplacesAStaleSocketAndNoLivingOne) {
    const auto first = make();
    ASSERT_TRUE(first->start());
    const auto second_one = make();
    const auto refused = second_one->start();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
    EXPECT_EQ(refused.error().context, "notify");
    first->stop();
    {
        const Fd stale(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        const sockaddr_un at = address();
        ASSERT_EQ(::bind(stale.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    }
    EXPECT_TRUE(make()->start());
    std::ofstream(directory / "file") << "x";
    path = directory / "file";
    EXPECT_FALSE(make()->start()) << "something else is in its place";
}

TEST_F(NotifyServer, TakesASocketThatIsHandedOver) {
    Fd given(::socket(AF_UNIX, SOCK_DGRAM, 0));
    const sockaddr_un at = address();
    ASSERT_EQ(::bind(given.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    const auto server = make(given.release());
    ASSERT_TRUE(server->start());
    ASSERT_TRUE(send("READY=1"));
    ASSERT_TRUE(pump([this] { return !heartbeats.beats_seen.empty(); }));
    server->stop();
    EXPECT_TRUE(std::filesystem::exists(path)) << "it is systemd's";
    EXPECT_FALSE(make(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))->start());
    EXPECT_FALSE(make(::open("/dev/null", O_RDONLY | O_CLOEXEC))->start());
}

TEST_F(NotifyServer, LeaksNoDescriptorAndHonoursBarriers) {
    const auto server = make();
    ASSERT_TRUE(server->start());
    ASSERT_TRUE(send("WATCHDOG=1"));
    ASSERT_TRUE(pump([&server] { return server->counts().taken == 1; }));
    const std::size_t before = test::open_descriptors();
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(send("FDSTORE=1\nWATCHDOG=1", std::vector<int>(50, sender.get())));
        ASSERT_TRUE(send("BARRIER=1", {sender.get(), sender.get()}));
        ASSERT_TRUE(send("nonsense", {sender.get()}));
    }
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const Fd reading(ends[0]);
    ASSERT_TRUE(send("BARRIER=1", {ends[1]}));
    ::close(ends[1]);
    ASSERT_TRUE(pump([&reading] { return test::hung_up(reading.get()); }));
    EXPECT_EQ(server->counts().taken, 201U) << "all before the barrier";
    EXPECT_EQ(server->counts().malformed, 400U);
    EXPECT_EQ(test::open_descriptors(), before + 1);
}

TEST_F(NotifyServer, AFloodLeavesRoomForOtherWork) {
    const auto server = make();
    ASSERT_TRUE(server->start());
    std::size_t largest = 0;
    for (int i = 0; i < 100; ++i) {
        const std::size_t seen = heartbeats.beats_seen.size();
        const sockaddr_un to = address();
        while (test::send_with(sender.get(), "WATCHDOG=1", {}, &to)) {
        }
        io.poll_one();
        largest = std::max(largest, heartbeats.beats_seen.size() - seen);
    }
    EXPECT_GT(largest, 0U);
    EXPECT_LE(largest, 64U) << "of one turn of the loop";
}

TEST_F(NotifyServer, ASocketThatSomebodyRemovesIsTold) {
    const auto server = make();
    ASSERT_TRUE(server->start());
    ASSERT_TRUE(send("READY=1"));
    ASSERT_TRUE(pump([this] { return !heartbeats.beats_seen.empty(); }));
    EXPECT_TRUE(health.empty());
    ::unlink(path.c_str());
    ASSERT_TRUE(pump([this] { return !health.empty(); }));
    EXPECT_NE(health.back().find("is gone"), std::string::npos);
    EXPECT_EQ(health.size(), 1U);
}

} // namespace
} // namespace tocsin::ipc::notify
