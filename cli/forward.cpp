// SPDX-License-Identifier: Apache-2.0
#include "cli/forward.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tocsin::cli {
namespace {

constexpr std::size_t read_bytes = 64 * limits::KiB;

std::size_t capacity_of(int pipe) {
    const int bytes = ::fcntl(pipe, F_GETPIPE_SZ);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : read_bytes;
}

void set_blocking(int fd, bool blocking) {
    const int flags = ::fcntl(fd, F_GETFL);
    static_cast<void>(::fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK));
}

} // namespace

Forward::Forward(Fd source, int destination, Tail& tail)
    : source_(std::move(source)), destination_(destination), tail_(tail), write_most_(PIPE_BUF) {
    struct stat status{};
    if (::fstat(destination, &status) == 0) {
        is_socket_ = S_ISSOCK(status.st_mode);
        write_most_ = S_ISREG(status.st_mode) ? read_bytes : PIPE_BUF;
    }
    set_blocking(source_.get(), false);
}

struct pollfd Forward::wanted() const {
    return pending() ? pollfd{destination_, POLLOUT, 0} : pollfd{source_.get(), POLLIN, 0};
}

void Forward::step(short happened) {
    if (happened == 0) {
        return;
    }
    if (pending()) {
        pass();
    } else { // passed on when the destination is said to take it
        static_cast<void>(take(read_bytes));
    }
}

std::size_t Forward::take(std::size_t most) {
    if (!pending()) {
        buffer_.clear();
        passed_ = 0;
    }
    const std::size_t before = buffer_.size();
    buffer_.resize(before + most);
    const ssize_t result = ::read(source_.get(), buffer_.data() + before, most);
    const bool later = result < 0 && (errno == EAGAIN || errno == EINTR);
    const std::size_t got = result > 0 ? static_cast<std::size_t>(result) : 0;
    buffer_.resize(before + got);
    tail_.add(std::string_view(buffer_).substr(before));
    if (got == 0 && !later) {
        source_.reset();
    }
    return got;
}

void Forward::pass() {
    const std::string_view next = std::string_view(buffer_).substr(passed_, write_most_);
    const ssize_t written = is_socket_ ? ::send(destination_, next.data(), next.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                       : ::write(destination_, next.data(), next.size());
    if (written >= 0) {
        passed_ += static_cast<std::size_t>(written);
    } else if (errno != EAGAIN && errno != EINTR) {
        source_.reset(); // the command's next write fails as this one did
        passed_ = buffer_.size();
    }
}

void Forward::drain() {
    // One read more than it holds, which sees the end.
    std::size_t left = source_.valid() ? capacity_of(source_.get()) + read_bytes : 0;
    while (left > 0) {
        const std::size_t got = take(std::min(left, read_bytes));
        left = got == 0 ? 0 : left - got;
    }
}

Fd Forward::release_source() {
    if (source_.valid()) {
        set_blocking(source_.get(), true);
    }
    return std::move(source_);
}

} // namespace tocsin::cli
