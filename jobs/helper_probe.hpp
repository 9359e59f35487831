// SPDX-License-Identifier: Apache-2.0
// Asks a helper behind a socket for its Hello and lets it go: whether one can be had, of the right version, and whether
// it is limited.
#pragma once

#include "core/error.hpp"
#include "jobs/protocol.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>

namespace tocsin::jobs {

class HelperProbe : public std::enable_shared_from_this<HelperProbe> {
    struct Key {}; // only start() makes one

public:
    using Done = std::move_only_function<void(Result<protocol::Hello>)>;
    // Lives as long as somebody holds it; `done` comes later, at most once.
    static std::shared_ptr<HelperProbe> start(boost::asio::io_context& io, const std::string& socket, Done done);

    HelperProbe(Key key, boost::asio::io_context& io, Done done);

private:
    void connect(const std::string& socket);
    void read();
    void finish(Result<protocol::Hello> result);

    boost::asio::io_context& io_;
    boost::asio::posix::stream_descriptor socket_;
    boost::asio::steady_timer patience_;
    Done done_;
};

} // namespace tocsin::jobs
