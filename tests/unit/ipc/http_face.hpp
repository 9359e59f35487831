// SPDX-License-Identifier: Apache-2.0
// A face on top of the fakes that is spoken to over real socket pairs, in one thread: pump() runs the loop until
// something holds or time is up.
#pragma once

#include "http_fakes.hpp"
#include "ipc/http/connection.hpp"
#include "ipc/http/hub.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <sys/socket.h>
#include <unistd.h>

namespace tocsin::ipc::http::test {

struct Answer {
    unsigned status = 0;
    std::string head{};
    std::string body{};
    // The value of a header, or "".
    std::string header(std::string_view name) const {
        const std::size_t at = head.find(std::string("\r\n") + std::string(name) + ": ");
        if (at == std::string::npos) {
            return {};
        }
        const std::size_t from = at + name.size() + 4;
        return head.substr(from, head.find("\r\n", from) - from);
    }
    bool has(std::string_view text) const { return body.find(text) != std::string::npos; }
};

// The other end of a connection.
class Client {
public:
    explicit Client(int fd) : fd_(fd) {}
    ~Client() { close(); }
    Client(Client&& other) noexcept
        : input(std::move(other.input)), ended(other.ended), fd_(std::exchange(other.fd_, -1)) {}
    Client& operator=(Client&&) = delete;
    void close() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }
    void half_close() const { ::shutdown(fd_, SHUT_WR); }
    // As much as fits.
    std::size_t send(std::string_view text) const {
        const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        return sent < 0 ? 0 : static_cast<std::size_t>(sent);
    }
    void receive() {
        std::string piece(256 * 1024, '\0');
        for (;;) {
            const ssize_t got = ::recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
            if (got <= 0) {
                ended = ended || got == 0 || (errno != EAGAIN && errno != EINTR);
                return;
            }
            input.append(piece, 0, static_cast<std::size_t>(got));
        }
    }
    int fd() const { return fd_; }

    std::string input{};
    bool ended = false;

private:
    int fd_;
};

// Decides as the test says; keeps what it was asked.
struct FakeAuthority final : Authority {
    void check(Question question, Done<void> done) override {
        asked.push_back(question);
        if (allows) {
            done({});
        } else {
            done(tocsin::fail(Code::not_authorized, "authorize", question.what, "polkit does not allow it"));
        }
    }
    bool allows = false;
    std::vector<Question> asked{};
};

class Face {
public:
    explicit Face(Limits limits = fast(), AccessPolicy access = {.owner_uid = ::getuid(), .group = 50},
                  CompatOptions compat = {}, std::string page = {}) {
        Services services{log, log, log, heartbeats, jobs, manager, statistics, pictures};
        hub = std::make_shared<Hub>(
            io, std::make_unique<Application>(Application::Parts{services, clock, access, authority, limits,
                                                                 std::string(32, 'a'), compat, std::move(page)}));
    }
    ~Face() {
        hub->abort_all();
        settle();
    }
    Face(const Face&) = delete;
    Face& operator=(const Face&) = delete;

    static Limits fast() {
        Limits limits;
        limits.tick_us = 2'000;
        limits.accept_retry_us = 5'000;
        return limits;
    }

    static std::shared_ptr<Peer> peer(std::uint32_t uid, std::vector<std::uint32_t> groups = {}) {
        auto peer = std::make_shared<Peer>();
        peer->caller.uid = uid;
        peer->caller.groups = std::move(groups);
        peer->caller.origin.transport = "http";
        peer->caller.origin.uid = uid;
        return peer;
    }
    Client connect() { return connect_as(peer(::getuid()), Admission::served); }
    Client member() { return connect_as(peer(4'000, {50}), Admission::served); }
    Client stranger() { return connect_as(peer(4'001, {51}), Admission::served); }
    Client connect_as(std::shared_ptr<Peer> who, Admission admission) {
        std::array<int, 2> ends{};
        EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()));
        serve_socket(hub, ends[1], std::move(who), admission);
        return Client(ends[0]);
    }

    // Runs the loop until `holds`, for at most a minute: the machine may be busy.
    template <typename Condition> bool pump(Condition holds) {
        const auto end =
            std::chrono::steady_clock::now() + std::chrono::minutes(5); // a thread sanitizer on a busy machine
        while (!holds()) {
            if (std::chrono::steady_clock::now() > end) {
                return false;
            }
            io.restart();
            io.run_one_for(std::chrono::milliseconds(5));
        }
        return true;
    }
    // Everything that can run without waiting has run.
    void settle() {
        io.restart();
        while (io.poll() > 0) {
            io.restart();
        }
    }

    void send_all(Client& client, std::string_view text) {
        EXPECT_TRUE(pump([this, &client, &text] {
            text.remove_prefix(client.send(text));
            client.receive();
            settle();
            return text.empty() || client.ended;
        }));
    }
    // The next answer; status 0 when the connection ended instead.
    Answer receive(Client& client, bool head_only = false) {
        Answer answer;
        EXPECT_TRUE(pump([&client, &answer, head_only] {
            client.receive();
            return take(client, answer, head_only) || client.ended;
        }));
        return answer;
    }
    Answer ask(Client& client, std::string_view text) {
        send_all(client, text);
        return receive(client);
    }
    Answer get(std::string_view target, std::string_view headers = "") {
        Client client = connect();
        return ask(client, "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n");
    }
    static std::string post_text(std::string_view target, std::string_view body,
                                 std::string_view type = "application/json") {
        return "POST " + std::string(target) + " HTTP/1.1\r\nHost: x\r\nContent-Type: " + std::string(type) +
               "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
    }
    Answer post(std::string_view target, std::string_view body = "", std::string_view type = "application/json") {
        Client client = connect();
        return ask(client, post_text(target, body, type));
    }
    bool closed(Client& client) {
        return pump([&client] {
            client.receive();
            return client.ended;
        });
    }

    boost::asio::io_context io{};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
    FakeClock clock{};
    FakeAuthority authority{};
    FakeLog log{io};
    FakeStatistics statistics{};
    FakePictures pictures{};
    FakeHeartbeats heartbeats{};
    FakeJobs jobs{};
    FakeManager manager{};
    std::shared_ptr<Hub> hub{};

private:
    static bool take(Client& client, Answer& answer, bool head_only) {
        const std::size_t end = client.input.find("\r\n\r\n");
        if (end == std::string::npos) {
            return false;
        }
        answer.head = client.input.substr(0, end + 2);
        std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
        std::size_t length = 0;
        const std::string announced = answer.header("Content-Length");
        std::from_chars(announced.data(), announced.data() + announced.size(), length);
        length = head_only ? 0 : length;
        if (client.input.size() < end + 4 + length) {
            return false;
        }
        answer.body = client.input.substr(end + 4, length);
        client.input.erase(0, end + 4 + length);
        return true;
    }
};

inline const std::string one_event = R"({"event_name":"door.opened","event_src":"test"})";

} // namespace tocsin::ipc::http::test
