// SPDX-License-Identifier: Apache-2.0
#include "jobs/spark/supervisor.hpp"

#include "jobs/cgroup.hpp"
#include "jobs/script_check.hpp"
#include "jobs/spark/child.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tocsin::jobs::spark {

namespace {

constexpr std::int64_t request_wait_us_max = 60'000'000;  // from the start to the request
constexpr std::int64_t lock_wait_us_max = 60'000'000;     // for the tree of an earlier run of the job
constexpr std::int64_t lock_retry_us = 20'000;            // flock has no descriptor to poll
constexpr std::int64_t leftover_grace_us = 1'000'000;     // for what the script left running when it ended
constexpr std::int64_t kill_retry_us = 50'000;            // SIGCHLD wakes us before, as a rule
constexpr std::int64_t handing_wait_us_max = 60'000'000;  // for the daemon to keep one product
constexpr std::int64_t clearing_us_max = 30'000'000;      // for the directory to be emptied
constexpr std::int64_t telling_wait_us_max = 600'000'000; // for the daemon to read the result
constexpr std::int64_t us_per_ms = 1'000;
constexpr int first_free_fd = 10; // the script's descriptors are put below

std::int64_t now_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

// The event must come as a memfd that nobody can change any more.
bool is_sealed_input(int fd) {
    constexpr int wanted = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    struct stat status{};
    const int seals = ::fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & wanted) == wanted && ::fstat(fd, &status) == 0 &&
           status.st_size <= static_cast<off_t>(protocol::input_bytes_max) && ::lseek(fd, 0, SEEK_SET) == 0;
}

} // namespace

Supervisor::Supervisor(Fd socket, Fd signals)
    : link_(std::move(socket)), signals_(std::move(signals)), phase_deadline_us_(now_us() + request_wait_us_max) {}

void Supervisor::enter(Phase phase, std::int64_t limit_us) {
    phase_ = phase;
    phase_deadline_us_ = now_us() + limit_us;
}

void Supervisor::run() {
    link_.send(protocol::Hello{static_cast<std::uint32_t>(::getpid()), TOCSIN_VERSION, unlimited_here()});
    lose_daemon_if_closed(); // a closed socket is not polled
    while (phase_ != Phase::done) {
        watchdog_.tick(now_us());
        wait();
        take_signals();
        take_messages();
        capture_.read(link_);
        if (std::exchange(children_changed_, false) || phase_ == Phase::ending) {
            tree_.reap();
        }
        advance();
        link_.flush();
        lose_daemon_if_closed(); // sending may have found it out, and a closed socket is not polled
    }
}

std::int64_t Supervisor::deadline_us() const {
    switch (phase_) {
    case Phase::preparing:
        return std::min(phase_deadline_us_, now_us() + lock_retry_us);
    case Phase::killing:
        return now_us() + kill_retry_us;
    case Phase::clearing:
        return now_us();
    case Phase::telling:
        return link_.has_unsent() ? phase_deadline_us_ : now_us();
    default:
        return phase_deadline_us_;
    }
}

void Supervisor::wait() {
    const auto send = static_cast<short>(link_.has_unsent() ? POLLOUT : 0);
    std::array<pollfd, 4> watched{{
        {.fd = link_.closed() ? -1 : link_.fd(), .events = static_cast<short>(POLLIN | send), .revents = 0},
        {.fd = signals_.get(), .events = POLLIN, .revents = 0},
        {.fd = capture_.output_fd(), .events = POLLIN, .revents = 0},
        {.fd = capture_.report_fd(), .events = POLLIN, .revents = 0},
    }};
    const std::int64_t left_us = std::max<std::int64_t>(std::min(deadline_us(), watchdog_.due_us()) - now_us(), 0);
    const timespec timeout{.tv_sec = left_us / 1'000'000, .tv_nsec = left_us % 1'000'000 * us_per_ms};
    ::ppoll(watched.data(), watched.size(), &timeout, nullptr);
}

void Supervisor::take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
        if (info.ssi_signo == SIGCHLD) {
            children_changed_ = true;
        } else {
            stop(run_.kill_after_us);
        }
    }
}

void Supervisor::take_messages() {
    while (auto incoming = link_.receive()) {
        if (auto* run = std::get_if<protocol::Run>(&incoming->message)) {
            take_run(std::move(*run), std::move(incoming->descriptors));
        } else if (const auto* stop_message = std::get_if<protocol::Stop>(&incoming->message)) {
            stop(stop_message->grace_us);
        } else if (const auto* taken_message = std::get_if<protocol::Taken>(&incoming->message)) {
            taken(*taken_message);
        }
    }
    lose_daemon_if_closed();
}

void Supervisor::take_run(protocol::Run run, std::vector<Fd> descriptors) {
    if (phase_ != Phase::idle) {
        return;
    }
    run_ = std::move(run);
    if (descriptors.size() != 2 || !is_sealed_input(descriptors[0].get())) {
        return refuse("the event did not come as a sealed file, with a lock");
    }
    event_ = Fd(::fcntl(descriptors[0].get(), F_DUPFD_CLOEXEC, first_free_fd));
    lock_ = Fd(::fcntl(descriptors[1].get(), F_DUPFD_CLOEXEC, first_free_fd));
    if (!event_.valid() || !lock_.valid()) {
        return refuse("no more descriptors");
    }
    enter(Phase::preparing, lock_wait_us_max);
}

void Supervisor::taken(const protocol::Taken& taken) {
    if (phase_ != Phase::handing) {
        return;
    }
    if (taken.enough) {
        harvest_.give_up("the daemon keeps no more");
    }
    hand_next();
}

void Supervisor::stop(std::int64_t grace_us) {
    switch (phase_) {
    case Phase::idle:
        phase_ = Phase::done;
        break;
    case Phase::preparing:
        cause_ = protocol::Cause::stopped;
        refuse("stopped before it began");
        break;
    case Phase::running:
        cause_ = protocol::Cause::stopped;
        begin_ending(grace_us);
        break;
    case Phase::ending:
        phase_deadline_us_ = std::min(phase_deadline_us_, now_us() + grace_us);
        break;
    case Phase::handing:
        clear();
        break;
    default:
        break;
    }
}

void Supervisor::lose_daemon_if_closed() {
    if (!link_.closed()) {
        return;
    }
    if (phase_ == Phase::idle || phase_ == Phase::preparing || phase_ == Phase::telling) {
        phase_ = Phase::done;
    } else if (phase_ == Phase::handing) {
        clear();
    } else if (phase_ == Phase::running) {
        stop(run_.kill_after_us);
    }
}

void Supervisor::prepare() {
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) {
        return start();
    }
    if (now_us() >= phase_deadline_us_) {
        refuse("an earlier run of this job is still being ended");
    }
}

void Supervisor::start() {
    auto path = check_script(run_.path, run_.owner_uid);
    if (!path) {
        return refuse(path.error().detail());
    }
    auto directory = WorkDirectory::make();
    if (!directory) {
        return refuse(directory.error().detail());
    }
    directory_ = std::move(*directory);
    auto child = start_script(run_, {std::move(*path), event_.get(), directory_.fd(), directory_.path()});
    if (!child) {
        return refuse(child.error().detail());
    }
    tree_.lead(child->pid);
    capture_ = Capture(std::move(child->output), std::move(child->report), run_.output_bytes);
    enter(Phase::running, run_.timeout_us);
    children_changed_ = true; // it may have ended already
    link_.send(protocol::Started{static_cast<std::uint32_t>(child->pid)});
}

void Supervisor::advance() {
    switch (phase_) {
    case Phase::idle:
        phase_ = now_us() >= phase_deadline_us_ ? Phase::done : Phase::idle;
        break;
    case Phase::preparing:
        prepare();
        break;
    case Phase::running:
        advance_running();
        break;
    case Phase::ending:
        advance_ending();
        break;
    case Phase::killing:
        if (tree_.destroy()) {
            finish();
        }
        break;
    case Phase::handing:
        if (now_us() >= phase_deadline_us_) {
            harvest_.give_up("the daemon did not take it in time");
            clear();
        }
        break;
    case Phase::clearing:
        if (directory_.remove_some() || now_us() >= phase_deadline_us_) {
            link_.send(ended_);
            enter(Phase::telling, telling_wait_us_max);
        }
        break;
    case Phase::telling:
        phase_ = !link_.has_unsent() || now_us() >= phase_deadline_us_ ? Phase::done : Phase::telling;
        break;
    case Phase::done:
        break;
    }
}

void Supervisor::advance_running() {
    if (tree_.leader_exit()) {
        begin_ending(tree_.others() ? std::min(leftover_grace_us, run_.kill_after_us) : 0);
    } else if (now_us() >= phase_deadline_us_) {
        cause_ = protocol::Cause::timeout;
        begin_ending(run_.kill_after_us);
    }
}

void Supervisor::begin_ending(std::int64_t grace_us) {
    leader_seen_gone_ = tree_.leader_exit().has_value();
    tree_.signal(SIGTERM);
    tree_.signal(SIGCONT); // a stopped process takes note only then
    enter(Phase::ending, grace_us);
}

void Supervisor::advance_ending() {
    const bool leader_gone = tree_.leader_exit().has_value();
    if (leader_gone && !std::exchange(leader_seen_gone_, true)) {
        tree_.signal(SIGTERM); // to those who came to us with its end
    }
    if (now_us() >= phase_deadline_us_ || (leader_gone && !tree_.others())) {
        phase_ = Phase::killing;
        advance();
    }
}

void Supervisor::finish() {
    capture_.drain(link_);
    if (!capture_.report().empty()) {
        link_.send(protocol::Report{capture_.report()});
    }
    const Exit exit = tree_.leader_exit().value_or(Exit{});
    ended_ = {.outcome = exit.signalled ? protocol::Outcome::signalled : protocol::Outcome::exited,
              .code = exit.code,
              .cause = cause_,
              .output_bytes = capture_.output_bytes(),
              .truncated = capture_.truncated()};
    if (cause_ == protocol::Cause::stopped || link_.closed()) {
        return clear(); // who stopped it wants no report
    }
    harvest_ = Harvest(directory_.fd());
    hand_next();
}

// One at a time: what is on its way is memory.
void Supervisor::hand_next() {
    auto sheaf = harvest_.next();
    if (!sheaf) {
        return clear();
    }
    link_.send(sheaf->product, std::move(sheaf->data));
    enter(Phase::handing, handing_wait_us_max);
}

void Supervisor::clear() {
    ended_.products_dropped = harvest_.dropped();
    ended_.dropped_reason = harvest_.dropped_reason();
    harvest_ = Harvest();
    enter(Phase::clearing, clearing_us_max);
    advance();
}

void Supervisor::refuse(std::string reason) {
    ended_ = {.outcome = protocol::Outcome::not_started, .code = 0, .cause = cause_, .reason = std::move(reason)};
    clear();
}

} // namespace tocsin::jobs::spark
