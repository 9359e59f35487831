// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/watch_event.hpp"

#include <gtest/gtest.h>

namespace tocsin::heartbeats {
namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t start_us = 1'767'322'804 * second; // 2026-01-02T03:00:04Z

Watch missed_watch() {
    Watch watch{.key = {"pump \"3\"", 3}};
    watch.state = WatchState::down;
    watch.last_us = start_us;
    watch.deadline_us = start_us + 60 * second;
    watch.interval_us = 60 * second;
    watch.grace_us = 30 * second;
    watch.misses = 1;
    return watch;
}

TEST(WatchEvent, AMissHappenedWhenGraceEnded) {
    const std::int64_t now_us = start_us + 500 * second;
    const Event event = make_event({{Transition::missed}, missed_watch()}, now_us);
    EXPECT_EQ(event.event_name, "heartbeat.missed");
    EXPECT_EQ(event.event_src, daemon_source);
    EXPECT_EQ(event.event_time_us, start_us + 90 * second);
    EXPECT_EQ(event.scid, 3);
    EXPECT_EQ(event.severity, Severity::error);
    EXPECT_EQ(event.payload, R"({"source":"pump \"3\"","scid":3,"deadline":"2026-01-02T03:01:04.000000Z",)"
                             R"("last":"2026-01-02T03:00:04.000000Z","misses":1})");
    EXPECT_EQ(event.summary, "no heartbeat from pump \"3\" (scid 3) since 2026-01-02T03:00:04.000000Z");
}

TEST(WatchEvent, WithoutABeatThereIsNoLast) {
    Watch watch = missed_watch();
    watch.last_us = 0;
    const Event event = make_event({{Transition::missed}, watch}, start_us + 500 * second);
    EXPECT_EQ(event.payload.find("last"), std::string::npos);
    EXPECT_EQ(event.summary, "no heartbeat from pump \"3\" (scid 3) yet");
}

TEST(WatchEvent, RecoveryIsAnInformation) {
    Watch watch = missed_watch();
    watch.misses = 0;
    const Event event = make_event({{Transition::recovered}, watch}, start_us + 5 * second);
    EXPECT_EQ(event.event_name, "heartbeat.recovered");
    EXPECT_EQ(event.severity, Severity::info);
    EXPECT_EQ(event.event_time_us, start_us);
}

TEST(WatchEvent, FailureTellsItsStatus) {
    Watch watch = missed_watch();
    watch.status = "disk full";
    const Event event = make_event({{Transition::failed}, watch}, start_us + 5 * second);
    EXPECT_EQ(event.event_name, "heartbeat.failed");
    EXPECT_EQ(event.severity, Severity::error);
    EXPECT_EQ(event.summary, "pump \"3\" (scid 3) reports a failure: disk full");
}

TEST(WatchEvent, AnOverrunNamesItsRunAndLimit) {
    Watch watch = missed_watch();
    watch.state = WatchState::started;
    watch.misses = 0;
    watch.plan = WatchPlan{.run_limit_us = 90 * second};
    const std::int64_t at_us = start_us + 95 * second;
    const Event event = make_event({{Transition::overrun, "r1", at_us}, watch}, start_us + 500 * second);
    EXPECT_EQ(event.event_name, "heartbeat.overrun");
    EXPECT_EQ(event.event_time_us, at_us);
    EXPECT_EQ(event.payload, R"({"source":"pump \"3\"","scid":3,"deadline":"2026-01-02T03:01:04.000000Z",)"
                             R"("last":"2026-01-02T03:00:04.000000Z","misses":0,"run":"r1","limit_s":90.0})");
    EXPECT_EQ(event.summary, "run r1 of pump \"3\" (scid 3) takes longer than 1m30s");
}

TEST(WatchEvent, NeverFromTheFutureOrBeforeTheEpoch) {
    EXPECT_EQ(make_event({{Transition::missed}, missed_watch()}, start_us).event_time_us, start_us)
        << "the wall clock was set back meanwhile";
    EXPECT_EQ(make_event({{Transition::missed}, missed_watch()}, -5).event_time_us, 0);
}

} // namespace
} // namespace tocsin::heartbeats
