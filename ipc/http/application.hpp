// SPDX-License-Identifier: Apache-2.0
// From a request's head to who answers it: target, route, who may, parameters, kind of body. Deny by default.
#pragma once

#include "ipc/http/compat/compat.hpp"
#include "ipc/http/router.hpp"

#include <memory>
#include <optional>

namespace boost::asio {
class io_context;
}

namespace tocsin::ipc::http {

// What a connection does with a request whose head it has read.
struct Plan {
    const Route* route = nullptr;
    std::optional<Response> refused{}; // answer this; the body is not wanted
    bool ask = false;                  // first ask(): the act is guarded
    bool in_pieces = false;            // the body goes to sink(); else whole to handle(), up to body_bytes
    std::size_t body_bytes = 0;
};

class Application {
public:
    struct Parts {
        Services services;
        const Clock& clock;
        AccessPolicy access;
        Authority& authority;
        Limits limits;
        std::string store_id;
        CompatOptions compat{};
        std::string page{}; // address of the listener for browsers; empty: none
    };
    explicit Application(Parts parts);

    // Completes the request's segments, captured and parameters.
    Plan plan(Request& request);
    // Where plan.ask: whether the caller may; the answer of a refusal, or none.
    void ask(const Plan& plan, const Request& request, std::move_only_function<void(std::optional<Response>)> done);
    void handle(const Plan& plan, Request request, Responder responder);
    std::shared_ptr<BodySink> sink(const Plan& plan, const Request& request, Responder responder);
    // Every answer passes here on its way out: refused submissions are counted.
    void count(const Plan& plan, const Response& response);

    const Limits& limits() const { return context_.limits; }
    const Clock& clock() const { return context_.clock; }
    Budget& bodies() { return context_.bodies; }
    // Streams follow the log on this loop; before the first request.
    void follow_on(boost::asio::io_context& io);
    std::size_t streams_hold() const; // bytes

private:
    std::optional<Response> enter(const Plan& plan, Request& request);
    Match find(const Request& request) const;
    Result<void> admit(Plan& plan, const Request& request) const;
    Result<void> choose_body(Plan& plan, const Request& request) const;
    Response options(const Request& request, const Match& match) const;
    Response not_found(const Request& request, const Match& match) const;

    Context context_;
    Router router_;
    Router compat_; // what [compat] listen has
};

// 413 that names the bound.
Error too_large(std::string_view what, std::size_t bytes_max);

} // namespace tocsin::ipc::http
