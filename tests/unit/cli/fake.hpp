// SPDX-License-Identifier: Apache-2.0
// A daemon made of prepared answers, and the whole program run against it: what was asked, what was printed, the exit
// code.
#pragma once

#include "cli/program.hpp"

#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli::test {

inline constexpr std::int64_t now_us = 1'767'322'804'000'000; // 2026-01-02T03:00:04Z

class FakeDaemon : public Client {
public:
    void say(unsigned status, std::string body, std::string next = {}) {
        Response response{.status = status, .body = std::move(body), .next = std::move(next)};
        answers.emplace_back(std::move(response));
    }
    void refuse(unsigned status, std::string_view code, std::string_view detail, std::string_view more = {}) {
        say(status, "{\"status\":" + std::to_string(status) + ",\"code\":\"" + std::string(code) + "\",\"detail\":\"" +
                        std::string(detail) + "\"" + std::string(more) + "}");
    }
    void fail(std::string_view context) {
        answers.emplace_back(
            std::unexpected(Error{Code::unavailable, std::string(context), "/x.sock", "no daemon listens there"}));
    }

    Result<Response> send(const Request& request) override {
        requests.push_back(request);
        if (answers.empty()) {
            return Response{.status = 404, .body = R"({"code":"NotFound","detail":"nothing prepared"})"};
        }
        Result<Response> answer = std::move(answers.front());
        answers.pop_front();
        return answer;
    }

    // The body of a good answer comes in pieces of `piece_bytes`.
    Result<Response> stream(const Request& request, const PieceHandler& use) override {
        Result<Response> answer = send(request);
        if (!answer || !answer->ok()) {
            return answer;
        }
        std::string_view rest = answer->body;
        while (!rest.empty() && use(rest.substr(0, piece_bytes))) {
            rest.remove_prefix(std::min(piece_bytes, rest.size()));
        }
        return answer;
    }

    const Request& last() const { return requests.back(); }

    std::deque<Result<Response>> answers{};
    std::vector<Request> requests{};
    std::size_t piece_bytes = 7;
};

// The client that the program owns; the daemon behind it stays the test's.
class Borrowed final : public Client {
public:
    explicit Borrowed(Client& client) : client_(client) {}
    Result<Response> send(const Request& request) override { return client_.send(request); }
    Result<Response> stream(const Request& request, const PieceHandler& use) override {
        return client_.stream(request, use);
    }

private:
    Client& client_;
};

struct Ran {
    int code = -1;
    std::string out{};
    std::string err{};
    ClientOptions connected{};
};

struct Screen {
    bool terminal = false;
    std::size_t columns = 0;
    bool no_color = false;
    int input_fd = 0;
};

inline Ran run(FakeDaemon& daemon, std::initializer_list<std::string_view> words, Screen screen = {}) {
    Ran ran;
    MemoryOutput out;
    MemoryOutput err;
    out.terminal = screen.terminal;
    out.columns = screen.columns;
    const auto connect = [&daemon, &ran](ClientOptions options) {
        ran.connected = std::move(options);
        return std::make_unique<Borrowed>(daemon);
    };
    const Surroundings surroundings{
        .is_root = true, .no_color = screen.no_color, .now_us = now_us, .input_fd = screen.input_fd};
    const std::vector<std::string_view> all(words);
    ran.code = run_program(all, surroundings, out, err, connect);
    out.flush();
    err.flush();
    ran.out = out.text;
    ran.err = err.text;
    return ran;
}

// A pipe that holds `text` and is closed: standard input.
class Input {
public:
    explicit Input(std::string_view text);
    ~Input();
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;
    int fd() const { return fd_; }

private:
    int fd_ = -1;
};

} // namespace tocsin::cli::test
