// SPDX-License-Identifier: Apache-2.0
#include "jobs/helper_run.hpp"

#include "jobs/helper_socket.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace tocsin::jobs {

namespace {

constexpr std::int64_t hello_wait_us = 30'000'000; // the service manager may have to make a unit first
// Beyond what the helper was allowed to take: an earlier run's lock (60 s), products, the rest of the ending.
constexpr std::int64_t helper_slack_us = 180'000'000;
constexpr std::int64_t stop_slack_us = 2'000'000; // beyond the grace of a stop
constexpr std::int64_t exit_slack_us = 5'000'000; // from its last word to its end
// A helper that cannot be reached is tried again after 0.25 s, 0.5 s, … 4 s: about 8 s in all.
constexpr unsigned connects_max = 6;
constexpr std::int64_t connect_delay_us_min = 250'000;

std::unexpected<Error> system_error(std::string object, int error) {
    return fail(Code::unavailable, "jobs", std::move(object), ::strerror(error));
}

// The event as a file that nobody can change any more; the script gets it as its stdin.
Result<Fd> seal_event(std::string_view json) {
    Fd file(::memfd_create("tocsin-event", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    std::size_t written = 0;
    while (file.valid() && written < json.size()) {
        const ssize_t size = ::write(file.get(), json.data() + written, json.size() - written);
        if (size <= 0 && errno != EINTR) {
            return system_error("event", errno);
        }
        written += size > 0 ? static_cast<std::size_t>(size) : 0;
    }
    constexpr int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    if (!file.valid() || ::fcntl(file.get(), F_ADD_SEALS, seals) != 0 || ::lseek(file.get(), 0, SEEK_SET) != 0) {
        return system_error("event", errno);
    }
    return file;
}

} // namespace

HelperRun::HelperRun(Key, boost::asio::io_context& io, RunInput input, Finished finished)
    : io_(io),
      input_(std::move(input)),
      socket_(io),
      pidfd_(io),
      patience_(io),
      retry_(io),
      products_(input_.products, input_.request.job_id),
      finished_(std::move(finished)) {}

std::shared_ptr<HelperRun> HelperRun::start(boost::asio::io_context& io, RunInput input, Finished finished) {
    auto run = std::make_shared<HelperRun>(Key{}, io, std::move(input), std::move(finished));
    run->input_.socket.empty() ? run->spawn() : run->connect();
    return run;
}

std::uint32_t HelperRun::pid() const {
    const std::uint32_t told = result_.hello ? result_.hello->pid : 0;
    return child_ != 0 ? static_cast<std::uint32_t>(child_) : told;
}

std::optional<std::uint32_t> HelperRun::user() const {
    return socket_.is_open() ? uid_ : std::nullopt;
}

// ---- a helper ----

Result<void> HelperRun::watch(Fd socket, Fd pidfd) {
    boost::system::error_code error;
    socket_.assign(socket.get(), error);
    if (error) {
        return system_error("tocsin-spark", error.value());
    }
    socket.release();
    if (pidfd.valid()) {
        pidfd_.assign(pidfd.get(), error);
    }
    if (error) {
        return system_error("tocsin-spark", error.value());
    }
    pidfd.release();
    be_patient(hello_wait_us);
    await_socket();
    return {};
}

// Not on this thread, which would stand still until the new process has begun: a millisecond, more on a busy machine.
void HelperRun::spawn() {
    boost::asio::post(*input_.spawner, [&io = io_, program = input_.program, self = weak_from_this()] {
        boost::asio::post(io, [process = spawn_helper(program), self]() mutable {
            if (const auto run = self.lock()) {
                run->spawned(std::move(process));
            } else if (process) {
                end_unused(*process);
            }
        });
    });
}

void HelperRun::spawned(Result<HelperProcess> process) {
    if (!process) {
        return fail_unstarted(process.error().detail());
    }
    if (auto watched = watch(std::move(process->socket), std::move(process->pidfd)); !watched) {
        end_unused(*process);
        return fail_unstarted(watched.error().detail());
    }
    child_ = process->pid;
    await_process();
    stopped_ ? end_unasked() : input_.met();
}

// No request was sent, so nothing has begun.
void HelperRun::end_unasked() {
    result_.ended = protocol::Ended{.cause = protocol::Cause::stopped, .reason = "stopped before it began"};
    close_socket();
}

void HelperRun::connect() {
    ++connects_;
    auto socket = connect_helper(input_.socket);
    if (!socket) {
        return connect_later(socket.error().detail());
    }
    if (auto watched = watch(std::move(*socket), Fd()); !watched) {
        fail_unstarted(watched.error().detail());
    }
}

// Before the request was sent nothing has begun, so trying again is safe.
void HelperRun::connect_later(std::string reason) {
    if (connects_ >= connects_max || stopped_) {
        return fail_unstarted(std::move(reason));
    }
    retry_.expires_after(std::chrono::microseconds(connect_delay_us_min << (connects_ - 1)));
    retry_.async_wait([self = weak_from_this()](boost::system::error_code error) {
        if (const auto run = self.lock(); run && !error && !run->stopped_) {
            run->connect();
        }
    });
}

void HelperRun::greeted(protocol::Hello hello, std::optional<std::uint32_t> uid) {
    if (result_.hello) {
        return;
    }
    result_.hello = std::move(hello);
    if (child_ == 0) {
        uid_ = uid;
        input_.met();
    }
    if (auto sent = send_request(); !sent) {
        result_.problem = sent.error().detail();
        return close_socket();
    }
    const auto& request = input_.request;
    be_patient(request.timeout_us + request.kill_after_us + helper_slack_us);
}

// A socket that nobody wrote to takes the first packet.
Result<void> HelperRun::send_request() {
    auto event = seal_event(std::exchange(input_.event_json, {}));
    if (!event) {
        return std::unexpected(event.error());
    }
    auto lock = input_.products->lock(input_.request.job_id);
    if (!lock) {
        return std::unexpected(lock.error());
    }
    const std::array<int, 2> descriptors{event->get(), lock->get()};
    if (send_packet(socket_.native_handle(), protocol::encode(input_.request), descriptors) != PacketStatus::ok) {
        return fail(Code::unavailable, "jobs", "tocsin-spark", "did not take the request");
    }
    return {};
}

void HelperRun::be_patient(std::int64_t patience_us) {
    patience_.expires_after(std::chrono::microseconds(patience_us));
    patience_.async_wait([self = weak_from_this()](boost::system::error_code error) {
        if (const auto run = self.lock(); run && !error) {
            run->lose_patience();
        }
    });
}

void HelperRun::lose_patience() {
    if (child_ != 0) {
        ::syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), SIGKILL, nullptr, 0);
    } else if (socket_.is_open()) {
        result_.problem = "did not answer in time";
        close_socket();
    }
}

void HelperRun::stop(std::int64_t grace_us) {
    if (std::exchange(stopped_, true) || finishing_) {
        return;
    }
    if (!socket_.is_open()) { // it ends already, or there is none yet
        return input_.socket.empty() ? void() : fail_unstarted("stopped before it began");
    }
    if (!result_.hello) {
        return end_unasked();
    }
    send_packet(socket_.native_handle(), protocol::encode(protocol::Stop{grace_us}));
    be_patient(grace_us + stop_slack_us);
}

// ---- what it says ----

void HelperRun::await_socket() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = weak_from_this()](boost::system::error_code error) {
                           if (const auto run = self.lock(); run && !error) {
                               run->read_socket();
                           }
                       });
}

void HelperRun::read_socket() {
    constexpr int packets_max = 64; // in one turn of the loop
    for (int i = 0; i < packets_max && socket_.is_open() && !copying_; ++i) {
        const Packet packet = receive_packet(socket_.native_handle());
        if (packet.status == PacketStatus::again) {
            break;
        }
        if (packet.status == PacketStatus::closed) {
            return close_socket();
        }
        auto message = protocol::decode(packet.bytes);
        if (!message) {
            result_.problem = message.error().reason;
            return close_socket();
        }
        take(std::move(*message), packet);
    }
    if (socket_.is_open() && !copying_) {
        await_socket();
    }
}

void HelperRun::take(protocol::Message message, const Packet& packet) {
    if (auto* hello = std::get_if<protocol::Hello>(&message)) {
        greeted(std::move(*hello), packet.sender_uid);
    } else if (auto* output = std::get_if<protocol::Output>(&message)) {
        const std::size_t room = limits::job_output_bytes - result_.output.size();
        result_.output += std::string_view(output->bytes).substr(0, room);
    } else if (auto* report = std::get_if<protocol::Report>(&message)) {
        result_.report = std::move(report->line);
    } else if (const auto* product = std::get_if<protocol::Product>(&message)) {
        products_.begin(*product, packet.descriptors.empty() ? nullptr : packet.descriptors.data());
        copying_ = true;
        copy_product();
    } else if (auto* ended = std::get_if<protocol::Ended>(&message)) {
        result_.ended = std::move(*ended);
        close_socket();
    }
}

// A slice a turn of the loop.
void HelperRun::copy_product() {
    if (!products_.step()) {
        return boost::asio::post(io_, [self = weak_from_this()] {
            if (const auto run = self.lock()) {
                run->copy_product();
            }
        });
    }
    boost::asio::post(io_, [self = weak_from_this()] {
        if (const auto run = self.lock(); run && run->socket_.is_open()) {
            run->copying_ = false;
            send_packet(run->socket_.native_handle(),
                        protocol::encode(protocol::Taken{.enough = run->products_.enough()}));
            run->read_socket();
        }
    });
}

// ---- the end ----

void HelperRun::fail_unstarted(std::string reason) {
    result_.ended = protocol::Ended{};
    result_.ended->cause = stopped_ ? protocol::Cause::stopped : protocol::Cause::itself;
    result_.ended->reason = std::move(reason);
    result_.problem = stopped_ ? "" : result_.ended->reason; // who was stopped learnt nothing about the helper
    retry_.cancel();
    finish();
}

// Its last word was said, or it broke the protocol: in both cases it ends, and its tree before it.
void HelperRun::close_socket() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    patience_.cancel();
    if (input_.socket.empty()) {
        be_patient(exit_slack_us);
        return reap();
    }
    if (!result_.hello && !result_.ended) {
        std::string reason = result_.problem.empty() ? "closed without a word" : std::exchange(result_.problem, {});
        return connect_later(input_.socket + ": the helper " + reason);
    }
    finish();
}

void HelperRun::await_process() {
    pidfd_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [self = weak_from_this()](boost::system::error_code error) {
                          if (const auto run = self.lock(); run && !error) {
                              run->reap();
                          }
                      });
}

void HelperRun::reap() {
    siginfo_t info{};
    if (child_ != 0 &&
        (::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG) != 0 || info.si_pid != 0)) {
        child_ = 0;
        boost::system::error_code ignored;
        pidfd_.close(ignored);
    }
    if (child_ == 0 && !socket_.is_open()) { // everything that it sent was read
        finish();
    }
}

void HelperRun::finish() {
    if (std::exchange(finishing_, true)) {
        return;
    }
    patience_.cancel();
    result_.products_dropped = products_.dropped() + (result_.ended ? result_.ended->products_dropped : 0);
    result_.dropped_reason =
        products_.dropped() > 0 || !result_.ended ? products_.dropped_reason() : result_.ended->dropped_reason;
    boost::asio::post(io_, [self = weak_from_this()] {
        if (const auto run = self.lock()) {
            std::exchange(run->finished_, nullptr)(std::move(run->result_));
        }
    });
}

} // namespace tocsin::jobs
