// SPDX-License-Identifier: Apache-2.0
// What routes and resources see of HTTP: plain structs, no sockets, no Beast. A Request comes whole, or its body in
// pieces (BodySink); an answer is one Response, or one whose body is pulled piece by piece (ByteSource). A Responder
// answers exactly once: dropped unused, it says 503.
#pragma once

#include "core/error.hpp"
#include "core/json.hpp"
#include "ipc/access.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::ipc::http {

struct Doorway;

// The other side of a connection, as the kernel says; behind a token, its maker. Its unit and executable are looked up
// when first asked for.
struct Peer {
    Caller caller{};
    int pidfd = -1;
    std::shared_ptr<const Doorway> doorway{}; // of a connection that came over TCP
    std::int64_t ends_us = 0;                 // boot time from when a token is not good any more; 0: no token

    Peer() = default;
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    const Origin& origin();

private:
    bool looked_up_ = false;
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method{}; // "GET"
    std::string target{}; // as sent
    std::string content_type{};
    std::string content_encoding{};
    std::string accept{}; // several of one name: joined by commas
    std::string accept_encoding{};
    std::string if_none_match{};
    std::string last_event_id{};
    std::string host{};
    std::string origin{};
    std::string authorization{};

    std::vector<std::string> segments{}; // of the path, decoded
    std::vector<std::string> captured{}; // those that the route's pattern names, in its order
    Parameters parameters{};             // of the query, decoded
    std::string body{};
    std::shared_ptr<Peer> peer{}; // who asks
    bool over_tcp = false;
};

class ByteSource {
public:
    virtual ~ByteSource() = default;
    // Calls `ready` once: with the next bytes, or with none at the end. One pull at a time.
    virtual void pull(std::move_only_function<void(std::string)> ready) = 0;
    virtual void tick(std::int64_t now_boot_us) = 0;
    // Nothing more is wanted: an open pull is answered with none.
    virtual void end() = 0;
};

struct Response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};
    std::optional<Code> refused{};        // of a problem document
    std::unique_ptr<ByteSource> stream{}; // then the body is what it gives, until the connection closes
};

class Responder {
public:
    using Send = std::move_only_function<void(Response)>;
    explicit Responder(Send send) : send_(std::move(send)) {}
    ~Responder();
    Responder(Responder&& other) noexcept : send_(std::exchange(other.send_, nullptr)) {}
    Responder& operator=(Responder&&) = delete;
    void reply(Response response);
    void fail(const Error& error);

private:
    Send send_;
};

// Tells the connection whether more of the body is wanted; dropped unused, it says no.
class Continue {
public:
    explicit Continue(std::move_only_function<void(bool)> tell) : tell_(std::move(tell)) {}
    ~Continue() { (*this)(false); }
    Continue(Continue&& other) noexcept : tell_(std::exchange(other.tell_, nullptr)) {}
    Continue& operator=(Continue&&) = delete;
    void operator()(bool more) {
        if (auto tell = std::exchange(tell_, nullptr)) {
            tell(more);
        }
    }

private:
    std::move_only_function<void(bool)> tell_;
};

class BodySink {
public:
    virtual ~BodySink() = default;
    // The next piece; `bytes` stay until `ready` is called. After ready(false) the answer has been given.
    virtual void take(std::string_view bytes, Continue ready) = 0;
    virtual void end() = 0;
    // What comes cannot be read any more: answers with the error.
    virtual void broken(const Error& error) = 0;
};

// ---- answers ----

Response json_reply(std::string body, unsigned status = 200);

template <typename T> Response object_reply(const T& object, unsigned status = 200) {
    std::string body;
    json::append_object(body, object);
    return json_reply(std::move(body), status);
}

template <typename T> Response list_reply(const std::vector<T>& items, std::string_view next) {
    std::string body = "{\"items\":[";
    for (std::size_t i = 0; i < items.size(); ++i) {
        body += i == 0 ? "" : ",";
        json::append_object(body, items[i]);
    }
    body += ']';
    if (!next.empty()) {
        body += ",\"next\":";
        json::append_string(body, next);
    }
    body += '}';
    return json_reply(std::move(body));
}

// Answers 200 with the object, or the problem.
template <typename T> Done<T> answer_object(Responder responder) {
    return [responder = std::move(responder)](Result<T> object) mutable {
        if (object) {
            responder.reply(object_reply(*object));
        } else {
            responder.fail(object.error());
        }
    };
}

} // namespace tocsin::ipc::http
