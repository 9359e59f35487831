// SPDX-License-Identifier: Apache-2.0
// The real client against a socket that answers what it is told, byte for byte.
#include "cli/client.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace tocsin::cli {
namespace {

// Answers the requests of each connection with prepared bytes, each after it has read the whole request, then closes
// it.
class Listener {
public:
    using Connection = std::vector<std::string>;

    explicit Listener(std::vector<Connection> connections) : connections_(std::move(connections)) {
        std::string folder = "/tmp/tocsinctl-test-XXXXXX";
        folder_ = ::mkdtemp(folder.data());
        path = folder_ + "/s";
        fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(fd_, 8), 0);
        thread_ = std::jthread([this] { accept_all(); });
    }
    ~Listener() {
        end();
        ::close(fd_);
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    // After the client is gone.
    std::vector<std::string> requests() {
        end();
        return requests_;
    }
    std::string path;

private:
    void end() {
        ::shutdown(fd_, SHUT_RDWR);
        if (thread_.joinable()) {
            thread_.join();
        }
        serving_.clear();
    }

    void accept_all() {
        for (const Connection& answers : connections_) {
            const int client = ::accept(fd_, nullptr, nullptr);
            if (client < 0) {
                return;
            }
            serving_.emplace_back([this, client, &answers] { serve(client, answers); });
        }
    }

    void serve(int client, const Connection& answers) {
        for (const std::string& answer : answers) {
            std::string request = read_request(client);
            if (request.empty()) {
                break;
            }
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(std::move(request));
            }
            std::string_view rest = answer;
            while (!rest.empty()) {
                const ssize_t sent = ::send(client, rest.data(), rest.size(), MSG_NOSIGNAL);
                if (sent <= 0) {
                    break;
                }
                rest.remove_prefix(static_cast<std::size_t>(sent));
            }
        }
        ::close(client);
    }

    static std::string read_request(int client) {
        std::string text;
        std::size_t wanted = std::string::npos;
        while (text.size() < wanted) {
            char buffer[4096];
            const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
            if (got <= 0) {
                break;
            }
            text.append(buffer, static_cast<std::size_t>(got));
            const std::size_t end = text.find("\r\n\r\n");
            if (end != std::string::npos && wanted == std::string::npos) {
                const std::size_t length = text.find("Content-Length: ");
                wanted = end + 4 + (length < end ? std::strtoul(text.c_str() + length + 16, nullptr, 10) : 0);
            }
        }
        return text;
    }

    std::vector<Connection> connections_;
    std::mutex mutex_{};
    std::vector<std::string> requests_{};
    std::string folder_{};
    int fd_ = -1;
    std::vector<std::jthread> serving_{};
    std::jthread thread_{};
};

std::string http(std::string_view status, std::string_view headers, std::string_view body) {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(headers) + "\r\n" + std::string(body);
}

constexpr std::string_view last_header = "Connection: close\r\n";

std::unique_ptr<Client> client_of(const Listener& listener) {
    return make_client({.socket = listener.path, .answer = std::chrono::seconds(20)});
}

TEST(Client, AsksAndReadsTheAnswer) {
    Listener listener(
        {{http("200 OK",
               "Content-Type: application/x-ndjson\r\nLink: </v1/events?a=b&cursor=x%3D>; rel=\"next\"\r\n"
               "Connection: close\r\n",
               "{\"a\":1}\n")}});
    const auto answer = client_of(listener)->send({.target = "/v1/events?a=b", .accept = "application/x-ndjson"});
    ASSERT_TRUE(answer.has_value()) << answer.error().reason;
    EXPECT_TRUE(answer->ok());
    EXPECT_EQ(answer->content_type, "application/x-ndjson");
    EXPECT_EQ(answer->body, "{\"a\":1}\n");
    EXPECT_EQ(answer->next, "/v1/events?a=b&cursor=x%3D");
    const std::string request = listener.requests().at(0);
    EXPECT_TRUE(request.starts_with("GET /v1/events?a=b HTTP/1.1\r\n")) << request;
    EXPECT_NE(request.find("Accept: application/x-ndjson\r\n"), std::string::npos);
    EXPECT_NE(request.find("Host: localhost\r\n"), std::string::npos);
}

TEST(Client, SendsBodiesWhole) {
    Listener listener({{http("201 Created", last_header, "{}")}});
    const std::string body(3'000'000, 'x');
    const auto answer = client_of(listener)->send(
        {.method = "POST", .target = "/v1/events", .body = body, .content_type = "application/json"});
    ASSERT_TRUE(answer.has_value()) << answer.error().reason;
    EXPECT_EQ(answer->status, 201U);
    const std::string request = listener.requests().at(0);
    EXPECT_EQ(request.find("Expect:"), std::string::npos);
    EXPECT_TRUE(request.ends_with(body));
}

TEST(Client, PostsWithoutABodyToo) {
    Listener listener({{http("204 No Content", last_header, "")}});
    const auto answer = client_of(listener)->send({.method = "POST", .target = "/v1/reload"});
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 204U);
    const std::string request = listener.requests().at(0);
    EXPECT_NE(request.find("Content-Length: 0\r\n"), std::string::npos) << request;
    EXPECT_EQ(request.find("Content-Type"), std::string::npos);
}

TEST(Client, ARefusalIsAnAnswer) {
    Listener listener(
        {{http("503 Service Unavailable", "Retry-After: 4\r\nConnection: close\r\n", "{\"code\":\"x\"}")}});
    const auto answer = client_of(listener)->send({.target = "/"});
    ASSERT_TRUE(answer.has_value());
    EXPECT_FALSE(answer->ok());
    EXPECT_EQ(answer->retry_after_s, 4U);
    EXPECT_EQ(answer->body, "{\"code\":\"x\"}");
}

TEST(Client, ABrokenAnswerIsInDoubt) {
    Listener listener({{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"}});
    const auto answer = client_of(listener)->send({.method = "POST", .target = "/v1/events", .body = "{}"});
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Code::unavailable);
    EXPECT_EQ(answer.error().context, context_answer);
}

TEST(Client, NeverSendsAPostTwice) {
    // The daemon keeps the first connection and dies while it has the event: a client that sends it again by itself,
    // because it thinks that an old connection had gone stale, could submit it twice.
    Listener listener({{http("200 OK", "", "{}"), ""}, {""}, {http("201 Created", last_header, "{}")}});
    {
        const auto client = client_of(listener);
        ASSERT_TRUE(client->send({.target = "/v1/status"}).has_value());
        const auto answer = client->send({.method = "POST", .target = "/v1/events", .body = "{}"});
        ASSERT_FALSE(answer.has_value());
        EXPECT_EQ(answer.error().context, context_answer);
    }
    EXPECT_EQ(listener.requests().size(), 2U);
}

TEST(Client, NoDaemonSaysWhichSocket) {
    const auto answer = make_client({.socket = "/nonexistent/tocsin.sock"})->send({.target = "/"});
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Code::unavailable);
    EXPECT_EQ(answer.error().context, context_connect);
    EXPECT_EQ(answer.error().object, "/nonexistent/tocsin.sock");
}

TEST(Client, APathThatIsTooLongIsUsage) {
    const auto answer = make_client({.socket = "/" + std::string(200, 'x')})->send({.target = "/"});
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Code::invalid_argument);
}

TEST(Client, WaitsNoLongerThanTold) {
    Listener listener({});
    const auto answer =
        make_client({.socket = listener.path, .answer = std::chrono::milliseconds(50)})->send({.target = "/"});
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().context, context_answer);
    EXPECT_NE(answer.error().reason.find("in time"), std::string::npos) << answer.error().reason;
}

TEST(Client, ARequestMayWaitLess) {
    Listener listener({});
    const auto answer = make_client({.socket = listener.path, .answer = std::chrono::hours(1)})
                            ->send({.target = "/", .deadline = std::chrono::milliseconds(50)});
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().context, context_answer);
}

TEST(Client, StreamsPieces) {
    Listener listener({{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\ndata: b\n\n"}});
    std::string got;
    const auto answer =
        client_of(listener)->stream({.target = "/v1/stream", .last_event_id = "17"}, [&got](std::string_view piece) {
            got += piece;
            return true;
        });
    ASSERT_TRUE(answer.has_value()) << answer.error().reason;
    EXPECT_EQ(got, "data: a\n\ndata: b\n\n");
    EXPECT_TRUE(answer->body.empty());
    EXPECT_NE(listener.requests().at(0).find("Last-Event-ID: 17\r\n"), std::string::npos);
}

TEST(Client, AStreamEndsWhenTold) {
    Listener listener({{"HTTP/1.1 200 OK\r\n\r\ndata"}});
    const auto answer = client_of(listener)->stream({.target = "/"}, [](std::string_view) { return false; });
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->ok());
}

TEST(Client, ARefusedStreamHasItsBody) {
    Listener listener({{http("400 Bad Request", last_header, "{\"detail\":\"no\"}")}});
    bool used = false;
    const auto answer = client_of(listener)->stream({.target = "/"}, [&used](std::string_view) { return used = true; });
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 400U);
    EXPECT_EQ(answer->body, "{\"detail\":\"no\"}");
    EXPECT_FALSE(used);
}

TEST(Client, ACallbackThatThrowsBreaksNothing) {
    Listener listener({{"HTTP/1.1 200 OK\r\n\r\ndata"}});
    const auto answer =
        client_of(listener)->stream({.target = "/"}, [](std::string_view) -> bool { throw std::bad_alloc(); });
    EXPECT_FALSE(answer.has_value());
}

TEST(Client, IgnoresProxiesOfTheEnvironment) {
    ::setenv("http_proxy", "http://127.0.0.1:9", 1);
    Listener listener({{http("200 OK", last_header, "{}")}});
    EXPECT_TRUE(client_of(listener)->send({.target = "/"}).has_value());
    ::unsetenv("http_proxy");
}

// ---- which socket ----

TEST(ChooseSocket, TakesTheFirstThatIsSaid) {
    const auto yes = [](const std::string&) { return true; };
    const auto no = [](const std::string&) { return false; };
    EXPECT_EQ(choose_socket({.option = "/o", .environment = "/e", .runtime_dir = "/r"}, yes), "/o");
    EXPECT_EQ(choose_socket({.environment = "/e", .runtime_dir = "/r"}, yes), "/e");
    EXPECT_EQ(choose_socket({.runtime_dir = "/r"}, yes), "/r/tocsin/tocsin.sock");
    EXPECT_EQ(choose_socket({.runtime_dir = "/r"}, no), "/run/tocsin/tocsin.sock");
    EXPECT_EQ(choose_socket({.runtime_dir = "/r", .is_root = true}, yes), "/run/tocsin/tocsin.sock");
    EXPECT_EQ(choose_socket({}, yes), "/run/tocsin/tocsin.sock");
}

TEST(Target, EncodesEverything) {
    EXPECT_EQ(target("/v1/events", {}), "/v1/events");
    EXPECT_EQ(target("/v1/events", {{"event_name", "a b&c=d/ä*"}, {"scid", "-5"}}),
              "/v1/events?event_name=a%20b%26c%3Dd%2F%C3%A4%2A&scid=-5");
    EXPECT_EQ(percent_encode("a/b?c#d%"), "a%2Fb%3Fc%23d%25");
    EXPECT_EQ(percent_encode("A-Z.a_z~09"), "A-Z.a_z~09");
}

} // namespace
} // namespace tocsin::cli
