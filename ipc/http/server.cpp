// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/server.hpp"

#include "ipc/http/connection.hpp"
#include "ipc/http/unix_socket.hpp"
#include "ipc/unix_socket.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <sys/socket.h>
#include <unistd.h>

namespace tocsin::ipc::http {

namespace asio = boost::asio;
using Acceptor = asio::basic_socket_acceptor<asio::local::stream_protocol, asio::io_context::executor_type>;
using asio::local::stream_protocol;

struct Server::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& io, Services services, const Clock& clock, Options given)
        : options(std::move(given)),
          hub(std::make_shared<Hub>(
              io, std::make_unique<Application>(Application::Parts{
                      services, clock, options.access, options.authority != nullptr ? *options.authority : nobody,
                      Limits{}, options.store_id, options.compat}))),
          acceptor(io.get_executor()),
          retry(io) {}

    // Always armed again: an error (no descriptor left, for one) must not make the daemon deaf.
    void accept() {
        acceptor.async_wait(Acceptor::wait_read, [weak = weak_from_this()](const boost::system::error_code& error) {
            if (const auto self = weak.lock(); self && !self->stopped) {
                self->ready(error);
            }
        });
    }

    void ready(const boost::system::error_code& error) {
        if (error) {
            return accept_later();
        }
        for (int taken = 0; taken < accepts_at_once; ++taken) {
            const int fd = ::accept4(acceptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (fd >= 0) {
                serve(fd);
                continue;
            }
            if (errno == EAGAIN || errno == EWOULDBLOCK) {
                break;
            }
            if (errno != ECONNABORTED && errno != EINTR) {
                return accept_later();
            }
        }
        accept();
    }

    void serve(int fd) {
        auto peer = peer_of(fd);
        const Admission admission = peer ? hub->admission(*(*peer)->caller.uid) : Admission::dropped;
        if (admission == Admission::dropped) {
            ::close(fd);
            return;
        }
        serve_socket(hub, fd, std::move(*peer), admission);
    }

    void accept_later() {
        retry.expires_after(std::chrono::microseconds(hub->limits().accept_retry_us));
        retry.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
            if (const auto self = weak.lock(); self && !self->stopped && !error) {
                self->accept();
            }
        });
    }

    void stop_accepting() {
        stopped = true;
        boost::system::error_code ignored;
        acceptor.close(ignored);
        retry.cancel();
        bound.remove();
    }

    static constexpr int accepts_at_once = 64;

    Options options;
    NoAuthority nobody{"nobody can be asked here"};
    std::shared_ptr<Hub> hub;
    Acceptor acceptor;
    asio::steady_timer retry;
    SocketFile bound{}; // where we made it
    bool stopped = false;
};

Server::Server(asio::io_context& io, Services services, const Clock& clock, Options options)
    : impl_(std::make_shared<Impl>(io, services, clock, std::move(options))) {}

Server::~Server() {
    impl_->stop_accepting();
    impl_->hub->abort_all();
}

Result<void> Server::start() {
    const bool given = impl_->options.listen_fd >= 0;
    const auto fd =
        given ? adopt_listener(impl_->options.listen_fd) : listen_at(impl_->options.socket, impl_->options.access);
    if (!fd) {
        return std::unexpected(fd.error());
    }
    if (!given) {
        impl_->bound = SocketFile(impl_->options.socket);
    }
    boost::system::error_code error;
    impl_->acceptor.assign(stream_protocol{}, *fd, error);
    if (error) {
        ::close(*fd);
        return fail(Code::unavailable, "http", impl_->options.socket.string(), "watch the socket: " + error.message());
    }
    impl_->accept();
    return {};
}

void Server::stop(std::move_only_function<void()> done) {
    impl_->stop_accepting();
    impl_->hub->stop(std::move(done));
}

} // namespace tocsin::ipc::http
