// SPDX-License-Identifier: Apache-2.0
#include "lib/connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tocsin::lib {
namespace {

constexpr std::size_t piece_bytes = 16UL * 1024;

bool would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

} // namespace

int Connection::open(const std::string& path, int epoll) {
    close();
    Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!made) {
        return errno;
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return errno;
    }
    epoll_event wanted{.events = EPOLLIN | EPOLLRDHUP, .data = {.fd = made.get()}};
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, made.get(), &wanted) != 0) {
        return errno;
    }
    socket_ = std::move(made);
    epoll_ = epoll;
    return 0;
}

void Connection::close() {
    socket_.reset(); // which takes it out of epoll, too
    writing_ = broken_ = served_ = false;
    text_ = {};
    sent_ = 0;
    reader_.reset();
}

void Connection::want_write(bool wanted) {
    if (wanted == writing_) {
        return;
    }
    writing_ = wanted;
    const std::uint32_t events = EPOLLIN | EPOLLRDHUP | (wanted ? EPOLLOUT : 0U);
    epoll_event changed{.events = events, .data = {.fd = socket_.get()}};
    broken_ = ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_.get(), &changed) != 0 || broken_;
}

bool Connection::send() {
    while (sent_ < text_.size() && !broken_) {
        const ssize_t done = ::send(socket_.get(), text_.data() + sent_, text_.size() - sent_, MSG_NOSIGNAL);
        if (done >= 0) {
            sent_ += static_cast<std::size_t>(done);
        } else if (would_block(errno)) {
            want_write(true);
            return true;
        } else if (errno != EINTR) {
            broken_ = true;
        }
    }
    want_write(false);
    return !broken_;
}

Connection::State Connection::receive() {
    std::array<char, piece_bytes> piece{};
    while (true) {
        const ssize_t got = ::recv(socket_.get(), piece.data(), piece.size(), 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && would_block(errno)) {
            return reader_ ? State::waiting : State::idle;
        }
        if (got <= 0 || !reader_) {
            return State::broken; // closed, or something that nobody asked for
        }
        const auto state = reader_->take({piece.data(), static_cast<std::size_t>(got)});
        if (state != Reader::State::more) {
            return state == Reader::State::done ? State::answered : State::garbled;
        }
    }
}

Connection::State Connection::start(std::string_view text) {
    text_ = text;
    sent_ = 0;
    reader_.emplace();
    return pump();
}

Connection::State Connection::pump() {
    const bool sending = send();
    const State state = receive();
    // An early answer may have come in before the daemon closed.
    return state == State::waiting && !sending ? State::broken : state;
}

Answer Connection::answer() {
    Answer answer = reader_->answer();
    const bool whole = sent_ == text_.size();
    reader_.reset();
    text_ = {};
    sent_ = 0;
    served_ = true;
    if (!answer.keep || !whole || broken_) {
        close();
    }
    return answer;
}

} // namespace tocsin::lib
