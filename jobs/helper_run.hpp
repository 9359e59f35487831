// SPDX-License-Identifier: Apache-2.0
// The daemon's side of one run: gets a helper (from a socket of the service manager, or a child of its own), sends the
// request, collects what comes back, products included. One protocol for both; a helper that is no child of ours is
// never signalled: closing the socket is what ends it. Single-threaded, on the io context.
#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"
#include "jobs/helper_process.hpp"
#include "jobs/outcome.hpp"
#include "jobs/packet.hpp"
#include "jobs/products.hpp"
#include "jobs/protocol.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tocsin::jobs {

struct RunInput {
    protocol::Run request{};
    std::string event_json{};
    std::string program{}; // tocsin-spark
    std::string socket{};  // where the service manager starts one; empty: `program` is started
    std::shared_ptr<Products> products{};
    std::function<void()> met{};                 // called when the helper's pid is known
    boost::asio::thread_pool* spawner = nullptr; // one thread, which starts `program`
};

class HelperRun : public std::enable_shared_from_this<HelperRun> {
    struct Key {}; // only start() makes one

public:
    // Called once, never from within start() or stop(): the tree is gone, and a helper that is our child reaped.
    using Finished = std::move_only_function<void(RunResult)>;

    // Lives as long as somebody holds it; dropping it closes the socket, and the helper then ends its tree.
    static std::shared_ptr<HelperRun> start(boost::asio::io_context& io, RunInput input, Finished finished);

    // Of the helper; 0 while there is none.
    std::uint32_t pid() const;
    // Whose processes the run's are, as the kernel says; nullopt where there are none, or they are ours.
    std::optional<std::uint32_t> user() const;
    const std::string& socket() const { return input_.socket; }
    const std::string& output() const { return result_.output; }
    // Ends the tree: SIGTERM, after the grace SIGKILL; a helper that does not manage is killed or left.
    void stop(std::int64_t grace_us);

    HelperRun(Key key, boost::asio::io_context& io, RunInput input, Finished finished);

private:
    Result<void> watch(Fd socket, Fd pidfd);
    void spawn();
    void spawned(Result<HelperProcess> process);
    void end_unasked();
    void connect();
    void connect_later(std::string reason);
    void greeted(protocol::Hello hello, std::optional<std::uint32_t> uid);
    Result<void> send_request();
    void be_patient(std::int64_t patience_us);
    void lose_patience();
    void await_socket();
    void read_socket();
    void take(protocol::Message message, const Packet& packet);
    void copy_product();
    void fail_unstarted(std::string reason);
    void close_socket();
    void await_process();
    void reap();
    void finish();

    boost::asio::io_context& io_;
    RunInput input_;
    boost::asio::posix::stream_descriptor socket_;
    boost::asio::posix::stream_descriptor pidfd_;
    boost::asio::steady_timer patience_;
    boost::asio::steady_timer retry_;
    ProductIntake products_;
    pid_t child_ = 0;                    // a helper that we started and have not reaped
    std::optional<std::uint32_t> uid_{}; // of a helper that is no child of ours
    unsigned connects_ = 0;
    bool copying_ = false; // nothing more is read until the product is kept
    bool stopped_ = false;
    bool finishing_ = false;
    RunResult result_{};
    Finished finished_;
};

} // namespace tocsin::jobs
