// SPDX-License-Identifier: Apache-2.0
// That the kernel cancels the timer when the clock is set cannot be tested without setting the machine's clock.
#include "heartbeats/step_alarm.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace tocsin::heartbeats {
namespace {

TEST(StepAlarm, IsSilentWhileNobodySetsTheClock) {
    boost::asio::io_context io;
    int stepped = 0;
    const auto alarm = std::make_shared<StepAlarm>(io, [&stepped] { ++stepped; });
    ASSERT_TRUE(alarm->open());
    EXPECT_EQ(io.run_for(std::chrono::milliseconds(20)), 0U) << "it waits without work";
    alarm->close();
    io.restart();
    io.run_for(std::chrono::seconds(20));
    EXPECT_TRUE(io.stopped()) << "closed, nothing keeps the loop";
    EXPECT_EQ(stepped, 0);
}

} // namespace
} // namespace tocsin::heartbeats
