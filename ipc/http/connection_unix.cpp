// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/connection.hpp"
#include "ipc/http/connection_impl.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <sys/socket.h>
#include <unistd.h>

namespace tocsin::ipc::http {

// Of a Unix socket or TCP: one instantiation for both.
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;

template <> struct Ending<Socket> {
    static void close(Socket& stream) {
        boost::system::error_code ignored;
        stream.close(ignored);
    }
    static void stop_sending(Socket& stream) {
        boost::system::error_code ignored;
        stream.shutdown(Socket::shutdown_send, ignored);
    }
};

template class Connection<Socket>;

namespace {

using beast::http::field;

// Several headers of one name are one list.
template <typename Range> std::string list_of(const Range& headers) {
    std::string list;
    for (auto one = headers.first; one != headers.second; ++one) {
        list.append(list.empty() ? "" : ", ").append(one->value());
    }
    return list;
}

std::string text_of(const HeadParser& parser, field name) {
    const auto found = parser.get().find(name);
    return found == parser.get().end() ? std::string{} : std::string(found->value());
}

int domain_of(int fd) {
    int domain = AF_UNIX;
    socklen_t size = sizeof domain;
    ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
    return domain;
}

} // namespace

void serve_socket(const std::shared_ptr<Hub>& hub, int fd, std::shared_ptr<Peer> peer, Admission admission) {
    Socket stream(hub->io().get_executor());
    boost::system::error_code error;
    stream.assign(asio::generic::stream_protocol(domain_of(fd), 0), fd, error);
    if (error) {
        ::close(fd);
        return;
    }
    std::make_shared<Connection<Socket>>(hub, std::move(stream), std::move(peer), admission)->start();
}

Request request_of(const HeadParser& parser) {
    const auto& message = parser.get();
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    request.content_type = text_of(parser, field::content_type);
    request.content_encoding = text_of(parser, field::content_encoding);
    request.accept = list_of(message.equal_range(field::accept));
    request.accept_encoding = list_of(message.equal_range(field::accept_encoding));
    request.if_none_match = list_of(message.equal_range(field::if_none_match));
    request.host = text_of(parser, field::host);
    request.origin = list_of(message.equal_range(field::origin));
    request.authorization = list_of(message.equal_range(field::authorization));
    request.last_event_id = list_of(message.equal_range("Last-Event-ID"));
    return request;
}

Result<void> check_head(const HeadParser& parser) {
    const auto& message = parser.get();
    if (message.version() != 10 && message.version() != 11) {
        return std::unexpected(bad_request("version", "only HTTP/1.0 and HTTP/1.1 are spoken here"));
    }
    const auto hosts = message.count(field::host);
    if (hosts > 1 || (hosts == 0 && message.version() == 11)) {
        return std::unexpected(bad_request("Host", "must be given once"));
    }
    const std::string encoding = text_of(parser, field::transfer_encoding);
    if (message.count(field::transfer_encoding) > 1 || (!encoding.empty() && !beast::iequals(encoding, "chunked"))) {
        return std::unexpected(bad_request("Transfer-Encoding", "only chunked is taken"));
    }
    const std::string expected = text_of(parser, field::expect);
    if (!expected.empty() && !beast::iequals(expected, "100-continue")) {
        return std::unexpected(bad_request("Expect", "only 100-continue is known"));
    }
    return {};
}

bool expects_continue(const HeadParser& parser) {
    return parser.get().version() == 11 && parser.get().count(field::expect) > 0;
}

bool is_malformed(const boost::system::error_code& error) {
    const auto& of_http = beast::http::make_error_code(beast::http::error::bad_value).category();
    return error.category() == of_http && error != beast::http::error::end_of_stream &&
           error != beast::http::error::partial_message;
}

Error parse_error(const boost::system::error_code& error, const Limits& limits) {
    if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
        return too_large("header", limits.header_bytes);
    }
    return bad_request("request", fmt::format("is not HTTP/1.1: {}", error.message()));
}

std::string response_head(const Response& response, Hub& hub, bool keep, bool http_1_0) {
    const auto reason = beast::http::obsolete_reason(beast::http::int_to_status(response.status));
    std::string head =
        fmt::format("HTTP/1.1 {} {}\r\n", response.status, std::string_view(reason.data(), reason.size()));
    head += hub.date_header();
    const bool has_body = response.status != 204 && response.status != 304;
    if (has_body) {
        fmt::format_to(std::back_inserter(head), "Content-Type: {}\r\n", response.content_type);
    }
    if (has_body && !response.stream) {
        fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", response.body.size());
    }
    bool cacheable = false;
    for (const auto& [name, value] : response.headers) {
        cacheable = cacheable || name == "Cache-Control";
        fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
    }
    head += cacheable ? "" : "Cache-Control: no-store\r\n";
    head += "X-Content-Type-Options: nosniff\r\n"; // what senders wrote is never a script of ours
    if (!keep) {
        head += "Connection: close\r\n";
    } else if (http_1_0) {
        head += "Connection: keep-alive\r\n";
    }
    head += "\r\n";
    return head;
}

} // namespace tocsin::ipc::http
