// SPDX-License-Identifier: Apache-2.0
// Tells at once that somebody set the wall clock: a timerfd on it, armed for a time that never comes, which the kernel
// cancels then. While nobody does it costs nothing.
#pragma once

#include "core/error.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>

namespace tocsin::heartbeats {

class StepAlarm : public std::enable_shared_from_this<StepAlarm> {
public:
    StepAlarm(boost::asio::io_context& io, std::function<void()> stepped)
        : descriptor_(io), stepped_(std::move(stepped)) {}

    Result<void> open();
    void close(); // stepped() is not called any more

private:
    bool arm();
    void wait();
    void ready();

    boost::asio::posix::stream_descriptor descriptor_;
    std::function<void()> stepped_;
};

} // namespace tocsin::heartbeats
