// SPDX-License-Identifier: Apache-2.0
// Years of the calendar in moments: senders that follow their schedule in five zones, through daylight changes, while
// the machine sleeps, is restarted, and has its clock set. None that beats is ever missed; each that stops is, once.
#include "fakes.hpp"

#include <gtest/gtest.h>

#include <random>

namespace tocsin::heartbeats {
namespace {

constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

struct Sender {
    std::string source{};
    std::shared_ptr<const Schedule> schedule{};
    std::int64_t next_us = 0;
    bool alive = true;
};

class Simulation : public testing::Test {
protected:
    void SetUp() override {
        store.at_once = true;
        start();
    }

    void start() {
        board.reset();
        loop.wanted.reset();
        board = std::make_unique<Board>(store, clock, loop, Settings{});
        ASSERT_TRUE(board->start());
    }

    void add(const std::string& schedule, const std::string& zone) {
        Sender sender{.source = schedule + " " + zone, .schedule = Schedule::parse(schedule, zone).value()};
        sender.next_us = sender.schedule->next_after(clock.wall).value();
        Beat beat = make_beat(sender.source, clock.wall, std::nullopt);
        beat.schedule = schedule;
        beat.zone = zone;
        beat.grace_us = 10 * minute;
        board->beat(beat, [](const Result<Watch>&) {});
        senders.push_back(std::move(sender));
    }

    std::int64_t next_beat() const {
        std::int64_t next = INT64_MAX;
        for (const Sender& sender : senders) {
            next = std::min(next, sender.alive ? sender.next_us : INT64_MAX);
        }
        return next;
    }

    // As cron does: what is due beats a little late, what was slept or jumped over is not made up for.
    void send() {
        for (Sender& sender : senders) {
            if (sender.alive && sender.next_us <= clock.wall) {
                board->beat(make_beat(sender.source, clock.wall, std::nullopt), [](const Result<Watch>&) {});
                ++beats;
                sender.next_us = sender.schedule->next_after(clock.wall).value();
            }
        }
    }

    void go(std::int64_t us) {
        const std::int64_t end = clock.boot + us;
        while (clock.boot < end) {
            const std::int64_t to_beat = next_beat() == INT64_MAX ? INT64_MAX : next_beat() + second - clock.wall;
            const std::int64_t to_wake = loop.wanted ? *loop.wanted - clock.boot : INT64_MAX;
            clock.go(std::max<std::int64_t>(std::min({to_beat, to_wake, end - clock.boot}), 0));
            send();
            if (loop.wanted && *loop.wanted <= clock.boot) {
                loop.wanted.reset();
                ++wakes;
                board->wake();
            }
        }
    }

    void skip_what_is_past() {
        for (Sender& sender : senders) {
            sender.next_us = sender.schedule->next_after(clock.wall).value();
        }
    }

    void everywhere() {
        for (const std::string zone :
             {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago"}) {
            for (const std::string schedule : {"30 2 * * *", "0 */3 * * *", "15 1 * * sun", "@monthly"}) {
                add(schedule, zone);
            }
        }
    }

    FakeStore store;
    FakeClock clock;
    FakeLoop loop;
    std::unique_ptr<Board> board;
    std::vector<Sender> senders;
    std::size_t beats = 0;
    std::size_t wakes = 0;
};

TEST_F(Simulation, YearsOfDaylightChangesMissNobody) {
    everywhere();
    go(4 * 366 * day);
    EXPECT_EQ(store.events.size(), 0U);
    EXPECT_GT(beats, 5U * 4 * 365 * 9);
    EXPECT_LE(wakes, 3 * beats) << "one wake is worth a beat or two";
}

TEST_F(Simulation, WhoStopsIsMissedOnceAtItsNextSlot) {
    everywhere();
    go(200 * day);
    std::map<std::int64_t, int> expected;
    for (Sender& sender : senders) {
        sender.alive = false;
        ++expected[sender.next_us + 10 * minute];
    }
    go(400 * day);
    std::map<std::int64_t, int> missed;
    for (const Event& event : store.events) {
        ASSERT_EQ(event.event_name, "heartbeat.missed");
        ++missed[event.event_time_us];
    }
    EXPECT_EQ(missed, expected);
}

TEST_F(Simulation, SleepsRestartsAndStepsMissNobody) {
    everywhere();
    std::mt19937 random(17);
    for (int i = 0; i < 1'500; ++i) {
        go(static_cast<std::int64_t>(random() % 40) * hour + static_cast<std::int64_t>(random() % 3'600) * second);
        switch (random() % 4) {
        case 0:
            clock.nap(static_cast<std::int64_t>(random() % 600) * minute);
            skip_what_is_past();
            break;
        case 1:
            clock.go(static_cast<std::int64_t>(random() % 300) * second); // the daemon is away, cron is not
            skip_what_is_past();
            start();
            break;
        case 2:
            clock.wall += static_cast<std::int64_t>(random() % 300) * minute;
            skip_what_is_past();
            break;
        default:
            clock.wall -= static_cast<std::int64_t>(random() % 170) * minute;
            break;
        }
        board->wake();
        ASSERT_EQ(store.events.size(), 0U) << "round " << i << ": " << store.events[0].summary;
    }
}

TEST_F(Simulation, AYearOfAWrongClockIsForgiven) {
    everywhere();
    go(10 * day);
    clock.wall += 365 * day;
    board->wake();
    skip_what_is_past();
    go(3 * day);
    clock.wall -= 365 * day;
    board->wake();
    skip_what_is_past();
    go(40 * day);
    ASSERT_EQ(store.events.size(), 0U);
    for (Sender& sender : senders) {
        sender.alive = false;
    }
    go(40 * day);
    EXPECT_EQ(store.events.size(), senders.size()) << "and everybody is watched again";
}

} // namespace
} // namespace tocsin::heartbeats
