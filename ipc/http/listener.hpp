// SPDX-License-Identifier: Apache-2.0
// A listening socket of any family that is always heard: an error (no descriptor left, for one) must not make the
// daemon deaf, so it is tried again.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace tocsin::ipc::http {

class Listener : public std::enable_shared_from_this<Listener> {
public:
    // `accepted` gets each connection, non-blocking and close-on-exec, and owns it.
    Listener(boost::asio::io_context& io, std::int64_t retry_us, std::move_only_function<void(int)> accepted)
        : socket_(io.get_executor()), retry_(io), retry_us_(retry_us), accepted_(std::move(accepted)) {}

    // Takes a listening, non-blocking descriptor; once.
    void listen(int fd);
    void close();

private:
    using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;
    static constexpr int accepts_at_once = 64;

    void accept();
    void accept_later();
    void ready(const boost::system::error_code& error);

    Descriptor socket_;
    boost::asio::steady_timer retry_;
    std::int64_t retry_us_;
    std::move_only_function<void(int)> accepted_;
    bool closed_ = false;
};

} // namespace tocsin::ipc::http
