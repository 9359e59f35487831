// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/listeners.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::heartbeats {
namespace {

using testing::ElementsAre;

TEST(Listeners, HearAsLongAsTheyLive) {
    const auto listeners = std::make_shared<Listeners>();
    std::vector<std::string> heard;
    const auto note = [&heard](const std::string& who) {
        return [&heard, who](const Watch& watch) { heard.push_back(who + watch.key.source); };
    };
    auto one = listeners->add(note("1"));
    const auto two = listeners->add(note("2"));
    listeners->tell(Watch{.key = {"a", 0}});
    one.reset();
    listeners->tell(Watch{.key = {"b", 0}});
    EXPECT_THAT(heard, ElementsAre("1a", "2a", "2b"));
    EXPECT_EQ(listeners->size(), 1U);
}

TEST(Listeners, MayLeaveWhileTheyAreTold) {
    const auto listeners = std::make_shared<Listeners>();
    std::unique_ptr<Subscription> self;
    std::unique_ptr<Subscription> next;
    int heard = 0;
    self = listeners->add([&self, &next, &heard](const Watch&) {
        ++heard;
        next.reset();
        self.reset();
    });
    next = listeners->add([&heard](const Watch&) { heard += 100; });
    listeners->tell({});
    listeners->tell({});
    EXPECT_EQ(heard, 1);
}

TEST(Listeners, ASubscriptionMayOutliveThem) {
    auto listeners = std::make_shared<Listeners>();
    auto subscription = listeners->add([](const Watch&) {});
    listeners.reset();
    subscription.reset();
}

} // namespace
} // namespace tocsin::heartbeats
