// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/tcp_face.hpp"

#include "ipc/http/connection.hpp"
#include "ipc/http/tcp_socket.hpp"

#include <chrono>
#include <unistd.h>

namespace tocsin::ipc::http {

TcpFace::TcpFace(std::shared_ptr<Hub> hub, std::string_view key, std::string address, bool compat, Trouble trouble)
    : hub_(std::move(hub)),
      key_(key),
      address_(std::move(address)),
      doorway_(std::make_shared<const Doorway>(doorway_at(address_, compat))),
      trouble_(std::move(trouble)),
      retry_(hub_->io()) {}

void TcpFace::start() {
    const auto fd = listen_tcp(address_);
    if (!fd) {
        troubled_ = true;
        trouble_(key_, fd.error().object + ": " + fd.error().reason);
        return start_later();
    }
    listener_ = std::make_shared<Listener>(hub_->io(), hub_->limits().accept_retry_us,
                                           [this](int connection) { serve(connection); });
    listener_->listen(*fd);
    if (std::exchange(troubled_, false)) {
        trouble_(key_, {});
    }
}

void TcpFace::close() {
    closed_ = true; // a timer that is due already must not listen again
    retry_.cancel();
    if (listener_) {
        listener_->close();
    }
}

void TcpFace::serve(int fd) {
    auto peer = std::make_shared<Peer>();
    peer->caller.origin.transport = "http";
    peer->doorway = doorway_;
    const Admission admission = hub_->admission(tcp_account);
    if (admission == Admission::dropped) {
        ::close(fd);
        return;
    }
    send_at_once(fd);
    serve_socket(hub_, fd, std::move(peer), admission);
}

void TcpFace::start_later() {
    retry_.expires_after(std::chrono::microseconds(hub_->limits().bind_retry_us));
    retry_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error && !self->closed_) {
            self->start();
        }
    });
}

} // namespace tocsin::ipc::http
