// SPDX-License-Identifier: Apache-2.0
// Beats go out with proof alone: fake requests and signs of life, no time.
#include "daemon/deadman.hpp"

#include "daemon/curl_ping.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <chrono>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tocsin::daemon {
namespace {

constexpr std::int64_t hour_us = 3'600'000'000;

class FakePing final : public Ping {
public:
    void send(const std::string& url, std::int64_t timeout_us, std::function<void(const std::string&)> done) override {
        urls.push_back(url);
        timeout = timeout_us;
        if (hold) {
            open.push_back(std::move(done));
        } else {
            done(problem);
        }
    }
    std::vector<std::string> urls{};
    std::vector<std::function<void(const std::string&)>> open{};
    std::int64_t timeout = 0;
    std::string problem{};
    bool hold = false;
};

class DeadmanTest : public testing::Test {
protected:
    DeadmanTest() {
        deadman = std::make_unique<Deadman>(
            io, ping,
            DeadmanHooks{.log = [this](const std::string& message) { logged.push_back(message); },
                         .problem = [this](const std::string& reason) { problems.push_back(reason); }});
        deadman->add_proof("the writer", [this](std::move_only_function<void()> answered) {
            ++asked;
            if (writer) {
                answered();
            } else {
                unanswered.push_back(std::move(answered));
            }
        });
        deadman->add_check("the jobs' reader", [this] { return jobs; });
    }
    void start(const std::string& url = "https://hc.example.org/ping/1") {
        deadman->reconfigure({.url = url, .interval_us = hour_us});
    }
    std::size_t sent() const { return ping.urls.size(); }

    boost::asio::io_context io{1};
    FakePing ping{};
    std::vector<std::string> logged{};
    std::vector<std::string> problems{};
    std::vector<std::move_only_function<void()>> unanswered{};
    int asked = 0;
    bool writer = true;
    bool jobs = true;
    std::unique_ptr<Deadman> deadman{};
};

TEST_F(DeadmanTest, BeatsAtOnceAndAtEachInterval) {
    start();
    EXPECT_EQ(sent(), 1U);
    EXPECT_LE(ping.timeout, hour_us);
    EXPECT_GT(ping.timeout, 0);
    deadman->tick();
    deadman->tick();
    EXPECT_EQ(sent(), 3U);
    EXPECT_EQ(asked, 3);
    EXPECT_TRUE(logged.empty());
    EXPECT_TRUE(problems.empty());
}

TEST_F(DeadmanTest, WithoutAUrlNobodyIsAsked) {
    start("");
    deadman->tick();
    EXPECT_EQ(asked, 0);
    EXPECT_EQ(sent(), 0U);
}

TEST_F(DeadmanTest, AStalledWriterIsSilenceThere) {
    start();
    writer = false;
    deadman->tick();
    EXPECT_EQ(sent(), 1U);
    EXPECT_TRUE(logged.empty()) << "it may still answer";
    deadman->tick();
    deadman->tick();
    EXPECT_EQ(sent(), 1U);
    EXPECT_EQ(asked, 2) << "it is not asked again before it answered";
    ASSERT_EQ(logged.size(), 1U);
    EXPECT_NE(logged[0].find("the writer"), std::string::npos);
    writer = true;
    unanswered.at(0)();
    EXPECT_EQ(sent(), 2U) << "a late answer is a sign of life";
    ASSERT_EQ(logged.size(), 2U);
    deadman->tick();
    EXPECT_EQ(sent(), 3U);
    EXPECT_EQ(logged.size(), 2U);
    EXPECT_TRUE(problems.empty()) << "the switch itself works";
}

TEST_F(DeadmanTest, AReaderThatStandsStillIsSilenceToo) {
    start();
    jobs = false;
    deadman->tick();
    deadman->tick();
    EXPECT_EQ(sent(), 1U);
    ASSERT_EQ(logged.size(), 1U);
    EXPECT_NE(logged[0].find("the jobs' reader"), std::string::npos);
    jobs = true;
    deadman->tick();
    EXPECT_EQ(sent(), 2U);
}

TEST_F(DeadmanTest, FailuresAreToldOnceAndDegradeAfterThree) {
    ping.problem = "the answer was 500";
    start();
    EXPECT_EQ(logged.size(), 1U);
    EXPECT_NE(logged[0].find("500"), std::string::npos);
    deadman->tick();
    EXPECT_TRUE(problems.empty());
    deadman->tick();
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_NE(problems[0].find("3 beats in a row"), std::string::npos) << problems[0];
    deadman->tick();
    EXPECT_EQ(problems.size(), 1U);
    EXPECT_EQ(logged.size(), 1U);
    EXPECT_EQ(sent(), 4U) << "no back-off beyond the interval";
    ping.problem.clear();
    deadman->tick();
    EXPECT_EQ(problems.back(), "");
    EXPECT_EQ(logged.size(), 2U);
    deadman->tick();
    EXPECT_EQ(problems.size(), 2U);
}

TEST_F(DeadmanTest, OneRequestAtATime) {
    ping.hold = true;
    start();
    deadman->tick();
    deadman->tick();
    EXPECT_EQ(sent(), 1U);
    EXPECT_TRUE(logged.empty()) << "nobody is silent";
    ping.open.at(0)("");
    EXPECT_EQ(sent(), 2U) << "the one that is due";
}

TEST_F(DeadmanTest, AnotherUrlStartsAnew) {
    ping.problem = "refused";
    start();
    deadman->tick();
    deadman->tick();
    EXPECT_EQ(problems.size(), 1U);
    ping.hold = true;
    deadman->tick();
    start("http://other.example.org/");
    EXPECT_EQ(problems.back(), "") << "the new one has not failed yet";
    ping.open.at(0)("refused");
    ASSERT_EQ(sent(), 5U) << "as soon as the old request is out of the way";
    EXPECT_EQ(ping.urls.back(), "http://other.example.org/");
    ping.open.at(1)("");
    EXPECT_EQ(problems.size(), 2U);
    start("http://other.example.org/");
    EXPECT_EQ(sent(), 5U) << "nothing changed";
    start("");
    deadman->tick();
    EXPECT_EQ(sent(), 5U);
}

TEST_F(DeadmanTest, AnAnswerAfterItsEndIsHarmless) {
    ping.hold = true;
    start();
    writer = false;
    deadman->tick();
    deadman.reset();
    unanswered.at(0)();
    ping.open.at(0)("late");
    EXPECT_TRUE(problems.empty());
}

TEST(ReaderProgressTest, StandsStillOnlyWithWorkAndWithoutAMove) {
    ReaderProgress reader;
    EXPECT_TRUE(reader.moves(0, 10));
    EXPECT_TRUE(reader.moves(5, 10)) << "what it shall read has just come";
    EXPECT_FALSE(reader.moves(9, 10));
    EXPECT_FALSE(reader.moves(9, 10));
    EXPECT_TRUE(reader.moves(9, 11)) << "slow, but it gets on";
    EXPECT_TRUE(reader.moves(0, 20));
    EXPECT_TRUE(reader.moves(0, 20)) << "nothing to do";
}

// A server that answers one request with the given text, or accepts and says nothing.
class OneAnswer {
public:
    OneAnswer() {
        EXPECT_EQ(::bind(fd_, generic(), sizeof address_), 0);
        EXPECT_EQ(::listen(fd_, 4), 0);
        socklen_t size = sizeof address_;
        EXPECT_EQ(::getsockname(fd_, generic(), &size), 0);
    }
    OneAnswer(const OneAnswer&) = delete;
    OneAnswer& operator=(const OneAnswer&) = delete;
    ~OneAnswer() { ::close(fd_); }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(ntohs(address_.sin_port)) + "/ping"; }
    std::string answer(const std::string& text) const {
        const int peer = ::accept(fd_, nullptr, nullptr);
        std::string request(4096, '\0');
        const ssize_t got = ::recv(peer, request.data(), request.size(), 0);
        request.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        EXPECT_EQ(::send(peer, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
        ::close(peer);
        return request;
    }

private:
    sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address_); }
    sockaddr_in address_{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

class CurlPingTest : public testing::Test {
protected:
    CurlPingTest() { setenv("no_proxy", "127.0.0.1", 1); }
    void send(CurlPing& ping, const std::string& url, std::int64_t timeout_us = 10'000'000) {
        ping.send(url, timeout_us, [this](const std::string& problem) { results.push_back(problem); });
    }
    std::string result() {
        const std::size_t before = results.size();
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (results.size() == before && std::chrono::steady_clock::now() < end) {
            io.run_one_for(std::chrono::milliseconds(50));
        }
        return results.size() > before ? results.back() : "nothing came";
    }
    auto post() {
        return [this](std::move_only_function<void()> task) { boost::asio::post(io, std::move(task)); };
    }

    boost::asio::io_context io{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
    std::vector<std::string> results{};
};

TEST_F(CurlPingTest, AsksAndReadsTheAnswer) {
    const OneAnswer server;
    CurlPing ping(post());
    send(ping, server.url());
    const std::string request = server.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK");
    EXPECT_TRUE(request.starts_with("GET /ping HTTP/1.1\r\n")) << request;
    EXPECT_NE(request.find("User-Agent: tocsind/"), std::string::npos);
    EXPECT_EQ(result(), "");
    send(ping, server.url());
    server.answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(result(), "the answer was 404");
    send(ping, server.url());
    server.answer("nonsense\r\n");
    EXPECT_NE(result(), "");
}

TEST_F(CurlPingTest, SaysWhyItDidNotArriveWithoutTheSecret) {
    std::string url;
    {
        const OneAnswer gone;
        url = gone.url() + "/secret-uuid";
    }
    CurlPing ping(post());
    send(ping, url);
    const std::string problem = result();
    EXPECT_NE(problem, "");
    EXPECT_EQ(problem.find("secret-uuid"), std::string::npos) << problem;
    send(ping, "file:///etc/passwd");
    EXPECT_NE(result(), "");
}

TEST_F(CurlPingTest, GivesUpAfterItsTime) {
    const OneAnswer silent;
    CurlPing ping(post());
    send(ping, silent.url(), 50'000);
    EXPECT_NE(result().find("timed out"), std::string::npos) << results.back();
}

TEST_F(CurlPingTest, OneAtATimeAndTheEndInterrupts) {
    const OneAnswer silent;
    const auto begin = std::chrono::steady_clock::now();
    {
        CurlPing ping(post());
        send(ping, silent.url(), hour_us);
        send(ping, silent.url(), hour_us);
        EXPECT_EQ(result(), "the one before is still under way");
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15)) << "an hour otherwise";
    io.poll();
    EXPECT_EQ(results.size(), 1U) << "nobody is told after the end";
}

} // namespace
} // namespace tocsin::daemon
