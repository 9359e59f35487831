// SPDX-License-Identifier: Apache-2.0
#include "jobs/spark/watchdog.hpp"

#include "core/fd.hpp"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

namespace tocsin::jobs::spark {

namespace {

// 0 where it is not set or no number.
std::int64_t number_in(const char* name) {
    const char* const value = std::getenv(name);
    const std::string_view text = value != nullptr ? value : "";
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? number : 0;
}

void notify(const std::string& path, std::string_view text) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() > sizeof(address.sun_path)) {
        return;
    }
    path.copy(address.sun_path, path.size());
    if (path.front() == '@') {
        address.sun_path[0] = '\0'; // the abstract namespace
    }
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) {
        return; // the next one may come through
    }
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    ::sendto(socket.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), size);
}

} // namespace

Watchdog::Watchdog() {
    const char* const socket = std::getenv("NOTIFY_SOCKET");
    const std::int64_t pid = number_in("WATCHDOG_PID");
    if (socket != nullptr && (pid == 0 || pid == ::getpid())) {
        socket_ = socket;
        period_us_ = number_in("WATCHDOG_USEC") / 2;
        due_us_ = period_us_ > 0 ? 0 : INT64_MAX;
    }
}

void Watchdog::tick(std::int64_t now_us) {
    if (now_us >= due_us_) {
        notify(socket_, "WATCHDOG=1");
        due_us_ = now_us + period_us_;
    }
}

} // namespace tocsin::jobs::spark
