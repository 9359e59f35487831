// SPDX-License-Identifier: Apache-2.0
// The daemon's side of one run: starts tocsin-spark (posix_spawn, which does not copy the daemon's page tables), sends
// the request, collects what comes back, and reaps the helper through its pidfd. Single-threaded, on the io context.
#pragma once

#include "core/error.hpp"
#include "jobs/fd.hpp"
#include "jobs/outcome.hpp"
#include "jobs/protocol.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::jobs {

class HelperRun : public std::enable_shared_from_this<HelperRun> {
    struct Key {}; // only spawn() makes one
    struct Process {
        pid_t pid = 0;
        Fd socket{};
        Fd pidfd{};
    };

public:
    // Called once, when the helper is gone and reaped.
    using Finished = std::move_only_function<void(RunResult)>;

    // Lives as long as somebody holds it; dropping it closes the socket, and the helper then ends its tree.
    static Result<std::shared_ptr<HelperRun>> spawn(boost::asio::io_context& io, const std::string& helper,
                                                    const protocol::Run& request, std::string_view event_json,
                                                    Finished finished);

    std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
    const std::string& output() const { return result_.output; }
    // Ends the tree: SIGTERM, after the grace SIGKILL; a helper that does not manage is killed itself.
    void stop(std::int64_t grace_us);

    HelperRun(Key key, boost::asio::io_context& io, pid_t pid, Finished finished);

private:
    static Result<Process> start_process(const std::string& helper);
    void begin(std::int64_t patience_us);
    void be_patient(std::int64_t patience_us);
    void await_socket();
    void read_socket();
    void take(protocol::Message message);
    void close_socket();
    void await_process();
    void reap();

    boost::asio::posix::stream_descriptor socket_;
    boost::asio::posix::stream_descriptor pidfd_;
    boost::asio::steady_timer patience_;
    pid_t pid_;
    bool reaped_ = false;
    RunResult result_{};
    Finished finished_;
};

} // namespace tocsin::jobs
