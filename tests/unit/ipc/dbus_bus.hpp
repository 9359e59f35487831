// SPDX-License-Identifier: Apache-2.0
// A private message bus for one test, a client that blocks, and the typed text of a message: "s"x" t5 {"a":x1}".
#pragma once

#include <gtest/gtest.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char** environ;

namespace tocsin::ipc::dbus::testing {

inline constexpr const char* name = "org.tocsin.EventManager1";
inline constexpr const char* root = "/org/tocsin/EventManager1";
inline constexpr std::uint64_t patience_us = 20'000'000;
inline constexpr int patience_ms = 20'000;

// max_message_size is the promise of the daemon: a larger message would make the bus disconnect it.
inline constexpr std::string_view bus_config =
    R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=@/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/></policy>
<limit name="max_message_size">8388608</limit><limit name="max_incoming_bytes">1000000000</limit>
<limit name="max_outgoing_bytes">1000000000</limit></busconfig>)";

class PrivateBus {
public:
    PrivateBus() {
        std::string folder = "/tmp/tocsin-bus-XXXXXX";
        if (::mkdtemp(folder.data()) == nullptr) {
            throw std::runtime_error("mkdtemp");
        }
        folder_ = folder;
        ::chmod(folder_.c_str(), 0755);
        std::string config(bus_config);
        config.replace(config.find('@'), 1, folder_);
        std::ofstream(folder_ + "/bus.conf") << config;
        start();
    }
    PrivateBus(const PrivateBus&) = delete;
    PrivateBus& operator=(const PrivateBus&) = delete;
    ~PrivateBus() {
        stop();
        ::unlink((folder_ + "/bus.conf").c_str());
        ::unlink((folder_ + "/bus").c_str());
        ::rmdir(folder_.c_str());
    }
    void stop() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(std::exchange(pid_, -1), nullptr, 0);
        }
    }
    void signal(int number) const { ::kill(pid_, number); }
    std::string address() const { return "unix:path=" + folder_ + "/bus"; }

private:
    void start() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) < 0) {
            throw std::runtime_error("pipe2");
        }
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0); // what it cannot do when not root
        std::string config = "--config-file=" + folder_ + "/bus.conf";
        std::string program = "dbus-daemon";
        std::string fork = "--nofork";
        std::string print = "--print-address=1";
        char* arguments[] = {program.data(), config.data(), fork.data(), print.data(), nullptr};
        const int failed = ::posix_spawnp(&pid_, program.c_str(), &actions, nullptr, arguments, environ);
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        pollfd ready{ends[0], POLLIN, 0};
        char line[256];
        const bool up = failed == 0 && ::poll(&ready, 1, patience_ms) == 1 && ::read(ends[0], line, sizeof line) > 0;
        ::close(ends[0]);
        if (!up) {
            throw std::runtime_error("dbus-daemon does not start");
        }
    }
    std::string folder_{};
    pid_t pid_ = -1;
};

struct UnrefMessage {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using MessagePtr = std::unique_ptr<sd_bus_message, UnrefMessage>;

inline std::string typed(sd_bus_message* message);

inline std::string typed_one(sd_bus_message* message) {
    char type = 0;
    const char* contents = nullptr;
    EXPECT_GT(sd_bus_message_peek_type(message, &type, &contents), 0);
    union {
        std::uint8_t y;
        int b;
        std::int16_t n;
        std::uint16_t q;
        std::int32_t i;
        std::uint32_t u;
        std::int64_t x;
        std::uint64_t t;
        double d;
        const char* s;
    } raw{};
    if (type == 'v' || type == 'a' || type == 'r' || type == 'e') {
        const bool dictionary = type == 'a' && contents[0] == '{';
        EXPECT_GE(sd_bus_message_enter_container(message, type, contents), 0);
        std::string text = typed(message);
        EXPECT_GE(sd_bus_message_exit_container(message), 0);
        return type == 'v' ? text : dictionary ? "{" + text + "}" : type == 'e' ? text : "[" + text + "]";
    }
    EXPECT_GT(sd_bus_message_read_basic(message, type, &raw), 0);
    switch (type) {
    case 's':
    case 'o':
    case 'g':
        return type + ("\"" + std::string(raw.s) + "\"");
    case 'b':
        return raw.b != 0 ? "btrue" : "bfalse";
    case 'd': {
        char number[64];
        std::snprintf(number, sizeof number, "d%g", raw.d);
        return number;
    }
    case 'x':
        return "x" + std::to_string(raw.x);
    case 't':
        return "t" + std::to_string(raw.t);
    case 'u':
        return "u" + std::to_string(raw.u);
    case 'i':
        return "i" + std::to_string(raw.i);
    default:
        return std::string(1, type);
    }
}

// The elements up to the end of the container: dictionary entries as key:value.
inline std::string typed(sd_bus_message* message) {
    std::string text;
    while (sd_bus_message_at_end(message, 0) == 0) {
        char type = 0;
        sd_bus_message_peek_type(message, &type, nullptr);
        std::string one;
        if (type == 'e') {
            const char* contents = nullptr;
            sd_bus_message_peek_type(message, nullptr, &contents);
            sd_bus_message_enter_container(message, 'e', contents);
            const char* key = nullptr;
            sd_bus_message_read_basic(message, 's', &key);
            one = key;
            one += ":" + typed_one(message);
            sd_bus_message_exit_container(message);
        } else {
            one = typed_one(message);
        }
        text += (text.empty() ? "" : " ") + one;
    }
    return text;
}

struct Answer {
    MessagePtr reply{};
    std::string error{}; // without the common prefix of ours
    std::string message{};
    bool ok() const { return reply != nullptr; }
    std::string text() const {
        if (!reply) {
            return error + ": " + message;
        }
        sd_bus_message_rewind(reply.get(), 1);
        return typed(reply.get());
    }
};

// Blocks; not on the thread of the service.
class Client {
public:
    explicit Client(const std::string& address) {
        EXPECT_GE(sd_bus_new(&bus_), 0);
        EXPECT_GE(sd_bus_set_address(bus_, address.c_str()), 0);
        EXPECT_GE(sd_bus_set_bus_client(bus_, 1), 0);
        EXPECT_GE(sd_bus_negotiate_fds(bus_, 1), 0);
        EXPECT_GE(sd_bus_start(bus_), 0);
        const char* unique = nullptr;
        EXPECT_GE(sd_bus_get_unique_name(bus_, &unique), 0);
        unique_ = unique == nullptr ? "" : unique;
    }
    ~Client() { sd_bus_flush_close_unref(bus_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    sd_bus* bus() { return bus_; }
    const std::string& unique() const { return unique_; }

    MessagePtr message(const std::string& path, const std::string& interface, const char* member) {
        sd_bus_message* raw = nullptr;
        EXPECT_GE(sd_bus_message_new_method_call(bus_, &raw, name, path.c_str(), full(interface).c_str(), member), 0);
        return MessagePtr(raw);
    }
    Answer send(const MessagePtr& call) {
        sd_bus_error error{};
        sd_bus_message* raw = nullptr;
        Answer answer;
        if (sd_bus_call(bus_, call.get(), patience_us, &error, &raw) >= 0) {
            answer.reply.reset(raw);
        } else {
            const std::string_view all = error.name == nullptr ? "no error name" : error.name;
            const std::string prefix = std::string(name) + ".Error.";
            answer.error = all.starts_with(prefix) ? all.substr(prefix.size()) : all;
            answer.message = error.message == nullptr ? "" : error.message;
        }
        sd_bus_error_free(&error);
        return answer;
    }
    template <typename... Arguments>
    Answer call_at(const std::string& path, const std::string& interface, const char* member, const char* types,
                   Arguments... arguments) {
        const MessagePtr call = message(path, interface, member);
        EXPECT_GE(sd_bus_message_append(call.get(), types, arguments...), 0);
        return send(call);
    }
    template <typename... Arguments>
    Answer call(const std::string& interface, const char* member, const char* types, Arguments... arguments) {
        return call_at(root, interface, member, types, arguments...);
    }
    Answer get(const std::string& path, const std::string& interface, const char* property) {
        return call_at(path, "org.freedesktop.DBus.Properties", "Get", "ss", full(interface).c_str(), property);
    }
    void match(const std::string& rule) {
        EXPECT_GE(sd_bus_add_match(bus_, nullptr, rule.c_str(), nullptr, nullptr), 0);
    }
    // The next signal with that member ("": any of ours), within our patience; null when none comes.
    MessagePtr signal(const std::string& member, std::uint64_t wait_us = patience_us) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(wait_us);
        for (;;) {
            sd_bus_message* raw = nullptr;
            const int done = sd_bus_process(bus_, &raw);
            const MessagePtr got(raw);
            if (done < 0) {
                return nullptr;
            }
            const bool wanted = member.empty()
                                    ? got && sd_bus_message_is_signal(got.get(), full("Events").c_str(), nullptr) > 0
                                    : got && sd_bus_message_is_signal(got.get(), nullptr, member.c_str()) > 0;
            if (wanted) {
                return MessagePtr(sd_bus_message_ref(got.get()));
            }
            const auto left = end - std::chrono::steady_clock::now();
            const auto left_us = std::chrono::duration_cast<std::chrono::microseconds>(left).count();
            if (left_us <= 0) {
                return nullptr;
            }
            if (done == 0) {
                sd_bus_wait(bus_, static_cast<std::uint64_t>(left_us));
            }
        }
    }

    static std::string full(const std::string& interface) {
        return interface.find('.') == std::string::npos ? std::string(name) + "." + interface : interface;
    }

private:
    sd_bus* bus_ = nullptr;
    std::string unique_{};
};

} // namespace tocsin::ipc::dbus::testing
