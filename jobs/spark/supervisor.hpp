// SPDX-License-Identifier: Apache-2.0
// One run of one script, from the request to the last process: a single-threaded poll loop. It ends the tree when the
// script ends, when its time is over, when the daemon says so, when the socket closes or when the helper itself is told
// to stop.
#pragma once

#include "core/fd.hpp"
#include "jobs/protocol.hpp"
#include "jobs/spark/capture.hpp"
#include "jobs/spark/harvest.hpp"
#include "jobs/spark/link.hpp"
#include "jobs/spark/tree.hpp"
#include "jobs/spark/watchdog.hpp"
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
    // preparing: an earlier run may still hold the lock; ending: after SIGTERM; killing: SIGKILL until none is left;
    // handing: a product is with the daemon; clearing: the directory goes; telling: the daemon has not read everything
    // yet.
    enum class Phase { idle, preparing, running, ending, killing, handing, clearing, telling, done };

    void wait();
    void take_signals();
    void take_messages();
    void take_run(protocol::Run run, std::vector<Fd> descriptors);
    void taken(const protocol::Taken& taken);
    void stop(std::int64_t grace_us);
    void lose_daemon_if_closed();
    void prepare();
    void start();
    void advance();
    void advance_running();
    void advance_ending();
    void begin_ending(std::int64_t grace_us);
    void finish();
    void hand_next();
    void clear();
    void refuse(std::string reason);
    void enter(Phase phase, std::int64_t limit_us);
    std::int64_t deadline_us() const;

    Link link_;
    Fd signals_;
    Watchdog watchdog_{};
    Phase phase_ = Phase::idle;
    std::int64_t phase_deadline_us_ = 0; // on CLOCK_MONOTONIC: a suspended machine uses up nobody's time
    protocol::Run run_{};
    Fd event_{};
    Fd lock_{}; // for the life of the helper
    WorkDirectory directory_{};
    Tree tree_{};
    Capture capture_{};
    Harvest harvest_{};
    protocol::Ended ended_{}; // the last word, said when the directory is gone
    protocol::Cause cause_ = protocol::Cause::itself;
    bool children_changed_ = false;
    bool leader_seen_gone_ = false;
};

} // namespace tocsin::jobs::spark
