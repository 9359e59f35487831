// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include "core/limits.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tocsin::cli {
namespace {

constexpr std::size_t buffer_bytes = 64 * limits::KiB;

constexpr std::array<std::string_view, 7> codes{"", "1", "2", "31", "32", "33", "1;31"};

} // namespace

void Output::write(std::string_view text) {
    if (gone_) {
        return;
    }
    buffer_ += text;
    if (buffer_.size() >= buffer_bytes) {
        flush();
    }
}

void Output::line(std::string_view text) {
    write(text);
    write("\n");
}

std::string Output::paint(Colour colour, std::string_view text) const {
    if (!colours || colour == Colour::plain || text.empty()) {
        return std::string(text);
    }
    std::string out = "\x1b[";
    out += codes.at(static_cast<std::size_t>(colour));
    out += 'm';
    out += text;
    out += "\x1b[0m";
    return out;
}

FileOutput::FileOutput(int fd) : fd_(fd) {
    terminal = ::isatty(fd) == 1;
    struct winsize size{};
    if (terminal && ::ioctl(fd, TIOCGWINSZ, &size) == 0) {
        columns = size.ws_col;
    }
}

void FileOutput::flush() {
    std::string_view rest = buffer_;
    while (!rest.empty() && !gone_) {
        const ssize_t written = ::write(fd_, rest.data(), rest.size());
        if (written >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            struct pollfd wait{fd_, POLLOUT, 0};
            static_cast<void>(::poll(&wait, 1, -1));
        } else if (errno != EINTR) {
            errno_ = errno;
            gone_ = true;
        }
    }
    buffer_.clear();
}

Result<void> FileOutput::finish() {
    flush();
    if (errno_ == 0 || errno_ == EPIPE) {
        return {};
    }
    return fail(errno_ == ENOSPC ? Code::storage_full : Code::unavailable, "write", "output",
                std::string("cannot be written: ") + ::strerror(errno_));
}

} // namespace tocsin::cli
