// SPDX-License-Identifier: Apache-2.0
// Posts events over keep-alive connections and prints acknowledged events a second.
// bench_http_load SOCKET CONNECTIONS EVENTS_PER_REQUEST SECONDS; one event is JSON, more are NDJSON.
#include "bench/sample.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

int connect_to(const char* path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        std::perror("http_load: connect");
        std::exit(1);
    }
    return fd;
}

std::string request(std::uint64_t first, std::uint64_t events) {
    std::string body = events == 1 ? bench::sample_event(first) : bench::sample_lines(first, events);
    return fmt::format(
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
        events == 1 ? "application/json" : "application/x-ndjson", body.size(), body);
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        ssize_t done = ::write(fd, text.data(), text.size());
        if (done <= 0) {
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(done));
    }
    return true;
}

// One whole answer with a Content-Length; true for 2xx.
bool read_answer(int fd, std::string& buffer) {
    while (true) {
        std::size_t head = buffer.find("\r\n\r\n");
        std::size_t length = buffer.find("Content-Length: ");
        if (head != std::string::npos && length != std::string::npos && length < head) {
            std::uint64_t body = 0;
            std::from_chars(buffer.data() + length + 16, buffer.data() + head, body);
            if (buffer.size() >= head + 4 + body) {
                bool good = buffer.compare(9, 1, "2") == 0;
                buffer.erase(0, head + 4 + body);
                return good;
            }
        }
        char part[65536];
        ssize_t got = ::read(fd, part, sizeof(part));
        if (got <= 0) {
            return false;
        }
        buffer.append(part, static_cast<std::size_t>(got));
    }
}

void run(const char* path, std::uint64_t events, Clock::time_point end, std::atomic<std::uint64_t>& total) {
    int fd = connect_to(path);
    std::vector<std::string> requests;
    for (std::uint64_t i = 0; i < 8; ++i) {
        requests.push_back(request(i * events, events));
    }
    std::string buffer;
    for (std::size_t i = 0; Clock::now() < end; ++i) {
        if (!write_all(fd, requests[i % requests.size()]) || !read_answer(fd, buffer)) {
            std::fputs("http_load: refused\n", stderr);
            break;
        }
        total += events;
    }
    ::close(fd);
}

} // namespace

int main(int argc, char** argv) {
    auto connections = argc == 5 ? bench::number(argv[2]) : std::nullopt;
    auto events = argc == 5 ? bench::number(argv[3]) : std::nullopt;
    auto seconds = argc == 5 ? bench::number(argv[4]) : std::nullopt;
    if (!connections || !events || !seconds) {
        std::fputs("usage: bench_http_load SOCKET CONNECTIONS EVENTS_PER_REQUEST SECONDS\n", stderr);
        return 2;
    }
    std::atomic<std::uint64_t> total = 0;
    auto begin = Clock::now();
    auto end = begin + std::chrono::seconds(*seconds);
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < *connections; ++i) {
        threads.emplace_back([path = argv[1], events, end, &total] { run(path, *events, end, total); });
    }
    threads.clear();
    fmt::print("{:.0f}\n", static_cast<double>(total) / std::chrono::duration<double>(Clock::now() - begin).count());
}
