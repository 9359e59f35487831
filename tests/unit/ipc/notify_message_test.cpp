// SPDX-License-Identifier: Apache-2.0
#include "ipc/notify/message.hpp"

#include "core/event.hpp"
#include "core/limits.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tocsin::ipc::notify {
namespace {

using std::string_literals::operator""s;

struct Good {
    std::string bytes;
    Message message;
};

void expect_same(const std::string& bytes, const Message& message) {
    const auto read = parse_message(bytes);
    ASSERT_TRUE(read) << bytes;
    EXPECT_EQ(read->barrier, message.barrier) << bytes;
    EXPECT_EQ(read->stopping, message.stopping) << bytes;
    EXPECT_EQ(read->failed, message.failed) << bytes;
    EXPECT_EQ(read->alive, message.alive) << bytes;
    EXPECT_EQ(read->interval_us, message.interval_us) << bytes;
    EXPECT_EQ(read->status, message.status) << bytes;
    EXPECT_EQ(read->wrong, message.wrong) << bytes;
}

TEST(NotifyMessage, IsReadAsSystemdReadsIt) {
    const std::vector<Good> cases{
        {"WATCHDOG=1", {.alive = true}},
        {"WATCHDOG=1\n", {.alive = true}},
        {"WATCHDOG=1\0"s, {.alive = true}},
        {"READY=1", {.alive = true}},
        {"READY=0", {}},
        {"WATCHDOG=trigger", {.failed = true}},
        {"WATCHDOG=2", {.wrong = 1}},
        {"WATCHDOG=", {.wrong = 1}},
        {"STOPPING=1\nSTATUS=bye", {.stopping = true, .status = "bye"}},
        {"STOPPING=0", {}},
        {"BARRIER=1", {.barrier = true}},
        {"BARRIER=0", {}},
        {"STATUS=all = well", {.status = "all = well"}},
        {"STATUS=", {}},
        {"STATUS=one\nSTATUS=two", {.status = "one"}},
        {"WATCHDOG_USEC=20000000", {.alive = true, .interval_us = 20'000'000}},
        {"WATCHDOG_USEC=20000000\nWATCHDOG_USEC=1", {.alive = true, .interval_us = 20'000'000, .wrong = 1}},
        {"WATCHDOG=1\nWATCHDOG_USEC=5000000\nSTATUS=x\n\nMAINPID=4\nX_OWN=y",
         {.alive = true, .interval_us = 5'000'000, .status = "x"}},
        {"RELOADING=1\nMONOTONIC_USEC=5", {}},
        {"watchdog=1", {}},
        {"ERRNO=\xff\xfe", {}},
    };
    for (const Good& one : cases) {
        expect_same(one.bytes, one.message);
    }
}

TEST(NotifyMessage, HostileBytesAreNoMessage) {
    const std::vector<std::string> cases{
        "",
        "\0"s,
        "\n",
        "\n\n\n",
        "WATCHDOG",
        "=1",
        "WATCHDOG=1\nnonsense",
        "WATCHDOG=1\0READY=1"s,
        "\0WATCHDOG=1"s,
        "WATCHDOG=1\0\0"s,
        std::string(message_bytes + 1, 'x'),
        "X=" + std::string(message_bytes, 'y'),
        "\xff\xfe",
    };
    for (const std::string& bytes : cases) {
        EXPECT_FALSE(parse_message(bytes)) << bytes.substr(0, 40);
    }
    EXPECT_TRUE(parse_message("X=" + std::string(message_bytes - 2, 'y'))) << "as long as it may be";
}

TEST(NotifyMessage, AnIntervalMustBeOneThatAWatchCanHave) {
    for (const std::string value : {"", "0", "99999", "-5", "1.5", "10s", " 5000000", "5000000 ", "0x500000",
                                    "99999999999999999999", "31622400000001", "+5000000"}) {
        const auto message = parse_message("WATCHDOG_USEC=" + value);
        ASSERT_TRUE(message) << value;
        EXPECT_FALSE(message->interval_us) << value;
        EXPECT_FALSE(message->alive) << value;
        EXPECT_EQ(message->wrong, 1U) << value;
    }
    EXPECT_EQ(parse_message("WATCHDOG_USEC=100000")->interval_us, limits::interval_us_min);
    EXPECT_EQ(parse_message("WATCHDOG_USEC=31622400000000")->interval_us, limits::interval_us_max);
}

TEST(NotifyMessage, AWrongValueDoesNotSpoilTheBeat) {
    const auto message = parse_message("WATCHDOG=1\nSTATUS=\xff\nWATCHDOG_USEC=soon");
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->alive);
    EXPECT_EQ(message->status, "");
    EXPECT_EQ(message->wrong, 2U);
}

TEST(NotifyMessage, ALongTextIsCutBetweenCharacters) {
    const std::string text = std::string(limits::status_bytes - 1, 'x') + "äöü";
    const auto message = parse_message("STATUS=" + text);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->status, std::string(limits::status_bytes - 1, 'x'));
    EXPECT_TRUE(valid_utf8(message->status));
}

TEST(NotifyMessage, KnowsWhatIsAboutNoWatch) {
    for (const char* bytes : {"RELOADING=1", "MAINPID=1", "FDSTORE=1", "EXTEND_TIMEOUT_USEC=5", "READY=0"}) {
        EXPECT_TRUE(parse_message(bytes)->idle()) << bytes;
    }
    for (const char* bytes : {"WATCHDOG=1", "READY=1", "STATUS=x", "STOPPING=1", "BARRIER=1", "WATCHDOG=trigger"}) {
        EXPECT_FALSE(parse_message(bytes)->idle()) << bytes;
    }
}

} // namespace
} // namespace tocsin::ipc::notify
