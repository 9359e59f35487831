// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/server.hpp"

#include "ipc/http/connection.hpp"
#include "ipc/http/listener.hpp"
#include "ipc/http/tcp_face.hpp"
#include "ipc/http/unix_socket.hpp"
#include "ipc/unix_socket.hpp"

#include <boost/asio/io_context.hpp>

#include <unistd.h>
#include <vector>

namespace tocsin::ipc::http {

namespace asio = boost::asio;

struct Server::Impl {
    Impl(asio::io_context& io, Services services, const Clock& clock, Options given)
        : options(std::move(given)),
          hub(std::make_shared<Hub>(
              io, std::make_unique<Application>(Application::Parts{
                      services, clock, options.access, options.authority != nullptr ? *options.authority : nobody,
                      Limits{}, options.store_id, options.compat, options.listen}))),
          listener(std::make_shared<Listener>(io, hub->limits().accept_retry_us, [this](int fd) { serve(fd); })) {}

    void serve(int fd) {
        auto peer = peer_of(fd);
        const Admission admission = peer ? hub->admission(*(*peer)->caller.uid) : Admission::dropped;
        if (admission == Admission::dropped) {
            ::close(fd);
            return;
        }
        serve_socket(hub, fd, std::move(*peer), admission);
    }

    void serve_tcp(std::string_view key, const std::string& address, bool compat) {
        if (address.empty()) {
            return;
        }
        faces.push_back(std::make_shared<TcpFace>(hub, key, address, compat, options.on_trouble));
        faces.back()->start();
    }

    void stop_accepting() {
        listener->close();
        for (const auto& face : faces) {
            face->close();
        }
        bound.remove();
    }

    Options options;
    NoAuthority nobody{"nobody can be asked here"};
    std::shared_ptr<Hub> hub;
    std::shared_ptr<Listener> listener;
    std::vector<std::shared_ptr<TcpFace>> faces{};
    SocketFile bound{}; // where we made it
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
    impl_->listener->listen(*fd);
    impl_->serve_tcp("listen.http", impl_->options.listen, false);
    impl_->serve_tcp("compat.listen", impl_->options.compat_listen, true);
    return {};
}

void Server::stop(std::move_only_function<void()> done) {
    impl_->stop_accepting();
    impl_->hub->stop(std::move(done));
}

} // namespace tocsin::ipc::http
