// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/tcp_socket.hpp"

#include "core/fd.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cerrno>
#include <charconv>
#include <netinet/tcp.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <system_error>

namespace tocsin::ipc::http {
namespace {

using boost::asio::ip::tcp;
constexpr int backlog = 256;

std::optional<tcp::endpoint> endpoint_of(std::string_view address) {
    const std::size_t colon = address.rfind(':');
    std::string_view host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    const std::string_view digits = address.substr(colon + 1);
    std::uint16_t port = 0;
    std::from_chars(digits.begin(), digits.end(), port);
    boost::system::error_code error;
    const auto parsed =
        boost::asio::ip::make_address(host == "localhost" ? std::string("127.0.0.1") : std::string(host), error);
    return error ? std::nullopt : std::optional(tcp::endpoint(parsed, port));
}

std::unexpected<Error> cannot(std::string_view address, std::string_view doing) {
    return fail(Code::unavailable, "http", std::string(address),
                "cannot " + std::string(doing) + ": " + std::generic_category().message(errno));
}

} // namespace

Result<int> listen_tcp(std::string_view address) {
    const auto endpoint = endpoint_of(address);
    if (!endpoint) {
        return fail(Code::invalid_argument, "http", std::string(address),
                    "must be a numeric address or localhost, with a port");
    }
    Fd socket(::socket(endpoint->protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int yes = 1;
    if (socket.get() < 0 || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) {
        return cannot(address, "make a socket");
    }
    if (endpoint->protocol() == tcp::v6()) {
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    }
    if (::bind(socket.get(), endpoint->data(), static_cast<socklen_t>(endpoint->size())) != 0 ||
        ::listen(socket.get(), backlog) != 0) {
        return cannot(address, "listen");
    }
    return socket.release();
}

bool is_loopback(std::string_view address) {
    const auto endpoint = endpoint_of(address);
    return endpoint && endpoint->address().is_loopback();
}

void send_at_once(int fd) {
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

} // namespace tocsin::ipc::http
