// SPDX-License-Identifier: Apache-2.0
// A blocking HTTP client of the daemon's Unix socket: one request, one answer, or an answer read piece by piece
// (streams). Connecting takes at most 5 s, an answer as long as the caller says. What the daemon refuses is a Response
// with its status; an Error means that it could not be asked: `context` tells whether anything was sent (see
// context_connect).
#pragma once

#include "core/error.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::cli {

// Error::context when there was no connection: nothing was sent, and trying again is safe.
inline constexpr std::string_view context_connect = "connect";
// … when the connection broke or the answer did not come in time: the daemon may have done it.
inline constexpr std::string_view context_answer = "answer";

inline constexpr std::chrono::milliseconds answer_default{30'000};

struct Request {
    std::string method = "GET";
    std::string target{}; // encoded: "/v1/events?limit=5"
    std::string body{};
    std::string content_type{}; // empty without a body
    std::string accept{};
    std::string last_event_id{};
    std::chrono::milliseconds deadline{0}; // of the answer; 0: as the client was made. Not of streams
};

struct Response {
    unsigned status = 0;
    std::string content_type{};
    std::string body{};
    std::string next{}; // target of Link: <…>; rel="next"
    std::optional<unsigned> retry_after_s{};
    bool ok() const { return status >= 200 && status < 300; }
};

// Gets the next piece; false ends the stream.
using PieceHandler = std::function<bool(std::string_view)>;

class Client {
public:
    virtual ~Client() = default;
    virtual Result<Response> send(const Request& request) = 0;
    // Calls `use` with pieces of a good answer as they come, until the daemon or `use` ends it. The answer to a refused
    // request has its body as send() has.
    virtual Result<Response> stream(const Request& request, const PieceHandler& use) = 0;
};

struct ClientOptions {
    std::string socket{};
    std::chrono::milliseconds answer = answer_default;
};

std::unique_ptr<Client> make_client(ClientOptions options);

// Which socket: the option, TOCSIN_SOCKET, a session's own daemon where it runs (not for root), the system's.
struct SocketChoice {
    std::optional<std::string_view> option{};
    std::string environment{}; // TOCSIN_SOCKET
    std::string runtime_dir{}; // XDG_RUNTIME_DIR
    bool is_root = false;
};
std::string choose_socket(const SocketChoice& choice, const std::function<bool(const std::string&)>& exists);

// ---- targets ----

// Everything but letters, digits and -._~ as %XX.
std::string percent_encode(std::string_view text);
using Parameters = std::vector<std::pair<std::string, std::string>>;
std::string target(std::string_view path, const Parameters& parameters);

} // namespace tocsin::cli
