// SPDX-License-Identifier: Apache-2.0
// READY, STATUS and the watchdog's proof, with a notifier that remembers what was sent.
#include "daemon/liveness.hpp"

#include "daemon/stop_deadline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

namespace tocsin::daemon {
namespace {

class FakeNotifier final : public Notifier {
public:
    bool send(const std::string& state) override {
        sent.push_back(state);
        return works;
    }
    std::size_t pings() const { return static_cast<std::size_t>(std::ranges::count(sent, "WATCHDOG=1")); }
    std::vector<std::string> sent{};
    bool works = true;
};

class LivenessTest : public testing::Test {
protected:
    // A part that answers at once while `alive`; else its question stays open.
    Liveness::Ask asking(bool& alive) {
        return [this, &alive](std::move_only_function<void()> answered) {
            ++asked;
            if (alive) {
                answered();
            } else {
                open.push_back(std::move(answered));
            }
        };
    }

    FakeNotifier notifier{};
    Liveness liveness{notifier};
    std::vector<std::move_only_function<void()>> open{};
    int asked = 0;
    bool writer = true;
    bool readers = true;
    bool bus = true;
};

using Names = std::vector<std::string>;

TEST_F(LivenessTest, PingsWhileEverythingAnswers) {
    liveness.add_proof("writer", asking(writer));
    liveness.add_proof("readers", asking(readers));
    liveness.add_check("bus", [this] { return bus; });
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(liveness.tick().empty());
    }
    EXPECT_EQ(notifier.pings(), 10U);
    EXPECT_EQ(asked, 20);
}

TEST_F(LivenessTest, APartThatHangsForAPeriodEndsThePings) {
    liveness.add_proof("writer", asking(writer));
    liveness.add_proof("readers", asking(readers));
    liveness.tick();
    writer = false;
    EXPECT_TRUE(liveness.tick().empty()) << "just asked";
    EXPECT_TRUE(liveness.tick().empty()) << "half a period";
    const std::size_t pings = notifier.pings();
    EXPECT_EQ(liveness.tick(), Names{"writer"});
    EXPECT_EQ(liveness.tick(), Names{"writer"});
    EXPECT_EQ(notifier.pings(), pings);
    EXPECT_EQ(open.size(), 1U) << "it is not asked again before it answered";
    writer = true;
    open[0]();
    EXPECT_TRUE(liveness.tick().empty()) << "a late answer is a sign of life";
    EXPECT_EQ(notifier.pings(), pings + 1);
}

TEST_F(LivenessTest, ABusThatIsNotServedEndsThePings) {
    liveness.add_check("bus", [this] { return bus; });
    bus = false;
    EXPECT_TRUE(liveness.tick().empty());
    EXPECT_EQ(liveness.tick(), Names{"bus"});
    bus = true;
    EXPECT_TRUE(liveness.tick().empty());
    EXPECT_EQ(notifier.pings(), 2U);
}

TEST_F(LivenessTest, AFailedNotificationDoesNotStopThePings) {
    notifier.works = false;
    EXPECT_TRUE(liveness.tick().empty());
    EXPECT_TRUE(liveness.tick().empty());
    EXPECT_EQ(notifier.pings(), 2U);
}

TEST_F(LivenessTest, AnAnswerAfterTheEndIsHarmless) {
    auto own = std::make_unique<Liveness>(notifier);
    writer = false;
    own->add_proof("writer", asking(writer));
    own->tick();
    own.reset();
    open.at(0)();
    EXPECT_EQ(notifier.pings(), 1U);
}

TEST_F(LivenessTest, TellsTheServiceManager) {
    liveness.ready("1 event");
    liveness.status("1 event");
    liveness.status("2 events\nREADY=0");
    liveness.reloading(123);
    liveness.stopping();
    EXPECT_EQ(notifier.sent, (Names{"READY=1\nSTATUS=1 event", "STATUS=2 events\\nREADY=0",
                                    "RELOADING=1\nMONOTONIC_USEC=123", "STOPPING=1\nSTATUS=stopping"}));
}

TEST(StopDeadlineTest, NamesTheStepThatHangs) {
    std::promise<std::string> overrun;
    auto hung = overrun.get_future();
    StopDeadline deadline(std::chrono::milliseconds(20),
                          [&overrun](const std::string& step) { overrun.set_value(step); });
    deadline.step("store");
    ASSERT_EQ(hung.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    EXPECT_EQ(hung.get(), "store");
}

TEST(StopDeadlineTest, AStopInTimeIsNoOverrun) {
    bool overrun = false;
    {
        StopDeadline deadline(std::chrono::hours(1), [&overrun](const std::string&) { overrun = true; });
        deadline.step("http");
    }
    EXPECT_FALSE(overrun);
}

} // namespace
} // namespace tocsin::daemon
