// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/fake.hpp"

#include "cli/demo_plan.hpp"
#include "cli/value.hpp"
#include "core/event.hpp"
#include "core/json.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <set>
#include <unistd.h>

namespace tocsin::cli::test {
namespace {

using Kind = DemoAct::Kind;

std::vector<DemoAct> acts(std::uint64_t seed, double rate, std::int64_t until_ms) {
    DemoPlan plan(seed, rate);
    std::vector<DemoAct> all;
    for (DemoAct act = plan.next(); act.at_ms < until_ms; act = plan.next()) {
        all.push_back(act);
    }
    return all;
}

TEST(DemoPlan, IsTheSameForTheSameSeed) {
    const auto one = acts(7, 20, 60'000);
    const auto two = acts(7, 20, 60'000);
    const auto other = acts(8, 20, 60'000);
    ASSERT_EQ(one.size(), two.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
        EXPECT_EQ(one[i].body, two[i].body);
        EXPECT_EQ(one[i].at_ms, two[i].at_ms);
    }
    EXPECT_FALSE(one.size() == other.size() && one.back().body == other.back().body);
}

TEST(DemoPlan, IsInOrderOfTime) {
    std::int64_t last = 0;
    for (const DemoAct& act : acts(1, 50, 120'000)) {
        EXPECT_GE(act.at_ms, last);
        last = act.at_ms;
    }
}

TEST(DemoPlan, KeepsItsRate) {
    for (const double rate : {0.5, 2.0, 100.0}) {
        const auto all = acts(3, rate, 400'000);
        const auto events = std::ranges::count_if(all, [](const DemoAct& act) { return act.kind == Kind::event; });
        EXPECT_NEAR(static_cast<double>(events), rate * 400, rate * 400 * 0.25 + 5) << rate;
    }
    EXPECT_FALSE(acts(3, 0, 200'000).empty()) << "a rate of nothing is bounded";
}

TEST(DemoPlan, TheHeartbeatIsMissedAndReturns) {
    std::vector<std::int64_t> beats;
    for (const DemoAct& act : acts(1, 1, 60'000)) {
        if (act.kind == Kind::beat) {
            beats.push_back(act.at_ms);
        }
    }
    ASSERT_GT(beats.size(), 20U);
    const std::int64_t patience = DemoPlan::beat_interval_ms + DemoPlan::beat_grace_ms;
    std::vector<std::int64_t> missed;
    for (std::size_t i = 1; i < beats.size(); ++i) {
        if (beats[i] - beats[i - 1] > patience) {
            missed.push_back(beats[i]);
        }
    }
    ASSERT_GE(missed.size(), 3U);
    EXPECT_LE(missed[0], 10'000) << "a short demonstration shows it, too";
    for (std::size_t i = 1; i < missed.size(); ++i) {
        EXPECT_EQ(missed[i] - missed[i - 1], DemoPlan::beat_cycle_ms);
    }
}

TEST(DemoPlan, AsksForTheScriptAndLooksLater) {
    std::int64_t asked = -1;
    int looks = 0;
    for (const DemoAct& act : acts(5, 3, 100'000)) {
        if (act.kind == Kind::report) {
            asked = act.at_ms;
            EXPECT_NE(act.body.find("\"spark_script\":\"demo-report\""), std::string::npos);
        } else if (act.kind == Kind::look) {
            ++looks;
            EXPECT_EQ(act.at_ms - asked, DemoPlan::look_after_ms);
        } else {
            EXPECT_EQ(act.body.find("spark_script"), std::string::npos);
        }
    }
    EXPECT_EQ(looks, 5);
}

TEST(DemoPlan, TheDaemonTakesEveryEvent) {
    const IntakeRules rules;
    json::Parser parser;
    std::map<std::string, int> names;
    std::set<std::int64_t> scids;
    for (const DemoAct& act : acts(11, 40, 120'000)) {
        if (act.body.empty()) {
            continue;
        }
        const auto events = parser.events(act.body, rules, now_us);
        ASSERT_TRUE(events.has_value()) << act.body << events.error().reason;
        const Event& event = events->front();
        ++names[event.event_src + "/" + event.event_name];
        scids.insert(event.scid);
        EXPECT_FALSE(act.text.empty());
    }
    for (const std::string_view name : {"antenna/PARS_Divergence", "antenna/Node_Stall", "antenna/Carrier_Lock_Lost",
                                        "sshd/sshd.login_failed", "sshd/sshd.login_succeeded"}) {
        EXPECT_GT(names[std::string(name)], 10) << name;
    }
    EXPECT_GE(scids.size(), 3U);
}

TEST(DemoPlan, SomebodyAttacks) {
    std::map<std::string, int> failures;
    for (const DemoAct& act : acts(2, 20, 120'000)) {
        const auto event = Value::parse(act.body.empty() ? "{}" : act.body);
        if ((*event)["event_name"].text() == "sshd.login_failed") {
            ++failures[(*event)["payload"]["rhost"].text()];
        }
    }
    const auto attacks = std::ranges::count_if(failures, [](const auto& host) { return host.second >= 5; });
    EXPECT_GE(attacks, 5);
}

// ---- the demonstration ----

TEST(Demo, NeedsADaemon) {
    FakeDaemon daemon;
    daemon.fail(context_connect);
    EXPECT_EQ(run(daemon, {"demo", "--seconds", "1"}).code, 5);
}

struct Obliging final : public FakeDaemon {
    Result<Response> send(const Request& request) override {
        requests.push_back(request);
        return Response{.status = 200,
                        .body = R"({"unique_index":7,"spark_report_id":3,"spark_report_url":"file:///r"})"};
    }
};

TEST(Demo, BeatsSubmitsAndEndsInTime) {
    Obliging daemon;
    const Ran ran = run(daemon, {"demo", "--seconds", "1", "--rate", "30", "--seed", "1"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("tocsinctl follow"), std::string::npos);
    EXPECT_NE(ran.out.find("→ event 7"), std::string::npos);
    EXPECT_NE(ran.out.find("demo-telemetry beats"), std::string::npos);
    EXPECT_NE(ran.out.find("Done: "), std::string::npos);
    std::set<std::string> targets;
    for (const Request& request : daemon.requests) {
        targets.insert(request.target.substr(0, request.target.find('?')));
    }
    const std::set<std::string> wanted{"/v1/status", "/v1/events", "/v1/heartbeats/demo-telemetry",
                                       "/v1/heartbeats/demo-telemetry/forget"};
    EXPECT_EQ(targets, wanted);
}

TEST(Demo, AStopEndsItWithASummary) {
    struct Stopping final : public FakeDaemon {
        Result<Response> send(const Request& request) override {
            requests.push_back(request);
            if (request.target == "/v1/events") {
                ::kill(::getpid(), SIGTERM);
            }
            return Response{.status = 200, .body = R"({"unique_index":7})"};
        }
    } daemon;
    const Ran ran = run(daemon, {"demo", "--rate", "50"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_NE(ran.out.find("Done: 1 event, "), std::string::npos) << ran.out;
}

TEST(Demo, WhoMayNotIsTold) {
    FakeDaemon daemon;
    daemon.say(200, R"({"last_index":1})");
    daemon.refuse(403, "NotAuthorized", "you may not beat");
    const Ran ran = run(daemon, {"demo", "--seconds", "5"});
    EXPECT_EQ(ran.code, 4);
    EXPECT_NE(ran.err.find("you may not beat"), std::string::npos);
}

} // namespace
} // namespace tocsin::cli::test
