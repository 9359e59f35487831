// SPDX-License-Identifier: Apache-2.0
// The text format of Prometheus: every family with HELP and TYPE before its samples, every line well-formed, names
// stable.
#include "daemon/metrics.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <set>
#include <sstream>

namespace tocsin::daemon {
namespace {

MetricsInput sample() {
    MetricsInput input;
    input.version = "1.2\"3";
    input.health.events_by_severity = {1, 2, 3, 4};
    input.health.commit_buckets = {5, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
    input.health.commit_seconds = 1.5;
    input.health.store_bytes = 100;
    input.health.limit_bytes = 200;
    input.health.queued_events = 6;
    input.watches = {{WatchState::fresh, 3}, {WatchState::down, 1}};
    input.jobs = {{JobState::timed_out, 2}};
    input.reader_lag = {{"jobs", 9}};
    input.degraded = {"store-full"};
    input.suppressed = {21, 22, 23};
    input.notify = {.taken = 11, .barriers = 12, .malformed = 13, .unidentified = 14, .dropped = 15};
    return input;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        out.push_back(line);
    }
    return out;
}

bool has(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, DatagramsByWhatBecameOfThem) {
    const std::string text = render_metrics(sample());
    EXPECT_TRUE(has(text, "tocsin_notify_datagrams_total{result=\"taken\"} 11"));
    EXPECT_TRUE(has(text, "tocsin_notify_datagrams_total{result=\"barrier\"} 12"));
    EXPECT_TRUE(has(text, "tocsin_notify_datagrams_total{result=\"ignored\"} 0"));
    EXPECT_TRUE(has(text, "tocsin_notify_datagrams_total{result=\"malformed\"} 13"));
    EXPECT_TRUE(has(text, "tocsin_notify_datagrams_total{result=\"unidentified\"} 14"));
    EXPECT_TRUE(has(text, "tocsin_notify_datagrams_total{result=\"refused\"} 0"));
    EXPECT_TRUE(has(text, "tocsin_notify_datagrams_total{result=\"dropped\"} 15"));
}

TEST(Metrics, WhatWasNotTakenInByReason) {
    const std::string text = render_metrics(sample());
    EXPECT_TRUE(has(text, "tocsin_suppressed_total{reason=\"rate\"} 21"));
    EXPECT_TRUE(has(text, "tocsin_suppressed_total{reason=\"queue\"} 22"));
    EXPECT_TRUE(has(text, "tocsin_suppressed_total{reason=\"datagram\"} 23"));
}

TEST(Metrics, EveryStableNameHasHelpAndType) {
    const std::string text = render_metrics(sample());
    for (const char* name : {"tocsin_events_total", "tocsin_submit_rejected_total", "tocsin_commit_seconds",
                             "tocsin_store_bytes", "tocsin_store_limit_bytes", "tocsin_writer_queue_events",
                             "tocsin_reader_lag_events", "tocsin_heartbeats", "tocsin_jobs", "tocsin_suppressed_total",
                             "tocsin_notify_datagrams_total", "tocsin_degraded", "tocsin_build_info"}) {
        EXPECT_NE(text.find(std::string("# HELP ") + name + " "), std::string::npos) << name;
        EXPECT_NE(text.find(std::string("# TYPE ") + name + " "), std::string::npos) << name;
    }
}

// name{label="value"} number: the name, or empty when the line is not of this form.
std::string name_of_sample(const std::string& line) {
    const std::size_t space = line.rfind(' ');
    const std::string name = line.substr(0, line.find_first_of("{ "));
    double number = 0;
    const char* const end = line.data() + line.size();
    const auto read = std::from_chars(line.data() + space + 1, end, number);
    const bool labelled = line[name.size()] == '{';
    const bool whole = !labelled || (line[space - 1] == '}' && line[space - 2] == '"' && line.find("=\"") < space);
    const bool plain = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
    return read.ec == std::errc{} && read.ptr == end && whole && plain ? name : "";
}

TEST(Metrics, LinesAreWellFormedAndFamiliesAreNotMixed) {
    std::set<std::string> families;
    std::string current;
    const std::string text = render_metrics(sample());
    for (const std::string& line : lines_of(text)) {
        if (!line.starts_with('#')) {
            EXPECT_FALSE(name_of_sample(line).empty()) << line;
            EXPECT_TRUE(name_of_sample(line).starts_with(current)) << line << " stands in the family " << current;
            continue;
        }
        std::istringstream words(line);
        std::string hash;
        std::string kind;
        std::string what;
        words >> hash >> kind >> current >> what;
        EXPECT_TRUE((kind == "HELP" || kind == "TYPE") && !what.empty()) << line;
        EXPECT_TRUE(kind == "TYPE" || families.insert(current).second) << current << " comes twice";
    }
    EXPECT_TRUE(text.ends_with('\n'));
}

TEST(Metrics, ShowsTheValues) {
    const std::string text = render_metrics(sample());
    EXPECT_TRUE(has(text, R"(tocsin_events_total{severity="critical"} 4)"));
    EXPECT_TRUE(has(text, "tocsin_store_bytes 100"));
    EXPECT_TRUE(has(text, "tocsin_store_limit_bytes 200"));
    EXPECT_TRUE(has(text, "tocsin_writer_queue_events 6"));
    EXPECT_TRUE(has(text, R"(tocsin_reader_lag_events{reader="jobs"} 9)"));
    EXPECT_TRUE(has(text, R"(tocsin_heartbeats{state="new"} 3)"));
    EXPECT_TRUE(has(text, R"(tocsin_heartbeats{state="paused"} 0)"));
    EXPECT_TRUE(has(text, R"(tocsin_jobs{state="timed-out"} 2)"));
    EXPECT_TRUE(has(text, R"(tocsin_degraded{reason="store-full"} 1)"));
    EXPECT_TRUE(has(text, R"(tocsin_build_info{version="1.2\"3"} 1)"));
}

TEST(Metrics, TheHistogramIsCumulative) {
    const std::string text = render_metrics(sample());
    EXPECT_TRUE(has(text, R"(tocsin_commit_seconds_bucket{le="0.0005"} 5)"));
    EXPECT_TRUE(has(text, R"(tocsin_commit_seconds_bucket{le="0.001"} 5)"));
    EXPECT_TRUE(has(text, R"(tocsin_commit_seconds_bucket{le="0.002"} 6)"));
    EXPECT_TRUE(has(text, R"(tocsin_commit_seconds_bucket{le="5"} 6)"));
    EXPECT_TRUE(has(text, R"(tocsin_commit_seconds_bucket{le="+Inf"} 8)"));
    EXPECT_TRUE(has(text, "tocsin_commit_seconds_sum 1.5"));
    EXPECT_TRUE(has(text, "tocsin_commit_seconds_count 8"));
}

TEST(Metrics, WhatHasNothingToShowIsLeftOut) {
    const std::string text = render_metrics(MetricsInput{.version = "1"});
    EXPECT_EQ(text.find("tocsin_degraded"), std::string::npos);
    EXPECT_EQ(text.find("tocsin_alerts"), std::string::npos);
    EXPECT_EQ(text.find("tocsin_deliveries"), std::string::npos);
}

} // namespace
} // namespace tocsin::daemon
