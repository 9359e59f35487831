// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/fake.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <unistd.h>

namespace tocsin::cli::test {
namespace {

std::string frame(unsigned index) {
    return "id: " + std::to_string(index) + "\nevent: event\ndata: {\"unique_index\":" + std::to_string(index) +
           ",\"event_name\":\"n\"}\n\n";
}

constexpr std::string_view head = "retry: 100\n: store x\n\n";

TEST(Follow, BeginsAtNow) {
    FakeDaemon daemon;
    daemon.say(200, R"({"last_index":41})");
    daemon.say(200, std::string(head) + frame(42));
    const Ran ran = run(daemon, {"follow", "-n", "1", "-o", "ndjson", "--src", "s"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "{\"unique_index\":42,\"event_name\":\"n\"}\n");
    EXPECT_EQ(daemon.requests[0].target, "/v1/status");
    EXPECT_EQ(daemon.requests[1].target, "/v1/stream?event_src=s&after=41");
    EXPECT_EQ(daemon.requests[1].accept, "text/event-stream");
}

TEST(Follow, GoesOnBehindTheLastIdWhenTheStreamEnds) {
    FakeDaemon daemon;
    daemon.say(200, std::string(head) + frame(6) + frame(7) + "id: 8\ndata: {\"half");
    daemon.fail(context_connect);
    daemon.refuse(503, "Unavailable", "starting");
    daemon.say(200, std::string(head) + frame(8));
    const Ran ran = run(daemon, {"follow", "--after", "5", "-n", "3", "--json"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "{\"unique_index\":6,\"event_name\":\"n\"}\n{\"unique_index\":7,\"event_name\":\"n\"}\n"
                       "{\"unique_index\":8,\"event_name\":\"n\"}\n");
    ASSERT_EQ(daemon.requests.size(), 4U);
    EXPECT_EQ(daemon.requests[0].last_event_id, "");
    EXPECT_EQ(daemon.requests[3].last_event_id, "7") << "the id of half an event does not count";
    EXPECT_NE(ran.err.find("the connection ended; waiting for the daemon to go on behind index 7"), std::string::npos)
        << ran.err;
    EXPECT_NE(ran.err.find("connected again"), std::string::npos);
    EXPECT_EQ(ran.err.find("the connection ended"), ran.err.rfind("the connection ended")) << "told once";
}

TEST(Follow, NothingIsMissedBeforeTheFirstEvent) {
    FakeDaemon daemon;
    daemon.say(200, R"({"last_index":41})");
    daemon.say(200, std::string(head));
    daemon.say(200, std::string(head) + frame(42));
    EXPECT_EQ(run(daemon, {"follow", "-n", "1"}).code, 0);
    EXPECT_EQ(daemon.requests[2].target, "/v1/stream?after=41");
}

TEST(Follow, AStreamThatEndsBeforeItsFirstByteIsAskedAgain) {
    FakeDaemon daemon;
    daemon.say(200, ""); // the daemon stops at this moment
    daemon.say(200, std::string(head) + frame(3));
    EXPECT_EQ(run(daemon, {"follow", "--after", "2", "-n", "1"}).code, 0);
    EXPECT_EQ(daemon.requests.size(), 2U);
}

TEST(Follow, TellsGaps) {
    FakeDaemon daemon;
    daemon.say(200, "event: gap\ndata: {\"after\":12,\"first\":15}\n\nevent: news\ndata: x\n\n" + frame(15));
    const Ran ran = run(daemon, {"follow", "--after", "12", "-n", "1"});
    EXPECT_NE(ran.err.find("behind index 12 and before 15 are no longer kept"), std::string::npos) << ran.err;
    EXPECT_NE(ran.out.find("15"), std::string::npos);
}

TEST(Follow, NoDaemonAtFirstIsAnError) {
    FakeDaemon daemon;
    daemon.fail(context_connect);
    EXPECT_EQ(run(daemon, {"follow", "--after", "0"}).code, 5);
    EXPECT_EQ(daemon.requests.size(), 1U);
}

TEST(Follow, ARefusalIsAnErrorAlsoLater) {
    FakeDaemon daemon;
    daemon.refuse(400, "InvalidArgument", "severity: no");
    EXPECT_EQ(run(daemon, {"follow", "--after", "0", "--severity", "loud"}).code, 2);
    daemon.say(200, std::string(head));
    daemon.refuse(403, "NotAuthorized", "no longer");
    EXPECT_EQ(run(daemon, {"follow", "--after", "0"}).code, 4);
}

TEST(Follow, ASignalEndsItWell) {
    struct Stopping final : public FakeDaemon {
        Result<Response> stream(const Request& request, const PieceHandler& use) override {
            ::kill(::getpid(), SIGINT);
            return FakeDaemon::stream(request, use);
        }
    } daemon;
    daemon.say(200, std::string(head) + frame(1));
    const Ran ran = run(daemon, {"follow", "--after", "0"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(daemon.requests.size(), 1U);
}

TEST(Follow, ShowsRowsThatAreHarmless) {
    FakeDaemon daemon;
    daemon.say(200,
               "id: 1\nevent: event\ndata: {\"unique_index\":1,\"event_name\":\"n\",\"summary\":\"\\u001b[2J\"}\n\n");
    const Ran ran = run(daemon, {"follow", "--after", "0", "-n", "1"});
    EXPECT_TRUE(ran.out.find("INDEX") != std::string::npos && ran.out.find("\\x1b[2J") != std::string::npos) << ran.out;
}

} // namespace
} // namespace tocsin::cli::test
