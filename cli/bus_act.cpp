// SPDX-License-Identifier: Apache-2.0
#include "cli/bus_act.hpp"

#include "cli/bus_handle.hpp"
#include "cli/spawn.hpp"
#include "core/fd.hpp"

#include <systemd/sd-login.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tocsin::cli {
namespace {

constexpr const char* name = "org.tocsin.EventManager1";
constexpr std::string_view root = "/org/tocsin/EventManager1";
constexpr std::string_view error_prefix = "org.tocsin.EventManager1.Error.";
constexpr std::uint64_t person_us = 300'000'000; // to find and type a password
constexpr int agent_ms = 10'000;                 // for the agent to be there, and to be gone

std::unexpected<Error> cannot(std::string_view doing, int problem) {
    return fail(Code::unavailable, "bus", "", std::string(doing) + ": " + std::generic_category().message(-problem));
}

std::string path_of(const BusAct& act) {
    std::string path(root);
    std::size_t label = 0;
    for (std::string_view rest = act.object; !rest.empty();) {
        const std::size_t end = rest.find('/');
        const std::string_view part = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (part != "%") {
            path.append("/").append(part);
            continue;
        }
        char* encoded = nullptr;
        if (sd_bus_path_encode(path.c_str(), act.labels.at(label++).c_str(), &encoded) < 0) {
            return {};
        }
        path = encoded;
        ::free(encoded); // NOLINT(cppcoreguidelines-no-malloc): sd-bus allocated it
    }
    return path;
}

int append(sd_bus_message* message, const BusAct& act) {
    int done = 0;
    for (const auto& argument : act.arguments) {
        if (const auto* number = std::get_if<std::uint64_t>(&argument)) {
            done = sd_bus_message_append_basic(message, 't', number);
        } else if (const auto* whole = std::get_if<std::int64_t>(&argument)) {
            done = sd_bus_message_append_basic(message, 'x', whole);
        } else {
            done = sd_bus_message_append_basic(message, 's', std::get<std::string>(argument).c_str());
        }
        if (done < 0) {
            return done;
        }
    }
    return 0;
}

Error refused(const sd_bus_error& error) {
    const std::string_view said = error.name == nullptr ? "" : error.name;
    const auto code =
        said.starts_with(error_prefix) ? code_from_name(said.substr(error_prefix.size())) : std::optional<Code>{};
    return {.code = code.value_or(Code::unavailable),
            .context = "bus",
            .object = {},
            .reason = error.message == nullptr ? std::string(said) : error.message};
}

Result<std::string> answered_label(sd_bus_message* answer) {
    const char* path = nullptr;
    if (const int read = sd_bus_message_read(answer, "o", &path); read < 0) {
        return cannot("read the answer", read);
    }
    char* label = nullptr;
    const std::string prefix = std::string(path).substr(0, std::string_view(path).rfind('/'));
    if (const int decoded = sd_bus_path_decode(path, prefix.c_str(), &label); decoded <= 0) {
        return cannot("read the answer", -EBADMSG);
    }
    std::string text = label;
    ::free(label); // NOLINT(cppcoreguidelines-no-malloc): sd-bus allocated it
    return text;
}

// polkit asks a fallback agent only for a caller in a session, where a graphical one goes before it.
std::vector<std::string> agent_words(int notify) {
    std::vector<std::string> words{"pkttyagent", "--notify-fd", std::to_string(notify)};
    char* session = nullptr;
    if (sd_pid_get_session(0, &session) >= 0) {
        words.emplace_back("--fallback");
        ::free(session); // NOLINT(cppcoreguidelines-no-malloc): sd-login allocated it
    }
    return words;
}

void end_agent(pid_t child) {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    ::kill(child, SIGTERM);
    ::kill(child, SIGCONT); // it may have been stopped, asking from the background
    pollfd gone{.fd = process.get(), .events = POLLIN, .revents = 0};
    if (::poll(&gone, 1, agent_ms) <= 0) {
        ::kill(child, SIGKILL);
    }
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

} // namespace

TerminalAgent::TerminalAgent() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return;
    }
    const Fd read(ends[0]);
    Fd write(ends[1]);
    ::fcntl(write.get(), F_SETFD, 0); // the agent closes it when it is there
    const SpawnPlan plan{.words = agent_words(write.get())};
    pid_t pid = -1;
    if (spawn(plan, pid) != 0) {
        return;
    }
    pid_ = pid;
    write.reset();
    pollfd there{.fd = read.get(), .events = POLLIN, .revents = 0};
    static_cast<void>(::poll(&there, 1, agent_ms));
}

TerminalAgent::~TerminalAgent() {
    if (pid_ > 0) {
        end_agent(pid_);
    }
}

Result<std::string> act_on_bus(const BusAct& act) {
    sd_bus* raw = nullptr;
    if (const int opened = sd_bus_open_system(&raw); opened < 0) {
        return cannot("reach the system bus", opened);
    }
    const Bus bus(raw);
    const std::string interface = std::string(name) + '.' + std::string(act.interface);
    sd_bus_message* made = nullptr;
    int done = sd_bus_message_new_method_call(bus.get(), &made, name, path_of(act).c_str(), interface.c_str(),
                                              std::string(act.member).c_str());
    const Message message(made);
    if (done >= 0) {
        done = append(message.get(), act);
    }
    if (done >= 0) {
        done = sd_bus_message_set_allow_interactive_authorization(message.get(), 1);
    }
    if (done < 0) {
        return cannot("make the call", done);
    }
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* reply = nullptr;
    done = sd_bus_call(bus.get(), message.get(), person_us, &error, &reply);
    const Message answer(reply);
    if (done < 0) {
        Error told = refused(error);
        sd_bus_error_free(&error);
        return std::unexpected(std::move(told));
    }
    return act.answers_path ? answered_label(answer.get()) : Result<std::string>(std::string());
}

} // namespace tocsin::cli
