// SPDX-License-Identifier: Apache-2.0
// A route is one line of a table: method, path pattern, action, what its body may be, which parameters it takes,
// and the handler. What is in no table does not exist; a route that does not declare what it does does not compile.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "ipc/authority.hpp"
#include "ipc/http/limits.hpp"
#include "ipc/http/message.hpp"
#include "ipc/http/tokens.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::ipc::http {

class Fanout;

// What handlers have at hand. Lives as long as the face.
struct Context {
    Services services;
    const Clock& clock;
    AccessPolicy access;
    Authority& authority;
    Limits limits;
    std::string store_id;
    Budget bodies;
    Tokens tokens;
    std::string page{};               // address of the listener for browsers; empty: none
    std::shared_ptr<Fanout> fanout{}; // of the hub's loop
    json::Parser parser{};
};

using Handler = void (*)(Context&, Request, Responder);

enum class Body : std::uint8_t {
    control, // none, or one small JSON object
    events,  // one event, an array of them, or NDJSON in pieces
    any,     // of any type, as large as a batch: the handler knows what it takes of it
};

// Who is answered on a TCP listener without a token. On the Unix socket it changes nothing.
enum class Open : std::uint8_t {
    no,
    page,   // [listen] http: what a browser loads before it has its token
    compat, // [compat] listen: submissions, reading and callbacks of clients that know no token
};

struct Route {
    std::string_view method;
    std::string_view pattern; // "/v1/events/{unique_index}"; a last {path...} takes all that follows
    Action action;
    Handler handler;                   // null: not built yet, and `unavailable` says what
    std::string_view parameters = "";  // names; a + behind one allows several; "*": the handler checks
    std::string_view unavailable = ""; // "alerts are"
    Body body = Body::control;
    // Whether a guarded act is the caller's own affair, so that nobody needs to be asked.
    bool (*own)(const Context&, const Request&) = nullptr;
    Open open = Open::no;
    Response (*refuse)(const Error&) = nullptr; // how it says no; null: by a problem document
    bool fills_log = false;                     // it makes events: senders over their rate are turned away
};

// Every route of the face's own.
std::span<const Route> all_routes();

struct Match {
    const Route* route = nullptr;
    std::vector<std::string> captured{};
    std::vector<std::string_view> allow{}; // methods of the path, where the route is not found
};

class Router {
public:
    // The first table that has a route wins.
    explicit Router(const std::vector<std::span<const Route>>& tables);
    Match match(std::string_view method, const std::vector<std::string>& segments) const;

private:
    struct Entry {
        const Route* route;
        std::vector<std::string_view> pattern;
    };
    std::vector<Entry> entries_;
};

// An error in the route's own shape.
Response refuse(const Route& route, const Error& error);

// Unknown and wrongly repeated parameters, named.
Result<void> check_parameters(const Route& route, const Parameters& parameters);

} // namespace tocsin::ipc::http
