// SPDX-License-Identifier: Apache-2.0
// One connection: read a head, plan, read the body as planned, answer, again. Requests are answered in the order they
// came. Beast parses; answers are written by hand. Included only by the units that instantiate it: it costs half a
// minute to compile.
#pragma once

#include "ipc/http/accept.hpp"
#include "ipc/http/awaiting.hpp"
#include "ipc/http/hub.hpp"
#include "ipc/http/problem.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::ipc::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

// Beast reads 512 bytes at a time into a buffer that has no more room than that.
inline constexpr std::size_t read_bytes = 64 * limits::KiB;
inline constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

using HeadParser = beast::http::request_parser<beast::http::buffer_body>;

// How a stream ends; specialised beside each instantiation: close(stream), stop_sending(stream).
template <typename Stream> struct Ending;

// Not of the template: connection_unix.cpp has them.
Request request_of(const HeadParser& parser);
// What HTTP itself forbids, beyond what Beast refuses.
Result<void> check_head(const HeadParser& parser);
bool expects_continue(const HeadParser& parser);
// By Beast's own judgement; not where the other side just left.
bool is_malformed(const boost::system::error_code& error);
Error parse_error(const boost::system::error_code& error, const Limits& limits);
std::string response_head(const Response& response, Hub& hub, bool keep, bool http_1_0);

template <typename Stream>
class Connection final : public Session, public std::enable_shared_from_this<Connection<Stream>> {
public:
    Connection(std::shared_ptr<Hub> hub, Stream stream, std::shared_ptr<Peer> peer, Admission admission)
        : hub_(std::move(hub)),
          stream_(std::move(stream)),
          peer_(std::move(peer)),
          admission_(admission),
          uid_(peer_->doorway ? tcp_account : peer_->caller.uid.value_or(0)),
          buffer_(read_bytes) {
        buffer_.reserve(read_bytes);
        hub_->join(*this, uid_);
    }
    ~Connection() override { hub_->leave(*this, uid_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void start() { asio::co_spawn(stream_.get_executor(), serve(this->shared_from_this()), asio::detached); }

    void tick(std::int64_t now_boot_us) override {
        if (deadline_us_ != 0 && now_boot_us >= deadline_us_) {
            return abort();
        }
        if (source_ && token_ && now_boot_us >= token_->ends_us) {
            return abort();
        }
        if (source_) {
            source_->tick(now_boot_us);
        }
    }
    void finish() override {
        if (idle_ || source_) {
            abort();
        }
    }
    void abort() override {
        Ending<Stream>::close(stream_);
        if (source_) {
            source_->end();
        }
    }

private:
    using Shared = std::shared_ptr<Connection>;

    static Task<void> serve(Shared self) {
        try {
            bool more = true;
            while (more) {
                more = co_await self->exchange();
            }
            if (self->unread_) {
                co_await self->linger();
            }
        } catch (const std::exception&) {
            self->gone_ = true; // out of memory, at worst: this connection ends
        }
        Ending<Stream>::close(self->stream_);
    }

    // One request and its answer. False when the connection ends.
    Task<bool> exchange() {
        const bool arrived = co_await await_bytes();
        if (!arrived) {
            co_return false;
        }
        HeadParser parser;
        parser.header_limit(static_cast<std::uint32_t>(hub_->limits().header_bytes));
        parser.body_limit(boost::none);
        boost::system::error_code error;
        co_await beast::http::async_read_header(stream_, buffer_, parser, asio::redirect_error(Awaiting{}, error));
        deadline_us_ = 0;
        if (error) {
            co_await refuse_head(error);
            co_return false;
        }
        Request request = request_of(parser);
        request.peer = peer_;
        Plan plan = make_plan(parser, request);
        token_ = request.peer->ends_us != 0 ? request.peer : nullptr;
        const bool head_only = request.method == "HEAD";
        const bool gzip = wants_gzip(request.accept_encoding);
        Response response = co_await answer(parser, plan, std::move(request));
        if (gone_) {
            co_return false;
        }
        hub_->application().count(plan, response);
        if (may_be_packed(response, hub_->limits()) && gzip) {
            response = co_await pack(std::move(response));
        }
        if (response.stream && !head_only) {
            begin_stream(response);
        }
        unread_ = !parser.is_done();
        const bool served = admission_ == Admission::served && !hub_->stopping();
        const bool keep = served && parser.keep_alive() && !unread_ && !response.stream;
        const bool sent = co_await send(std::move(response), keep, parser.get().version() < 11, head_only);
        co_return sent&& keep;
    }

    Plan make_plan(const HeadParser& parser, Request& request) {
        if (admission_ != Admission::served) {
            Plan plan;
            plan.refused = problem({.code = Code::limit_exceeded,
                                    .context = "http",
                                    .object = {},
                                    .reason = "too many connections are open: close some, or reuse one"});
            return plan;
        }
        if (const auto fine = check_head(parser); !fine) {
            Plan plan;
            plan.refused = problem(fine.error());
            return plan;
        }
        Plan plan = hub_->application().plan(request);
        const auto length = parser.content_length();
        if (!plan.refused && !plan.in_pieces && length && *length > plan.body_bytes) {
            plan.refused = problem(too_large("body", plan.body_bytes));
        }
        return plan;
    }

    // A connection that streams counts as a stream, and needs no room for requests.
    void begin_stream(Response& response) {
        if (hub_->become_stream(*this, uid_)) {
            buffer_.clear();
            buffer_.shrink_to_fit();
            return;
        }
        response = problem({.code = Code::limit_exceeded,
                            .context = "http",
                            .object = {},
                            .reason = "too many streams are open: close some, or follow with one filter for several"});
    }

    // Waits for the first byte of a request.
    Task<bool> await_bytes() {
        const bool first = std::exchange(fresh_, false);
        if (buffer_.size() == 0) {
            if (hub_->stopping()) {
                co_return false;
            }
            idle_ = true;
            set_deadline(first ? hub_->limits().header_us : hub_->limits().idle_us);
            boost::system::error_code error;
            const std::size_t size =
                co_await stream_.async_read_some(buffer_.prepare(read_bytes), asio::redirect_error(Awaiting{}, error));
            idle_ = false;
            buffer_.commit(size);
            if (error) {
                co_return false;
            }
        }
        set_deadline(hub_->limits().header_us);
        co_return true;
    }

    Task<void> refuse_head(boost::system::error_code error) {
        if (!is_malformed(error)) {
            co_return; // the other side has left
        }
        unread_ = true;
        Response response = problem(parse_error(error, hub_->limits()));
        co_await send(std::move(response), false, false, false);
    }

    Task<Response> answer(HeadParser& parser, Plan& plan, Request request) {
        if (plan.ask && !plan.refused) {
            plan.refused = co_await ask(plan, request);
        }
        if (plan.refused) {
            co_return std::move(*plan.refused);
        }
        if (!parser.is_done() && buffer_.size() == 0 && expects_continue(parser)) {
            const bool sent = co_await write_all(continue_line, {});
            if (!sent) {
                gone_ = true;
                co_return Response{};
            }
        }
        auto slot = std::make_shared<Slot<Response>>();
        Responder responder([slot](Response response) { slot->set(std::move(response)); });
        if (plan.in_pieces) {
            auto sink = hub_->application().sink(plan, request, std::move(responder));
            co_await feed(parser, std::move(sink));
        } else {
            Share share(hub_->application().bodies());
            std::optional<Error> refused = co_await read_body(parser, plan.body_bytes, request.body, share);
            if (refused) {
                responder.fail(*refused);
            } else if (!gone_) {
                hub_->application().handle(plan, std::move(request), std::move(responder));
            }
        }
        if (gone_) {
            co_return Response{};
        }
        co_return co_await Slot<Response>::wait(slot);
    }

    Task<std::optional<Response>> ask(const Plan& plan, const Request& request) {
        auto slot = std::make_shared<Slot<std::optional<Response>>>();
        hub_->application().ask(plan, request, [slot](std::optional<Response> no) { slot->set(std::move(no)); });
        co_return co_await Slot<std::optional<Response>>::wait(slot);
    }

    // The next bytes of the body, at most `size`. 0 at its end; gone_ when the other side is.
    Task<std::size_t> read_some(HeadParser& parser, char* data, std::size_t size) {
        std::size_t got = 0;
        while (got == 0 && !parser.is_done() && !gone_) {
            auto& body = parser.get().body();
            body.data = data;
            body.size = size;
            body.more = true;
            set_deadline(hub_->limits().body_us);
            boost::system::error_code error;
            parser.eager(true);
            co_await beast::http::async_read_some(stream_, buffer_, parser, asio::redirect_error(Awaiting{}, error));
            deadline_us_ = 0;
            got = size - parser.get().body().size;
            if (error && error != beast::http::error::need_buffer) {
                gone_ = true;
                malformed_ = error;
            }
        }
        co_return got;
    }

    Task<std::optional<Error>> read_body(HeadParser& parser, std::size_t bytes_max, std::string& body, Share& share) {
        std::size_t size = 0;
        while (!parser.is_done()) {
            if (size == body.size()) {
                const std::size_t wanted = next_size(parser, size, bytes_max);
                if (!share.grow_to(wanted)) {
                    co_return Error{.code = Code::unavailable,
                                    .context = "http",
                                    .object = {},
                                    .reason = "too many bodies are being received at once; try again"};
                }
                body.resize(wanted);
            }
            size += co_await read_some(parser, body.data() + size, body.size() - size);
            if (gone_) {
                co_return body_error();
            }
            if (size > bytes_max) {
                co_return too_large("body", bytes_max);
            }
        }
        body.resize(size);
        co_return std::nullopt;
    }

    // What was announced, or a doubling; one more than allowed shows that there is more.
    static std::size_t next_size(const HeadParser& parser, std::size_t size, std::size_t bytes_max) {
        const std::size_t announced = static_cast<std::size_t>(parser.content_length().value_or(bytes_max + 1));
        return std::min({std::max(size * 2, read_bytes), announced, bytes_max + 1});
    }

    // A body that Beast cannot read is answered; one whose sender left is not.
    std::optional<Error> body_error() {
        if (!is_malformed(malformed_)) {
            return std::nullopt;
        }
        gone_ = false;
        return parse_error(malformed_, hub_->limits());
    }

    Task<void> feed(HeadParser& parser, std::shared_ptr<BodySink> sink) {
        std::string piece(read_bytes, '\0');
        while (!parser.is_done()) {
            const std::size_t size = co_await read_some(parser, piece.data(), piece.size());
            if (gone_) { // what was not committed is dropped
                if (const auto error = body_error()) {
                    sink->broken(*error);
                }
                co_return;
            }
            if (size == 0) {
                continue;
            }
            auto more = std::make_shared<Slot<bool>>();
            sink->take(std::string_view(piece.data(), size), Continue([more](bool wanted) { more->set(wanted); }));
            const bool wanted = co_await Slot<bool>::wait(more);
            if (!wanted) {
                co_return;
            }
        }
        sink->end();
    }

    Task<Response> pack(Response response) {
        auto slot = std::make_shared<Slot<Response>>();
        hub_->packer().pack(std::move(response), [slot](Response packed) { slot->set(std::move(packed)); });
        co_return co_await Slot<Response>::wait(slot);
    }

    Task<bool> send(Response response, bool keep, bool http_1_0, bool head_only) {
        std::string head = response_head(response, *hub_, keep, http_1_0);
        const bool sent = co_await write_all(head, head_only ? std::string_view{} : std::string_view(response.body));
        if (sent && response.stream && !head_only) {
            source_ = std::move(response.stream);
            co_await follow();
            source_.reset();
        }
        co_return sent;
    }

    // The deadline is for each piece that is taken, not for the whole.
    Task<bool> write_all(std::string_view head, std::string_view body) {
        while (!head.empty() || !body.empty()) {
            const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head), asio::buffer(body)};
            set_deadline(hub_->limits().write_us);
            boost::system::error_code error;
            const std::size_t size =
                co_await stream_.async_write_some(buffers, asio::redirect_error(Awaiting{}, error));
            deadline_us_ = 0;
            if (error) {
                co_return false;
            }
            const std::size_t of_head = std::min(size, head.size());
            head.remove_prefix(of_head);
            body.remove_prefix(size - of_head);
        }
        co_return true;
    }

    Task<void> follow() {
        asio::co_spawn(stream_.get_executor(), watch_for_close(this->shared_from_this()), asio::detached);
        bool taken = true;
        while (taken) {
            auto slot = std::make_shared<Slot<std::string>>();
            source_->pull([slot](std::string bytes) { slot->set(std::move(bytes)); });
            const std::string bytes = co_await Slot<std::string>::wait(slot);
            if (bytes.empty()) {
                break;
            }
            taken = co_await write_all(bytes, {});
        }
        abort();
    }

    // Nothing is expected from a follower but its leaving.
    static Task<void> watch_for_close(Shared self) {
        boost::system::error_code error;
        std::array<char, 256> dropped{};
        while (!error) {
            co_await self->stream_.async_read_some(asio::buffer(dropped), asio::redirect_error(Awaiting{}, error));
        }
        self->abort();
    }

    // An early answer would be lost to a client that is still sending if we closed at once.
    Task<void> linger() {
        Ending<Stream>::stop_sending(stream_);
        set_deadline(hub_->limits().linger_us);
        idle_ = true;
        boost::system::error_code error;
        std::string dropped(read_bytes, '\0');
        while (!error) {
            co_await stream_.async_read_some(asio::buffer(dropped), asio::redirect_error(Awaiting{}, error));
        }
        deadline_us_ = 0;
    }

    void set_deadline(std::int64_t after_us) { deadline_us_ = hub_->now_us() + after_us; }

    std::shared_ptr<Hub> hub_;
    Stream stream_;
    std::shared_ptr<Peer> peer_;
    Admission admission_;
    std::uint32_t uid_;
    beast::flat_buffer buffer_;
    std::shared_ptr<Peer> token_{}; // a stream ends with it
    std::unique_ptr<ByteSource> source_{};
    std::int64_t deadline_us_ = 0; // boot time; 0: none
    boost::system::error_code malformed_{};
    bool fresh_ = true;   // no request yet
    bool idle_ = false;   // no answer is in flight
    bool gone_ = false;   // the other side is, or its body is unreadable
    bool unread_ = false; // it may still be sending
};

} // namespace tocsin::ipc::http
