// SPDX-License-Identifier: Apache-2.0
#include "jobs/helper_run.hpp"

#include "jobs/packet.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace tocsin::jobs {

namespace {

// Beyond what the helper was allowed to take: an earlier run's lock (60 s), the rest of the ending.
constexpr std::int64_t helper_slack_us = 90'000'000;
constexpr std::int64_t stop_slack_us = 2'000'000; // beyond the grace of a stop
constexpr std::int64_t exit_slack_us = 5'000'000; // from its last word to its end

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

// A helper that cannot be watched: it has no script yet.
std::unexpected<Error> abort_start(pid_t helper, std::string reason) {
    ::kill(helper, SIGKILL);
    ::waitpid(helper, nullptr, 0);
    return fail(Code::unavailable, "jobs", "tocsin-spark", std::move(reason));
}

// Actions and attributes of posix_spawn, freed with their owner.
class SpawnPlan {
public:
    explicit SpawnPlan(int socket) {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawn_file_actions_adddup2(&actions_, socket, STDIN_FILENO);
        ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        // A session of its own: Ctrl-C at the daemon's terminal is the daemon's matter.
        constexpr int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID;
        ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
    }
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    int run(pid_t& pid, const std::string& program) {
        std::string name = program;
        std::array<char*, 2> argv{name.data(), nullptr};
        std::string path = "PATH=/usr/bin:/bin";
        std::array<char*, 2> envp{path.data(), nullptr};
        return ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, argv.data(), envp.data());
    }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

} // namespace

HelperRun::HelperRun(Key, boost::asio::io_context& io, pid_t pid, Finished finished)
    : socket_(io), pidfd_(io), patience_(io), pid_(pid), finished_(std::move(finished)) {}

Result<HelperRun::Process> HelperRun::start_process(const std::string& helper) {
    std::array<int, 2> pair{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        return system_error("socketpair", errno);
    }
    Process process;
    process.socket = Fd(pair[0]);
    const Fd theirs(pair[1]);
    if (const int error = SpawnPlan(theirs.get()).run(process.pid, helper); error != 0) {
        return system_error(helper, error);
    }
    process.pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
    if (!process.pidfd.valid()) {
        return abort_start(process.pid, ::strerror(errno));
    }
    return process;
}

Result<std::shared_ptr<HelperRun>> HelperRun::spawn(boost::asio::io_context& io, const std::string& helper,
                                                    const protocol::Run& request, std::string_view event_json,
                                                    Finished finished) {
    auto event = seal_event(event_json);
    if (!event) {
        return std::unexpected(event.error());
    }
    auto process = start_process(helper);
    if (!process) {
        return std::unexpected(process.error());
    }
    auto run = std::make_shared<HelperRun>(Key{}, io, process->pid, std::move(finished));
    boost::system::error_code error;
    run->socket_.assign(process->socket.get(), error);
    if (error) {
        return abort_start(process->pid, error.message());
    }
    process->socket.release();
    run->pidfd_.assign(process->pidfd.get(), error);
    if (error) {
        return abort_start(process->pid, error.message());
    }
    process->pidfd.release();
    // A socket that nobody wrote to takes the first packet; should it not, the helper ends without a word.
    send_packet(run->socket_.native_handle(), protocol::encode(request), event->get());
    run->begin(request.timeout_us + request.kill_after_us + helper_slack_us);
    return run;
}

void HelperRun::begin(std::int64_t patience_us) {
    await_socket();
    await_process();
    be_patient(patience_us);
}

void HelperRun::be_patient(std::int64_t patience_us) {
    patience_.expires_after(std::chrono::microseconds(patience_us));
    patience_.async_wait([self = weak_from_this()](boost::system::error_code error) {
        const auto run = self.lock();
        if (run && !error && !run->reaped_) {
            ::syscall(SYS_pidfd_send_signal, run->pidfd_.native_handle(), SIGKILL, nullptr, 0);
        }
    });
}

void HelperRun::stop(std::int64_t grace_us) {
    if (socket_.is_open()) {
        send_packet(socket_.native_handle(), protocol::encode(protocol::Stop{grace_us}));
        be_patient(grace_us + stop_slack_us);
    }
}

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
    for (int i = 0; i < packets_max; ++i) {
        const Packet packet = receive_packet(socket_.native_handle());
        if (packet.status == PacketStatus::again) {
            break;
        }
        auto message = packet.status == PacketStatus::ok ? protocol::decode(packet.bytes)
                                                         : fail(Code::unavailable, "jobs", "", "the helper is gone");
        if (!message) {
            return close_socket();
        }
        take(std::move(*message));
    }
    await_socket();
}

void HelperRun::take(protocol::Message message) {
    if (auto* output = std::get_if<protocol::Output>(&message)) {
        const std::size_t room = limits::job_output_bytes - result_.output.size();
        result_.output += std::string_view(output->bytes).substr(0, room);
    } else if (auto* report = std::get_if<protocol::Report>(&message)) {
        result_.report = std::move(report->line);
    } else if (auto* ended = std::get_if<protocol::Ended>(&message)) {
        result_.ended = std::move(*ended);
    }
}

// Its last word was said, or it broke the protocol: in both cases it ends, and its tree before it.
void HelperRun::close_socket() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    if (result_.ended) {
        be_patient(exit_slack_us);
    }
    reap();
}

void HelperRun::await_process() {
    pidfd_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [self = weak_from_this()](boost::system::error_code error) {
                          if (const auto run = self.lock(); run && !error) {
                              run->reap();
                          }
                      });
}

// Finished when the process is gone and everything that it sent was read.
void HelperRun::reap() {
    siginfo_t info{};
    if (!reaped_) {
        const int answer = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG);
        reaped_ = answer != 0 || info.si_pid != 0;
    }
    if (!reaped_ || socket_.is_open() || !finished_) {
        return;
    }
    patience_.cancel();
    const auto keep = shared_from_this();
    std::exchange(finished_, nullptr)(std::move(result_));
}

} // namespace tocsin::jobs
