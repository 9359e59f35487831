// SPDX-License-Identifier: Apache-2.0
// A bare Beast server on a Unix socket: reads a request, answers 201 with a short body. What HTTP itself costs here.
// bench_http_echo SOCKET; ends when its standard input does.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <cstdio>
#include <unistd.h>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Socket = asio::local::stream_protocol::socket;

namespace {

asio::awaitable<void> serve(Socket socket) {
    boost::beast::flat_buffer buffer;
    buffer.reserve(65536);
    try {
        while (true) {
            http::request_parser<http::string_body> parser;
            parser.body_limit(std::uint64_t{64} << 20);
            co_await http::async_read(socket, buffer, parser, asio::use_awaitable);
            http::response<http::string_body> answer(http::status::created, 11);
            answer.set(http::field::content_type, "application/json");
            answer.body() = R"({"unique_index":1})";
            answer.keep_alive(parser.get().keep_alive());
            answer.prepare_payload();
            co_await http::async_write(socket, answer, asio::use_awaitable);
        }
    } catch (const boost::system::system_error&) {
        co_return; // the client left
    }
}

asio::awaitable<void> accept_all(asio::local::stream_protocol::acceptor& acceptor) {
    while (true) {
        Socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        co_spawn(acceptor.get_executor(), serve(std::move(socket)), asio::detached);
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: bench_http_echo SOCKET\n", stderr);
        return 2;
    }
    asio::io_context io(1);
    ::unlink(argv[1]);
    asio::local::stream_protocol::acceptor acceptor(io, argv[1]);
    co_spawn(io, accept_all(acceptor), asio::detached);
    asio::posix::stream_descriptor input(io, ::dup(0));
    std::array<char, 16> ignored{};
    input.async_read_some(asio::buffer(ignored), [&io](const boost::system::error_code&, std::size_t) { io.stop(); });
    std::puts("ready");
    std::fflush(stdout);
    io.run();
}
