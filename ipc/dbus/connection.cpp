// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/connection.hpp"

#include "core/event.hpp"
#include "core/limits.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <poll.h>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

namespace asio = boost::asio;

constexpr int messages_per_turn = 64; // then others on the loop have their turn
constexpr std::uint64_t close_us_max = 1'000'000;
constexpr std::size_t queued_bytes_max = 256 * limits::MiB; // of large messages that the bus has not read yet
constexpr std::size_t large_bytes = 64 * limits::KiB;
constexpr std::uint64_t never_us = std::numeric_limits<std::uint64_t>::max();

std::uint64_t monotonic_us() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

Error bus_error(std::string object, std::string reason) {
    return Error{Code::unavailable, "bus", std::move(object), std::move(reason)};
}

std::string_view describe(BusKind kind) {
    return kind == BusKind::system ? "the system bus" : "the user bus";
}

// Until the bus has said hello: no loop runs yet, so that waiting here keeps nobody.
int wait_for_hello(sd_bus* bus, std::uint64_t hello_us_max) {
    const std::uint64_t deadline = monotonic_us() + hello_us_max;
    while (sd_bus_is_ready(bus) == 0) {
        const int done = sd_bus_process(bus, nullptr);
        if (done < 0) {
            return done;
        }
        const std::uint64_t now = monotonic_us();
        if (now >= deadline) {
            return -ETIMEDOUT;
        }
        if (done == 0) {
            sd_bus_wait(bus, deadline - now);
        }
    }
    return sd_bus_is_ready(bus);
}

} // namespace

std::string reason_of(int negative_errno) {
    std::string text(128, '\0');
    return ::strerror_r(-negative_errno, text.data(), text.size());
}

std::string clean_text(std::string_view text) {
    if (valid_utf8(text) && text.find('\0') == std::string_view::npos) {
        return std::string(text);
    }
    std::string cleaned;
    cleaned.reserve(text.size());
    constexpr std::size_t longest_character = 4;
    while (!text.empty()) {
        std::size_t length = 0;
        for (std::size_t n = 1; n <= std::min(longest_character, text.size()) && length == 0; ++n) {
            length = text.front() != '\0' && valid_utf8(text.substr(0, n)) ? n : 0;
        }
        length == 0 ? cleaned += '?' : cleaned += text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return cleaned;
}

Connection::Connection(asio::io_context& io) : io_(io), descriptor_(io), timer_(io), timer_at_us_(never_us) {}

Connection::~Connection() = default;

Result<void> Connection::open(BusKind kind, std::uint64_t hello_us_max) {
    sd_bus* raw = nullptr;
    int done = kind == BusKind::system ? sd_bus_open_system(&raw) : sd_bus_open_user(&raw);
    bus_.reset(raw);
    if (done >= 0) {
        sd_bus_set_exit_on_disconnect(bus_.get(), 0);
        done = wait_for_hello(bus_.get(), hello_us_max);
    }
    if (done < 0) {
        bus_.reset();
        return std::unexpected(bus_error(std::string(describe(kind)), "cannot be reached (" + reason_of(done) +
                                                                          "); start it, or run with --bus none"));
    }
    const int copy = ::fcntl(sd_bus_get_fd(bus_.get()), F_DUPFD_CLOEXEC, 3);
    boost::system::error_code failed;
    if (copy >= 0) {
        descriptor_.assign(copy, failed);
    }
    if (copy < 0 || failed) {
        bus_.reset();
        return std::unexpected(bus_error(std::string(describe(kind)), "its descriptor cannot be watched"));
    }
    return {};
}

Result<void> Connection::request_name(const char* name) {
    if (!bus_) {
        return std::unexpected(bus_error(name, "there is no connection to a bus"));
    }
    if (auto watched = watch_name(name); !watched) {
        return watched;
    }
    const int done = sd_bus_request_name(bus_.get(), name, 0);
    rearm(); // what came while we waited for the answer is queued inside
    if (done == -EEXIST) {
        return fail(Code::conflict, "bus", name,
                    "another process owns this name; stop it first (busctl status " + std::string(name) +
                        " tells which)");
    }
    if (done < 0) {
        return std::unexpected(
            bus_error(name, "the bus does not give us this name (" + reason_of(done) + "); install its policy"));
    }
    return {};
}

Result<void> Connection::watch_name(const char* name) {
    const std::string rule = std::string("type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                         "interface='org.freedesktop.DBus',member='NameLost',arg0='") +
                             name + "'";
    sd_bus_slot* raw = nullptr;
    const int done = sd_bus_add_match(bus_.get(), &raw, rule.c_str(), &Connection::on_name_lost, this);
    name_slot_.reset(raw);
    if (done < 0) {
        return std::unexpected(bus_error(name, "the bus does not tell of its loss (" + reason_of(done) + ")"));
    }
    return {};
}

int Connection::on_name_lost(sd_bus_message* /*message*/, void* userdata, sd_bus_error* /*error*/) {
    try {
        static_cast<Connection*>(userdata)->lose("the bus took our name away");
    } catch (const std::exception&) {
        return -ENOMEM;
    }
    return 0;
}

void Connection::lose(std::string reason) {
    if (std::exchange(lost_, true)) {
        return;
    }
    asio::post(io_, [handler = on_lost_, why = std::move(reason)] {
        if (handler) {
            handler(why);
        }
    });
}

Result<void> Connection::send(sd_bus_message* message, std::size_t bytes) {
    if (!bus_) {
        return std::unexpected(bus_error("", "the bus is gone"));
    }
    std::uint64_t waiting = 0;
    if (sd_bus_get_n_queued_write(bus_.get(), &waiting) < 0 || waiting == 0) {
        queued_bytes_ = 0;
    }
    if (bytes > large_bytes && queued_bytes_ + bytes > queued_bytes_max) {
        Error error{Code::limit_exceeded, "bus", "", "the bus does not read fast enough; ask for less or later"};
        error.retry_after_s = 1;
        return std::unexpected(std::move(error));
    }
    queued_bytes_ += bytes;
    const int done = sd_bus_send(bus_.get(), message, nullptr);
    rearm();
    if (done < 0) {
        return std::unexpected(bus_error("", "a message cannot be sent (" + reason_of(done) + ")"));
    }
    return {};
}

void Connection::rearm() {
    if (!bus_ || processing_ || lost_) {
        return;
    }
    const int events = sd_bus_get_events(bus_.get());
    std::uint64_t until_us = never_us;
    if (events < 0 || sd_bus_get_timeout(bus_.get(), &until_us) < 0) {
        lose("the connection to the bus is closed");
        return;
    }
    if ((events & POLLIN) != 0) {
        wait_readable();
    }
    if ((events & POLLOUT) != 0) {
        wait_writable();
    }
    wait_until(until_us);
}

void Connection::wait_readable() {
    if (std::exchange(readable_armed_, true)) {
        return;
    }
    const auto wake = [weak = weak_from_this()](boost::system::error_code failed) {
        if (const auto self = weak.lock(); self && failed != asio::error::operation_aborted) {
            self->readable_armed_ = false;
            self->process();
        }
    };
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read, wake);
}

void Connection::wait_writable() {
    if (std::exchange(writable_armed_, true)) {
        return;
    }
    const auto wake = [weak = weak_from_this()](boost::system::error_code failed) {
        if (const auto self = weak.lock(); self && failed != asio::error::operation_aborted) {
            self->writable_armed_ = false;
            self->process();
        }
    };
    descriptor_.async_wait(asio::posix::descriptor_base::wait_write, wake);
}

void Connection::wait_until(std::uint64_t at_us) {
    if (at_us != never_us && at_us <= monotonic_us()) {
        schedule();
        return;
    }
    if (at_us == timer_at_us_) {
        return;
    }
    timer_at_us_ = at_us;
    if (at_us == never_us) {
        timer_.cancel();
        return;
    }
    const std::chrono::microseconds since_boot(static_cast<std::int64_t>(at_us));
    timer_.expires_at(std::chrono::steady_clock::time_point(since_boot));
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code failed) {
        if (const auto self = weak.lock(); self && !failed) {
            self->timer_at_us_ = never_us;
            self->process();
        }
    });
}

void Connection::schedule() {
    if (std::exchange(scheduled_, true)) {
        return;
    }
    asio::post(io_, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->scheduled_ = false;
            self->process();
        }
    });
}

void Connection::process() {
    if (!bus_ || lost_ || processing_) {
        return;
    }
    const auto self = shared_from_this(); // a handler may close us
    processing_ = true;
    int done = 1;
    for (int turn = 0; turn < messages_per_turn && done > 0 && bus_; ++turn) {
        done = sd_bus_process(bus_.get(), nullptr);
        processed_ += done > 0 ? 1 : 0;
    }
    processing_ = false;
    if (done < 0) {
        lose("the connection to the bus is lost (" + reason_of(done) + ")");
    } else if (done > 0) {
        schedule();
    } else {
        rearm();
    }
}

int Connection::on_life(sd_bus_message* /*message*/, void* /*userdata*/, sd_bus_error* /*error*/) {
    return 1; // that it was processed is what counts
}

void Connection::ask_for_life() {
    const int done = sd_bus_call_method_async(bus_.get(), nullptr, driver_name, driver_path, driver_name, "GetId",
                                              &Connection::on_life, nullptr, "");
    asked_ = done >= 0;
    rearm();
}

bool Connection::alive() {
    if (!bus_ || lost_) {
        return false;
    }
    if (processed_ != std::exchange(processed_seen_, processed_)) {
        asked_ = false;
        return true;
    }
    if (asked_) {
        return false;
    }
    ask_for_life();
    return asked_;
}

void Connection::close() {
    if (!bus_) {
        return;
    }
    lost_ = true; // on purpose: nobody is told
    const std::uint64_t deadline = monotonic_us() + close_us_max;
    std::uint64_t waiting = 0;
    while (sd_bus_get_n_queued_write(bus_.get(), &waiting) >= 0 && waiting > 0 && monotonic_us() < deadline) {
        const int done = sd_bus_process(bus_.get(), nullptr);
        if (done < 0) {
            break;
        }
        if (done == 0) {
            sd_bus_wait(bus_.get(), deadline - std::min(deadline, monotonic_us()));
        }
    }
    boost::system::error_code ignored;
    descriptor_.close(ignored);
    timer_.cancel();
    name_slot_.reset();
    bus_.reset();
}

} // namespace tocsin::ipc::dbus
