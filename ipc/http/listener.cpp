// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/listener.hpp"

#include <cerrno>
#include <chrono>
#include <sys/socket.h>

namespace tocsin::ipc::http {

void Listener::listen(int fd) {
    socket_.assign(fd);
    accept();
}

void Listener::close() {
    closed_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
    retry_.cancel();
}

void Listener::accept() {
    socket_.async_wait(Descriptor::wait_read, [weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !self->closed_) {
            self->ready(error);
        }
    });
}

void Listener::ready(const boost::system::error_code& error) {
    if (error) {
        return accept_later();
    }
    for (int taken = 0; taken < accepts_at_once; ++taken) {
        const int fd = ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            accepted_(fd);
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

void Listener::accept_later() {
    retry_.expires_after(std::chrono::microseconds(retry_us_));
    retry_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !self->closed_ && !error) {
            self->accept();
        }
    });
}

} // namespace tocsin::ipc::http
