// SPDX-License-Identifier: Apache-2.0
#include "lib/client.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

using tocsin::lib::Answer;
using tocsin::lib::Connection;
using tocsin::lib::Descriptor;
using tocsin::lib::failure;

namespace tocsin::lib {
namespace {

using std::chrono::milliseconds;
using Nanoseconds = std::chrono::nanoseconds;

constexpr milliseconds retry_first{20};
constexpr milliseconds retry_longest{1'000};
constexpr unsigned doublings_max = 6;

std::string why_not(const std::string& path, int error) {
    switch (error) {
    case ENOENT:
    case ECONNREFUSED:
        return path + ": no daemon listens there; \"systemctl status tocsind\" says why";
    case EAGAIN:
        return path + ": the daemon has more connections than it can take";
    case EACCES:
    case EPERM:
        return path + ": this user may not connect; be in the group tocsin (access.group), and log in anew";
    default:
        return path + ": " + ::strerror(error);
    }
}

// The answer says nothing of what an earlier sending, which nobody answered, has done.
bool is_passing(int code, bool unsure) {
    return code == TOCSIN_UNAVAILABLE || (unsure && (code == TOCSIN_LIMIT_EXCEEDED || code == TOCSIN_STORAGE_FULL));
}

class Inside { // a callback
public:
    explicit Inside(unsigned& depth) : depth_(depth) { ++depth_; }
    ~Inside() { --depth_; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

private:
    unsigned& depth_;
};

struct Waiting { // for one synchronous call
    bool ended = false;
    tocsin_result result{};
};

void on_ended(void* user, const tocsin_result* result) {
    auto* waiting = static_cast<Waiting*>(user);
    waiting->result = *result;
    waiting->ended = true;
}

Steady::time_point deadline_of(int timeout_ms) {
    return Steady::now() + milliseconds(timeout_ms == 0 ? TOCSIN_TIMEOUT_MS_DEFAULT : timeout_ms);
}

// Till there is something to process, or the deadline.
void wait_for(int fd, Steady::time_point deadline) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Steady::now()).count();
    pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
    static_cast<void>(::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left, 0))));
}

} // namespace

std::string choose_socket(const char* given) {
    if (given != nullptr) {
        return given;
    }
    const char* named = ::secure_getenv("TOCSIN_SOCKET");
    if (named != nullptr && *named != '\0') {
        return named;
    }
    const char* session = ::secure_getenv("XDG_RUNTIME_DIR");
    if (::geteuid() != 0 && session != nullptr && *session != '\0') {
        std::string own = std::string(session) + "/tocsin/tocsin.sock";
        if (::access(own.c_str(), F_OK) == 0) {
            return own;
        }
    }
    return "/run/tocsin/tocsin.sock";
}

} // namespace tocsin::lib

using tocsin::lib::Made;

int tocsin_client::open() {
    if (path_.empty() || path_.size() >= sizeof(sockaddr_un::sun_path)) {
        return TOCSIN_INVALID_ARGUMENT;
    }
    owner_ = ::getpid();
    epoll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
    timer_ = Descriptor(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    epoll_event wanted{.events = EPOLLIN, .data = {.fd = timer_.get()}};
    const bool made = epoll_ && timer_ && ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, timer_.get(), &wanted) == 0;
    return made ? TOCSIN_OK : TOCSIN_NO_MEMORY;
}

bool tocsin_client::forked() const {
    return ::getpid() != owner_;
}

int tocsin_client::remember(tocsin_result result) {
    last_ = std::move(result);
    return last_.code;
}

int tocsin_client::check(bool waits) {
    if (forked()) {
        return remember(failure(TOCSIN_FORKED, "the client belongs to the parent process; open another one here"));
    }
    if (closing_ || (waits && depth_ > 0)) {
        return remember(failure(TOCSIN_INVALID_ARGUMENT, "a callback must not wait; use the asynchronous functions"));
    }
    return TOCSIN_OK;
}

int tocsin_client::start(Made made, const tocsin::lib::Asked& asked) {
    if (!made) {
        return remember(std::move(made.error()));
    }
    if (asked.timeout_ms < 0) {
        return remember(failure(TOCSIN_INVALID_ARGUMENT, "timeout_ms: is negative; 0 is the default of 30 s"));
    }
    const std::size_t bytes = made->text.size();
    const bool full = in_flight_ > 0 && bytes_ + bytes > TOCSIN_IN_FLIGHT_BYTES_MAX;
    if (full || in_flight_ >= TOCSIN_IN_FLIGHT_MAX) {
        return remember(failure(TOCSIN_AGAIN, full ? "64 MiB of calls are in flight; process some first"
                                                   : "100 calls are in flight; process some first"));
    }
    auto call = std::make_unique<Call>();
    call->request = std::move(*made);
    call->deadline = tocsin::lib::deadline_of(asked.timeout_ms);
    call->done = asked.done;
    call->user = asked.user;
    queue_.push_back(std::move(call));
    ++in_flight_;
    bytes_ += bytes;
    advance();
    return TOCSIN_OK;
}

int tocsin_client::run(Made made, int timeout_ms) {
    tocsin::lib::Waiting waiting;
    const Steady::time_point deadline = tocsin::lib::deadline_of(std::max(timeout_ms, 0));
    const int started = start(std::move(made), {timeout_ms, tocsin::lib::on_ended, &waiting});
    if (started != TOCSIN_OK) {
        return started;
    }
    try {
        process();
        while (!waiting.ended) {
            tocsin::lib::wait_for(epoll_.get(), deadline); // the timer ends the call itself
            process();
        }
    } catch (...) {
        forget(&waiting); // which goes with this frame
        throw;
    }
    return remember(std::move(waiting.result));
}

void tocsin_client::forget(const void* user) {
    const auto in = [user](const CallPtr& call) {
        if (call && call->user == user) {
            call->done = nullptr;
        }
    };
    std::ranges::for_each(lanes_, [&in](const Lane& lane) { in(lane.call); });
    std::ranges::for_each(queue_, in);
    std::ranges::for_each(finished_, in);
}

int tocsin_client::wait(int timeout_ms) {
    if (timeout_ms < 0) {
        return remember(failure(TOCSIN_INVALID_ARGUMENT, "timeout_ms: is negative; 0 is the default of 30 s"));
    }
    const Steady::time_point deadline = tocsin::lib::deadline_of(timeout_ms);
    process();
    while (in_flight_ > 0 && Steady::now() < deadline) {
        tocsin::lib::wait_for(epoll_.get(), deadline);
        process();
    }
    return in_flight_ == 0 ? TOCSIN_OK : remember(failure(TOCSIN_TIMEOUT, "some calls are still in flight"));
}

int tocsin_client::process() {
    advance();
    return deliver();
}

void tocsin_client::cancel_all() {
    for (Lane& lane : lanes_) {
        if (lane.call) {
            queue_.push_back(std::move(lane.call));
        }
        lane.connection.close();
    }
    while (!queue_.empty()) {
        CallPtr call = std::move(queue_.front());
        queue_.pop_front();
        finish(std::move(call), failure(TOCSIN_CANCELLED, "the client was closed before the answer came"));
    }
    deliver();
}

// ---- what can be done now ----

void tocsin_client::advance() {
    const Steady::time_point now = Steady::now();
    for (Lane& lane : lanes_) {
        pump(lane, now);
    }
    expire(now);
    dispatch(now);
    set_timer();
}

void tocsin_client::pump(Lane& lane, Steady::time_point now) {
    if (lane.connection.is_open()) {
        follow(lane, lane.connection.pump(), now);
    }
}

void tocsin_client::begin(Lane& lane, CallPtr call, Steady::time_point now) {
    lane.call = std::move(call);
    follow(lane, lane.connection.start(lane.call->request.text), now);
}

void tocsin_client::follow(Lane& lane, Connection::State state, Steady::time_point now) {
    if (state == Connection::State::answered) {
        CallPtr call = std::move(lane.call);
        failures_ = 0;
        take(std::move(call), lane.connection.answer(), now);
    } else if (state == Connection::State::garbled) {
        lane.connection.close();
        finish(std::move(lane.call), failure(TOCSIN_PROTOCOL, path_ + ": what answers there is no Tocsin daemon"));
    } else if (state == Connection::State::broken) {
        // A daemon that has been idle for long closes; that is no failure, and the next try is at once.
        const bool failed = lane.call != nullptr && !lane.connection.served();
        if (lane.call) {
            lane.call->unsure = lane.call->unsure || lane.connection.has_sent();
            lane.call->last = failure(TOCSIN_UNAVAILABLE, path_ + ": the connection broke before the answer came");
            queue_.push_front(std::move(lane.call));
        }
        lane.connection.close();
        if (failed) {
            back_off(now);
        }
    }
}

void tocsin_client::expire(Steady::time_point now) {
    for (Lane& lane : lanes_) {
        if (lane.call && lane.call->deadline <= now) {
            lane.call->unsure = lane.call->unsure || lane.connection.has_sent();
            lane.connection.close(); // its answer would be taken for the next call's
            finish_late(std::move(lane.call));
        }
    }
    for (std::size_t i = 0; i < queue_.size();) {
        if (queue_[i]->deadline > now) {
            ++i;
            continue;
        }
        CallPtr call = std::move(queue_[i]);
        queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(i));
        finish_late(std::move(call));
    }
}

void tocsin_client::finish_late(CallPtr call) {
    const std::string why = call->last.message;
    if (call->unsure) {
        return finish(std::move(call),
                      failure(TOCSIN_TIMEOUT, "no answer in time" + (why.empty() ? "" : " (" + why + ")") +
                                                  "; it may have been kept or not"));
    }
    tocsin_result outcome = call->last;
    outcome.code = TOCSIN_UNAVAILABLE;
    if (why.empty()) {
        outcome.message = "was not sent in time: earlier calls still wait for the daemon";
    }
    finish(std::move(call), std::move(outcome));
}

std::deque<tocsin::lib::CallPtr>::iterator tocsin_client::next_due(Steady::time_point now) {
    return std::ranges::find_if(queue_, [now](const CallPtr& call) { return call->not_before <= now; });
}

// Each lane that has nothing to do gets a call. A connection that was kept and turns out to be dead is made anew at
// once.
void tocsin_client::dispatch(Steady::time_point now) {
    for (Lane& lane : lanes_) {
        while (!lane.call) {
            const auto due = next_due(now);
            if (due == queue_.end() || (!lane.connection.is_open() && !connect(lane, **due, now))) {
                break;
            }
            CallPtr call = std::move(*due);
            queue_.erase(due);
            begin(lane, std::move(call), now);
        }
    }
}

bool tocsin_client::connect(Lane& lane, Call& call, Steady::time_point now) {
    if (now < connect_after_) {
        return false;
    }
    const int error = lane.connection.open(path_, epoll_.get());
    if (error == 0) {
        return true;
    }
    call.last = failure(TOCSIN_UNAVAILABLE, tocsin::lib::why_not(path_, error));
    if ((error == EACCES || error == EPERM) && !call.unsure) {
        call.last.code = TOCSIN_NOT_AUTHORIZED;
        const auto same = [&call](const CallPtr& one) { return one.get() == &call; };
        const auto place = std::ranges::find_if(queue_, same);
        CallPtr refused = std::move(*place);
        queue_.erase(place);
        tocsin_result outcome = refused->last;
        finish(std::move(refused), std::move(outcome));
    }
    for (const CallPtr& other : queue_) {
        other->last = failure(TOCSIN_UNAVAILABLE, tocsin::lib::why_not(path_, error));
    }
    back_off(now);
    return false;
}

void tocsin_client::back_off(Steady::time_point now) {
    if (connect_after_ > now) {
        return; // several connections broke at once
    }
    const auto longer = tocsin::lib::retry_first * (1U << std::min(failures_, tocsin::lib::doublings_max));
    connect_after_ = now + std::min<std::chrono::milliseconds>(longer, tocsin::lib::retry_longest);
    ++failures_;
}

void tocsin_client::take(CallPtr call, Answer answer, Steady::time_point now) {
    tocsin_result result = tocsin::lib::read_answer(answer, call->request.events);
    if (!tocsin::lib::is_passing(result.code, call->unsure)) {
        return finish(std::move(call), std::move(result));
    }
    const auto pause = std::max(result.retry_after_ms, 100);
    call->not_before = now + std::chrono::milliseconds(pause);
    call->last = std::move(result);
    if (call->not_before >= call->deadline) {
        return finish_late(std::move(call)); // there will be no time for it
    }
    queue_.push_front(std::move(call));
}

void tocsin_client::finish(CallPtr call, tocsin_result outcome) {
    call->outcome = std::move(outcome);
    finished_.push_back(std::move(call));
}

// Calls back. What callbacks start is sent by the next turn of the loop, as start() advances by itself.
int tocsin_client::deliver() {
    if (depth_ > 0) {
        return 0;
    }
    int called = 0;
    const tocsin::lib::Inside inside(depth_);
    for (std::size_t left = finished_.size(); left > 0; --left) {
        CallPtr call = std::move(finished_.front());
        finished_.pop_front();
        --in_flight_;
        bytes_ -= call->request.text.size();
        if (call->done != nullptr) {
            call->done(call->user, &call->outcome);
        }
        ++called;
    }
    set_timer();
    return called;
}

// The earliest thing that no answer will tell of.
void tocsin_client::set_timer() {
    Steady::time_point next = Steady::time_point::max();
    for (const Lane& lane : lanes_) {
        if (lane.call) {
            next = std::min(next, lane.call->deadline);
        }
    }
    for (const CallPtr& call : queue_) {
        const bool busy = std::ranges::all_of(lanes_, [](const Lane& lane) { return lane.call != nullptr; });
        next = std::min({next, call->deadline, busy ? call->deadline : std::max(call->not_before, connect_after_)});
    }
    if (!finished_.empty()) {
        next = Steady::time_point{}; // long past: at once
    }
    itimerspec when{};
    if (next != Steady::time_point::max()) {
        constexpr std::int64_t second = 1'000'000'000;
        const std::int64_t since = std::max<std::int64_t>(tocsin::lib::Nanoseconds(next.time_since_epoch()).count(), 1);
        when.it_value.tv_sec = since / second;
        when.it_value.tv_nsec = since % second;
    }
    static_cast<void>(::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr));
}
