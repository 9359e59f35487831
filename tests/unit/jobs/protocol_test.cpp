// SPDX-License-Identifier: Apache-2.0
#include "jobs/bytes.hpp"
#include "jobs/packet.hpp"
#include "jobs/protocol.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fcntl.h>
#include <random>
#include <sys/socket.h>

namespace tocsin::jobs::protocol {
namespace {

Run sample_run() {
    Run run{.job_id = 5,
            .attempt = 2,
            .script = "report",
            .path = "/etc/tocsin/spark.d/report",
            .owner_uid = 990,
            .socket = "/run/tocsin/tocsin.sock",
            .callback = "https://h/v1/callbacks/5-0",
            .event_index = 17,
            .event_name = "sshd.login_failed",
            .event_src = "sshd",
            .event_scid = -3,
            .event_time = "2026-01-02T03:00:04.000000Z",
            .event_severity = "critical",
            .timeout_us = 600'000'000,
            .kill_after_us = 5'000'000,
            .limits = {.memory_bytes = 1, .file_bytes = 2, .open_files = 3}};
    return run;
}

std::vector<Message> samples() {
    return {sample_run(),
            Stop{5'000'000},
            Started{4711},
            Output{std::string("a\0b", 3)},
            Report{"{}"},
            Ended{Outcome::signalled, 9, Cause::timeout, 1U << 20, true, "", 0, ""},
            Ended{Outcome::not_started, 0, Cause::itself, 0, false, "is not there", 7, "because"},
            Hello{4711, "0.1.0", "memory"},
            Product{"a/b", 17},
            Taken{true}};
}

TEST(Protocol, EveryMessageComesBack) {
    for (const Message& message : samples()) {
        const auto back = decode(encode(message));
        ASSERT_TRUE(back) << message.index();
        EXPECT_TRUE(*back == message) << message.index();
    }
}

TEST(Protocol, EveryCutAndEveryExtraByteIsRefused) {
    for (const Message& message : samples()) {
        const std::string packet = encode(message);
        for (std::size_t size = 0; size < packet.size(); ++size) {
            EXPECT_FALSE(decode(std::string_view(packet).substr(0, size))) << message.index() << " cut at " << size;
        }
        EXPECT_FALSE(decode(packet + 'x')) << message.index();
    }
}

TEST(Protocol, AnotherVersionSaysSo) {
    std::string packet = encode(Stop{});
    packet[0] = version + 1;
    EXPECT_TRUE(version_differs(packet));
    EXPECT_NE(decode(packet).error().reason.find("version"), std::string::npos);
    packet[0] = version;
    EXPECT_FALSE(version_differs(packet));
    packet[1] = std::variant_size_v<Message>;
    EXPECT_NE(decode(packet).error().reason.find("kind"), std::string::npos);
}

TEST(Protocol, ValuesAreChecked) {
    const std::vector<void (*)(protocol::Run&)> wrong{
        [](protocol::Run& run) { run.path = "report"; },
        [](protocol::Run& run) { run.script = ""; },
        [](protocol::Run& run) { run.script = std::string(limits::name_bytes + 1, 'x'); },
        [](protocol::Run& run) { run.event_name = std::string("a\0b", 3); },
        [](protocol::Run& run) { run.timeout_us = -1; },
        [](protocol::Run& run) { run.kill_after_us = duration_us_max + 1; },
        [](protocol::Run& run) { run.output_bytes = output_bytes_max + 1; },
    };
    for (std::size_t i = 0; i < wrong.size(); ++i) {
        protocol::Run run = sample_run();
        wrong[i](run);
        EXPECT_FALSE(decode(encode(run))) << i;
    }
    EXPECT_FALSE(decode(encode(Stop{-1})));
    EXPECT_FALSE(decode(encode(Output{std::string(output_chunk_bytes + 1, 'x')})));
    EXPECT_FALSE(decode(encode(Report{std::string(limits::report_line_bytes + 2, 'x')})));
    EXPECT_TRUE(decode(encode(Report{std::string(limits::report_line_bytes + 1, 'x')})));
    EXPECT_FALSE(decode(encode(Ended{.outcome = static_cast<Outcome>(3)})));
    EXPECT_FALSE(decode(encode(Ended{.cause = static_cast<Cause>(3)})));
    EXPECT_TRUE(decode(encode(Ended{.reason = std::string(reason_bytes * 2, 'x')}))) << "too long a reason is cut";
}

TEST(Protocol, APathOfAProductStaysBelow) {
    for (const char* path : {"a", "a/b", "a b", "..a", "a..", "1/2/3/4/5/6/7/8", "é"}) {
        EXPECT_EQ(product_path_problem(path), "") << path;
        EXPECT_TRUE(decode(encode(Product{path, 1}))) << path;
    }
    const std::string long_name(limits::name_bytes + 1, 'x');
    for (const std::string& path :
         {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("."), std::string(".."),
          std::string("a/../b"), std::string("./a"), std::string("a\nb"), std::string("a\x7f"), std::string("a\0b", 3),
          std::string("1/2/3/4/5/6/7/8/9"), long_name}) {
        EXPECT_NE(product_path_problem(path), "") << path;
        EXPECT_FALSE(decode(encode(Product{path, 1}))) << path;
    }
}

TEST(Protocol, NoBytesBreakIt) {
    std::mt19937 random(42);
    const std::string good = encode(sample_run());
    for (int round = 0; round < 20'000; ++round) {
        std::string packet = good;
        for (int i = 0; i < 3; ++i) {
            packet[random() % packet.size()] = static_cast<char>(random());
        }
        if (const auto message = decode(packet)) { // what is taken is what was written
            EXPECT_EQ(encode(*message), packet);
        }
    }
}

struct Pair {
    Fd a{};
    Fd b{};
};

Pair make_pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {Fd(ends[0]), Fd(ends[1])};
}

TEST(PacketSocket, CarriesDescriptors) {
    auto pair = make_pair();
    EXPECT_EQ(receive_packet(pair.b.get()).status, PacketStatus::again);
    const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const std::array<int, 2> two{null.get(), null.get()};
    ASSERT_EQ(send_packet(pair.a.get(), "with", two), PacketStatus::ok);
    ASSERT_EQ(send_packet(pair.a.get(), "without"), PacketStatus::ok);
    const Packet first = receive_packet(pair.b.get());
    EXPECT_EQ(first.bytes, "with");
    ASSERT_EQ(first.descriptors.size(), 2U);
    EXPECT_EQ(::fcntl(first.descriptors[1].get(), F_GETFD), FD_CLOEXEC);
    const Packet second = receive_packet(pair.b.get());
    EXPECT_EQ(second.bytes, "without");
    EXPECT_TRUE(second.descriptors.empty());
}

TEST(PacketSocket, FullAndClosedAreTold) {
    auto pair = make_pair();
    const std::string large(16'000, 'x');
    int sent = 0;
    while (send_packet(pair.a.get(), large) == PacketStatus::ok) {
        ASSERT_LT(++sent, 10'000);
    }
    EXPECT_GT(sent, 1);
    EXPECT_EQ(send_packet(pair.a.get(), large), PacketStatus::again);
    send_packet(pair.b.get(), "unread");
    pair.a.reset(); // with something unread: the other end is reset, yet what was sent before can be read
    int received = 0;
    while (receive_packet(pair.b.get()).status == PacketStatus::ok) {
        ++received;
    }
    EXPECT_EQ(received, sent);
    EXPECT_EQ(receive_packet(pair.b.get()).status, PacketStatus::closed);
    EXPECT_EQ(send_packet(pair.b.get(), "x"), PacketStatus::closed) << "and no SIGPIPE";
}

TEST(PacketSocket, WhatIsTooLargeClosesIt) {
    auto pair = make_pair();
    ASSERT_EQ(send_packet(pair.a.get(), std::string(packet_bytes_max + 1, 'x')), PacketStatus::ok);
    EXPECT_EQ(receive_packet(pair.b.get()).status, PacketStatus::closed);
}

TEST(Bytes, AReaderThatFailedStaysFailed) {
    std::string bytes;
    ByteWriter out(bytes);
    out.text("abc");
    out.u32(7);
    ByteReader in(bytes);
    EXPECT_EQ(in.text(2), "") << "over its bound";
    EXPECT_EQ(in.u32(), 0U);
    EXPECT_FALSE(in.complete());
    ByteReader good(bytes);
    EXPECT_EQ(good.text(3), "abc");
    EXPECT_FALSE(good.complete());
    EXPECT_EQ(good.u32(), 7U);
    EXPECT_TRUE(good.complete());
}

} // namespace
} // namespace tocsin::jobs::protocol
