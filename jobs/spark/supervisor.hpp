// SPDX-License-Identifier: Apache-2.0
// One run of one script, from the request to the last process: a single-threaded poll loop. It ends the tree when the
// script ends, when its time is over, when the daemon says so, when the socket closes or when the helper itself is told
// to stop.
#pragma once

#include "jobs/fd.hpp"
#include "jobs/protocol.hpp"
#include "jobs/spark/capture.hpp"
#include "jobs/spark/link.hpp"
#include "jobs/spark/tree.hpp"
#include "jobs/spark/work_directory.hpp"

#include <cstdint>
#include <string>

namespace tocsin::jobs::spark {

class Supervisor {
public:
    // `signals` is a signalfd of SIGCHLD, SIGTERM, SIGINT and SIGHUP.
    Supervisor(Fd socket, Fd signals);
    // Until nothing is left to do.
    void run();

private:
    // preparing: an earlier run may still hold the directory; ending: after SIGTERM; killing: SIGKILL until none is
    // left; telling: the daemon has not read everything yet.
    enum class Phase { idle, preparing, running, ending, killing, telling, done };

    void wait();
    void take_signals();
    void take_messages();
    void take_run(protocol::Run run, Fd event);
    void stop(std::int64_t grace_us);
    void lose_daemon_if_closed();
    void prepare();
    void start();
    void advance();
    void advance_running();
    void advance_ending();
    void begin_ending(std::int64_t grace_us);
    void finish();
    void refuse(std::string reason);
    std::int64_t deadline_us() const;

    Link link_;
    Fd signals_;
    Phase phase_ = Phase::idle;
    std::int64_t phase_deadline_us_ = 0; // on CLOCK_MONOTONIC: a suspended machine uses up nobody's time
    protocol::Run run_{};
    Fd event_{};
    WorkDirectory directory_{};
    Tree tree_{};
    Capture capture_{};
    protocol::Cause cause_ = protocol::Cause::itself;
    bool children_changed_ = false;
    bool leader_seen_gone_ = false;
};

} // namespace tocsin::jobs::spark
