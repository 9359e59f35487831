// SPDX-License-Identifier: Apache-2.0
// Posts events over keep-alive connections and prints acknowledged events a second.
// bench_http_load SOCKET CONNECTIONS EVENTS_PER_REQUEST SECONDS [plain|keys|sources]; one event is JSON, more are
// NDJSON. With "keys" every event has an idempotency key, with "sources" a source, that no other has.
#include "bench/sample.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <latch>
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

enum class Kind { plain, keys, sources };

constexpr std::string_view number_mark = "################"; // where a number that no other event has is to be

std::string marked(std::string event, Kind kind) {
    if (kind == Kind::keys) {
        event.insert(1, fmt::format(R"("idempotency_key":"{}",)", number_mark));
    } else if (kind == Kind::sources) {
        constexpr std::string_view field = R"("event_src":")";
        event.insert(event.find(field) + field.size(), number_mark);
    }
    return event;
}

struct Request {
    std::string text;
    std::vector<std::size_t> numbers{}; // where they stand
};

Request request(std::uint64_t first, std::uint64_t events, Kind kind) {
    std::string body;
    for (std::uint64_t i = 0; i < events; ++i) {
        body += marked(bench::sample_event(first + i), kind) + (events == 1 ? "" : "\n");
    }
    Request request{
        fmt::format("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
                    events == 1 ? "application/json" : "application/x-ndjson", body.size(), body)};
    for (std::size_t at = 0; (at = request.text.find(number_mark, at)) != std::string::npos; ++at) {
        request.numbers.push_back(at);
    }
    return request;
}

// Other numbers each time, also than other runs'.
void renumber(Request& request, std::uint64_t& next) {
    for (const std::size_t at : request.numbers) {
        fmt::format_to(request.text.begin() + static_cast<std::ptrdiff_t>(at), "{:016x}", next++);
    }
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

void run(const char* path, std::uint64_t events, Kind kind, std::latch& prepared, std::chrono::seconds time,
         std::atomic<std::uint64_t>& total) {
    int fd = connect_to(path);
    std::vector<Request> requests;
    for (std::uint64_t i = 0; i < 8; ++i) {
        requests.push_back(request(i * events, events, kind));
    }
    std::uint64_t next = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    std::string buffer;
    prepared.arrive_and_wait();
    const auto end = Clock::now() + time;
    for (std::size_t i = 0; Clock::now() < end; ++i) {
        Request& one = requests[i % requests.size()];
        renumber(one, next);
        if (!write_all(fd, one.text) || !read_answer(fd, buffer)) {
            std::fputs("http_load: refused\n", stderr);
            break;
        }
        total += events;
    }
    ::close(fd);
}

std::optional<Kind> kind_of(std::string_view name) {
    return name == "plain"     ? std::optional(Kind::plain)
           : name == "keys"    ? std::optional(Kind::keys)
           : name == "sources" ? std::optional(Kind::sources)
                               : std::nullopt;
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string_view> words(argv + 1, argv + argc);
    if (words.size() == 4) {
        words.emplace_back("plain");
    }
    words.resize(5); // what is missing is no number
    const auto connections = bench::number(words[1]);
    const auto events = bench::number(words[2]);
    const auto seconds = bench::number(words[3]);
    const auto kind = kind_of(words[4]);
    if (!connections || !events || !seconds || !kind) {
        std::fputs("usage: bench_http_load SOCKET CONNECTIONS EVENTS_PER_REQUEST SECONDS [plain|keys|sources]\n",
                   stderr);
        return 2;
    }
    std::atomic<std::uint64_t> total = 0;
    std::latch prepared(static_cast<std::ptrdiff_t>(*connections) + 1); // making the requests is not measured
    const std::chrono::seconds time(*seconds);
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < *connections; ++i) {
        threads.emplace_back([path = argv[1], events, kind, &prepared, time, &total] {
            run(path, *events, *kind, prepared, time, total);
        });
    }
    prepared.arrive_and_wait();
    const auto begin = Clock::now();
    threads.clear();
    fmt::print("{:.0f}\n", static_cast<double>(total) / std::chrono::duration<double>(Clock::now() - begin).count());
}
