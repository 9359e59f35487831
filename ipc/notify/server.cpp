// SPDX-License-Identifier: Apache-2.0
#include "ipc/notify/server.hpp"

#include "ipc/notify/face.hpp"
#include "ipc/unix_socket.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <sys/socket.h>
#include <system_error>

namespace tocsin::ipc::notify {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using boost::system::error_code;

namespace {

constexpr int datagrams_per_turn = 64; // then other work of the loop comes first
constexpr std::chrono::milliseconds retry_delay{100};

bool is_datagram_socket(int fd) {
    int domain = 0;
    int type = 0;
    socklen_t size = sizeof domain;
    return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
           ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && domain == AF_UNIX && type == SOCK_DGRAM;
}

} // namespace

struct Server::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& io, Heartbeats& heartbeats, const Clock& clock, Options given)
        : options(std::move(given)),
          face(std::make_shared<Face>(heartbeats, clock, options.cgroups.empty() ? cgroup_root() : options.cgroups)),
          socket(io),
          retry(io),
          check(io) {}

    Result<Fd> open() const {
        if (options.fd < 0) {
            return bind_socket({"notify", options.socket, SOCK_DGRAM}, options.access);
        }
        Fd given(options.fd);
        if (!is_datagram_socket(given.get())) {
            return fail(Code::invalid_argument, "notify", fmt::format("descriptor {}", options.fd),
                        "is not a Unix datagram socket; see tocsind.socket");
        }
        if (auto ours = make_ours("notify", given.get()); !ours) {
            return std::unexpected(std::move(ours.error()));
        }
        return given;
    }

    Result<void> start() {
        auto opened = open();
        if (!opened) {
            return std::unexpected(std::move(opened.error()));
        }
        file = SocketFile(options.socket);
        if (!ask_for_senders(opened->get())) {
            return socket_error({"notify", options.socket, SOCK_DGRAM}, "ask for the senders' credentials", errno);
        }
        error_code error;
        socket.assign(opened->get(), error);
        if (error) {
            return fail(Code::unavailable, "notify", options.socket.string(), "watch the socket: " + error.message());
        }
        static_cast<void>(opened->release());
        wait();
        check_later();
        return {};
    }

    // Always armed again: an error must not make the face deaf.
    void wait() {
        socket.async_wait(stream_descriptor::wait_read, [weak = weak_from_this()](const error_code& error) {
            if (const auto self = weak.lock(); self && !self->stopped) {
                self->ready(error);
            }
        });
    }

    void ready(const error_code& error) {
        if (error) {
            return trouble(error.message());
        }
        for (int taken = 0; taken < datagrams_per_turn; ++taken) {
            Datagram datagram;
            const int result = receive(socket.native_handle(), datagram);
            if (result == 0) {
                face->take(datagram);
            } else if (result == EAGAIN || result == EWOULDBLOCK) {
                break;
            } else if (result != EINTR) {
                return trouble(std::generic_category().message(result));
            }
        }
        receiving = true;
        wait();
    }

    void trouble(const std::string& reason) {
        receiving = false;
        tell(fmt::format("datagrams cannot be received: {}", reason));
        retry.expires_after(retry_delay);
        retry.async_wait([weak = weak_from_this()](const error_code& error) {
            if (const auto self = weak.lock(); self && !self->stopped && !error) {
                self->wait();
            }
        });
    }

    // A socket whose file is gone receives nothing and reports nothing.
    void check_later() {
        if (!file.known()) {
            return;
        }
        check.expires_after(std::chrono::microseconds(options.check_us));
        check.async_wait([weak = weak_from_this()](const error_code& error) {
            if (const auto self = weak.lock(); self && !self->stopped && !error) {
                self->look();
                self->check_later();
            }
        });
    }

    void look() {
        if (!file.there()) {
            tell(fmt::format("{} is gone, so nobody reaches it: restart the daemon", options.socket.string()));
        } else if (receiving) {
            tell("");
        }
    }

    void tell(const std::string& problem) {
        if (problem != told && health) {
            health(problem);
        }
        told = problem;
    }

    void stop() {
        stopped = true;
        error_code ignored;
        socket.close(ignored);
        retry.cancel();
        check.cancel();
        if (options.fd < 0) {
            file.remove();
        }
    }

    Options options;
    std::shared_ptr<Face> face;
    stream_descriptor socket;
    asio::steady_timer retry;
    asio::steady_timer check;
    SocketFile file{};
    std::function<void(const std::string&)> health{};
    std::string told{};
    bool receiving = true;
    bool stopped = false;
};

Server::Server(asio::io_context& io, Heartbeats& heartbeats, const Clock& clock, Options options)
    : impl_(std::make_shared<Impl>(io, heartbeats, clock, std::move(options))) {}

Server::~Server() {
    impl_->stop();
}

Result<void> Server::start() {
    return impl_->start();
}

void Server::stop() {
    impl_->stop();
}

void Server::on_trouble(std::function<void(const std::string&)> handler) {
    impl_->face->on_trouble(std::move(handler));
}

void Server::on_health(std::function<void(const std::string&)> handler) {
    impl_->health = std::move(handler);
}

void Server::on_dropped(std::function<void(const tocsin::Sender&)> handler) {
    impl_->face->on_dropped(std::move(handler));
}

Counts Server::counts() const {
    return impl_->face->counts();
}

} // namespace tocsin::ipc::notify
