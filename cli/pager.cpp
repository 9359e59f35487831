// SPDX-License-Identifier: Apache-2.0
#include "cli/pager.hpp"

#include "cli/options.hpp"
#include "cli/spawn.hpp"

#include <fcntl.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <unistd.h>
#include <utility>

namespace tocsin::cli {
namespace {

std::optional<std::string> variable(const char* name) {
    const char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): one thread
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::optional<std::string> first_of(std::initializer_list<const char*> names) {
    for (const char* const name : names) {
        if (auto value = variable(name)) {
            return value;
        }
    }
    return std::nullopt;
}

bool truth(std::string_view text) {
    return text == "1" || text == "true" || text == "yes" || text == "on";
}

} // namespace

PagerWishes pager_wishes() {
    PagerWishes wishes{.command = first_of({"TOCSIN_PAGER", "SYSTEMD_PAGER", "PAGER"})};
    wishes.less = first_of({"TOCSIN_LESS", "SYSTEMD_LESS"}).value_or(wishes.less);
    const auto asked = variable("SYSTEMD_PAGERSECURE");
    wishes.secure = asked ? truth(*asked) : first_of({"SUDO_UID", "PKEXEC_UID"}).has_value();
    return wishes;
}

std::vector<std::vector<std::string>> pagers(const PagerWishes& wishes) {
    std::vector<std::vector<std::string>> out;
    if (wishes.command) {
        const std::vector<std::string_view> words = split_words(*wishes.command);
        if (words.empty() || words == std::vector<std::string_view>{"cat"}) {
            return {};
        }
        if (!wishes.secure) {
            out.emplace_back(words.begin(), words.end());
        }
    }
    out.push_back({"less"});
    if (!wishes.secure) {
        out.push_back({"more"}); // it does not know LESSSECURE
    }
    return out;
}

PagedOutput::PagedOutput(Output& beneath, const PagerWishes& wishes) : beneath_(beneath), wishes_(wishes) {
    terminal = beneath.terminal;
    colours = beneath.colours;
    columns = beneath.columns;
}

PagedOutput::~PagedOutput() {
    flush();
    pipe_ = Fd();
    while (pid_ > 0 && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        // Its reader decides how long this takes.
    }
}

void PagedOutput::start() {
    std::array<int, 2> ends{-1, -1};
    if (std::exchange(started_, true) || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return;
    }
    const Fd source(ends[0]);
    pipe_ = Fd(ends[1]);
    SpawnPlan plan{.variables = {"LESS=" + wishes_.less, "LESSCHARSET=utf-8"}, .input = source.get()};
    if (wishes_.secure) {
        plan.variables.emplace_back("LESSSECURE=1");
    }
    ::sigemptyset(&plan.mask);
    for (auto& words : pagers(wishes_)) {
        plan.words = std::move(words);
        if (spawn(plan, pid_) == 0) {
            break;
        }
        pid_ = -1;
    }
    if (pid_ < 0) {
        pipe_ = Fd();
        return;
    }
    // A pager that lives on after Ctrl-C would share the terminal with a shell.
    if (wishes_.less.find('K') == std::string::npos) {
        struct sigaction ignore{};
        ignore.sa_handler = SIG_IGN;
        ::sigaction(SIGINT, &ignore, nullptr);
    }
}

void PagedOutput::flush() {
    if (buffer_.empty() || gone_) {
        return;
    }
    start();
    if (!pipe_.valid()) {
        beneath_.write(buffer_);
        beneath_.flush();
        gone_ = beneath_.gone();
    }
    std::string_view rest = pipe_.valid() ? std::string_view(buffer_) : std::string_view{};
    while (!rest.empty() && !gone_) {
        const ssize_t written = ::write(pipe_.get(), rest.data(), rest.size());
        if (written >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            gone_ = true; // the reader has seen enough
        }
    }
    buffer_.clear();
}

} // namespace tocsin::cli
