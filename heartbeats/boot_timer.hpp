// SPDX-License-Identifier: Apache-2.0
// One timerfd on CLOCK_BOOTTIME behind an Asio descriptor: it runs through suspend and never steps. Absolute boot times
// in µs; a time that is past fires at once. While nothing is armed it costs nothing.
#pragma once

#include "core/error.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace tocsin::heartbeats {

class BootTimer : public std::enable_shared_from_this<BootTimer> {
public:
    BootTimer(boost::asio::io_context& io, std::function<void()> fired) : descriptor_(io), fired_(std::move(fired)) {}

    Result<void> open();
    void close(); // fired() is not called any more
    void arm(std::int64_t boot_us);

private:
    void wait();
    void ready();

    boost::asio::posix::stream_descriptor descriptor_;
    std::function<void()> fired_;
};

} // namespace tocsin::heartbeats
