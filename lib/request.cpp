// SPDX-License-Identifier: Apache-2.0
#include "lib/request.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace tocsin::lib {
namespace {

constexpr std::size_t key_bytes = 16;
constexpr std::array<std::string_view, 5> states{"ok", "start", "finish", "fail", "alive"};
constexpr std::string_view hex = "0123456789abcdef";

Request post(std::string_view target, std::string_view body, std::size_t events) {
    Request request{.text = {}, .events = events};
    request.text.reserve(256 + target.size() + body.size());
    request.text.append("POST ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: libtocsin/");
    request.text.append(TOCSIN_VERSION "\r\n");
    request.text.append("Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: ");
    request.text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    return request;
}

std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '~') {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.append("%").append(1, hex[byte >> 4U]).append(1, hex[byte & 0xFU]);
        }
    }
    return out;
}

// A key of its own for each event: of one read of random bytes and its place.
struct Keys {
    std::string stem = new_key();
    tocsin_event::Defaults at(std::size_t i) const {
        return {.key = stem + '-' + std::to_string(i), .time_us = time_us};
    }
    std::int64_t time_us = now_us();
};

std::unexpected<tocsin_result> refused(int code, std::string message) {
    return std::unexpected(failure(code, std::move(message)));
}

std::unexpected<tocsin_result> no_random() {
    return refused(TOCSIN_UNAVAILABLE, "the system gives no random bytes to make a key of");
}

class Options {
public:
    void text(std::string_view key, const char* value) {
        if (value == nullptr || !problem_.empty()) {
            return;
        }
        begin(key);
        if (!append_string(body_, value)) {
            problem_ = std::string(key) + ": is not valid UTF-8";
        }
    }
    void number(std::string_view key, std::int64_t value) {
        begin(key);
        body_ += std::to_string(value);
    }
    void duration(std::string_view key, std::int64_t us) {
        if (us < 0) {
            problem_ = std::string(key) + ": is negative";
        }
        begin(key);
        body_ += '"' + std::to_string(us) + "us\"";
    }
    std::string body() const { return body_ + '}'; }
    const std::string& problem() const { return problem_; }

private:
    void begin(std::string_view key) {
        body_ += body_.size() == 1 ? "\"" : ",\"";
        body_.append(key).append("\":");
    }
    std::string body_ = "{";
    std::string problem_{};
};

void describe(const tocsin_beat_options& given, Options& options) {
    if (given.scid != 0) {
        options.number("scid", given.scid);
    }
    if (given.interval_us != 0) {
        options.duration("interval", given.interval_us);
    }
    if (given.grace_us != 0) {
        options.duration("grace", given.grace_us);
    }
    options.text("schedule", given.schedule);
    options.text("zone", given.zone);
    options.text("run", given.run);
    options.text("status", given.status);
}

} // namespace

std::string new_key() {
    std::array<unsigned char, key_bytes> bytes{};
    std::size_t have = 0;
    while (have < bytes.size()) {
        const ssize_t got = ::getrandom(bytes.data() + have, bytes.size() - have, 0);
        if (got < 0 && errno != EINTR) {
            return {};
        }
        have += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    std::string key;
    for (const unsigned char byte : bytes) {
        key.append(1, hex[byte >> 4U]).append(1, hex[byte & 0xFU]);
    }
    return key;
}

std::int64_t now_us() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

Made submit_request(const tocsin_event& event) {
    if (event.problem()) {
        return std::unexpected(*event.problem());
    }
    const tocsin_event::Defaults defaults{.key = new_key(), .time_us = now_us()};
    if (defaults.key.empty()) {
        return no_random();
    }
    std::string body;
    event.render(body, defaults);
    if (body.size() > TOCSIN_BATCH_BYTES_MAX) {
        return refused(TOCSIN_LIMIT_EXCEEDED, "the event is larger than 16 MiB; the daemon takes 256 KiB");
    }
    return post("/v1/events", body, 1);
}

Made batch_request(std::span<const tocsin_event* const> events) {
    if (events.empty() || events.size() > TOCSIN_BATCH_EVENTS_MAX) {
        return refused(events.empty() ? TOCSIN_INVALID_ARGUMENT : TOCSIN_LIMIT_EXCEEDED,
                       "count: a batch has 1 to 10000 events; send more in several");
    }
    const Keys keys;
    if (keys.stem.empty()) {
        return no_random();
    }
    std::string body = "[";
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (events[i] == nullptr) {
            return refused(TOCSIN_NO_MEMORY, "event " + std::to_string(i) + " is NULL");
        }
        if (events[i]->problem()) {
            tocsin_result wrong = *events[i]->problem();
            wrong.problems.front().event = i;
            return std::unexpected(std::move(wrong));
        }
        body += i == 0 ? "" : ",";
        events[i]->render(body, keys.at(i));
        if (body.size() >= TOCSIN_BATCH_BYTES_MAX) {
            return refused(TOCSIN_LIMIT_EXCEEDED, "the batch is larger than 16 MiB; send it in several");
        }
    }
    return post("/v1/events", body + ']', events.size());
}

Made beat_request(const char* source, const tocsin_beat_options* options) {
    if (source == nullptr || *source == '\0') {
        return refused(TOCSIN_INVALID_ARGUMENT, "source: says whose sign of life it is, and must not be empty");
    }
    const tocsin_beat_options none = TOCSIN_BEAT_OPTIONS_INIT;
    tocsin_beat_options given = none;
    if (options != nullptr) {
        if (options->size == 0 || options->size % alignof(tocsin_beat_options) != 0) {
            return refused(TOCSIN_INVALID_ARGUMENT, "options: begin with TOCSIN_BEAT_OPTIONS_INIT");
        }
        std::memcpy(&given, options, std::min(options->size, sizeof given)); // an older caller's is shorter
    }
    Options made;
    describe(given, made);
    if (!made.problem().empty()) {
        return refused(TOCSIN_INVALID_ARGUMENT, made.problem());
    }
    std::string target = "/v1/heartbeats/" + percent_encode(source);
    const std::string_view state = given.state == nullptr ? "ok" : given.state;
    if (std::ranges::find(states, state) == states.end()) {
        return refused(TOCSIN_INVALID_ARGUMENT, "state: is one of ok, start, finish, fail, alive");
    }
    if (state != "ok") {
        target.append("/").append(state);
    }
    return post(target, made.body(), 0);
}

} // namespace tocsin::lib
