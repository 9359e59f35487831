// SPDX-License-Identifier: Apache-2.0
#include "cli/spawn.hpp"

#include <algorithm>
#include <array>
#include <spawn.h>
#include <string_view>
#include <unistd.h>

namespace tocsin::cli {
namespace {

// Actions and attributes of posix_spawn, freed with their owner.
class Prepared {
public:
    explicit Prepared(const SpawnPlan& plan) {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
        // Onto itself it is inherited, too: posix_spawn takes away its close-on-exec.
        ::posix_spawn_file_actions_adddup2(&actions_, plan.input, STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions_, plan.output, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions_, plan.errors, STDERR_FILENO);
        if (!plan.keeps_other) {
            ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
        }
        sigset_t usual{};
        ::sigemptyset(&usual);
        ::sigaddset(&usual, SIGPIPE);
        ::posix_spawnattr_setsigdefault(&attributes_, &usual);
        ::posix_spawnattr_setsigmask(&attributes_, &plan.mask);
        constexpr int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
        ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
    }
    ~Prepared() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;

    int run(pid_t& pid, char* const* argv, char* const* envp) {
        return ::posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv, envp);
    }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

std::string_view name_of(std::string_view variable) {
    return variable.substr(0, variable.find('='));
}

// As exec takes it: pointers that end with a null; they live as long as `texts`.
std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (std::string& text : texts) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

std::vector<std::string> environment_with(const std::vector<std::string>& variables) {
    std::vector<std::string> out = variables;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view own = *entry;
        const auto same = [own](const std::string& variable) { return name_of(variable) == name_of(own); };
        if (std::ranges::none_of(variables, same)) {
            out.emplace_back(own);
        }
    }
    return out;
}

} // namespace

int spawn(const SpawnPlan& plan, pid_t& pid) {
    std::vector<std::string> words = plan.words;
    std::vector<std::string> environment = environment_with(plan.variables);
    const std::vector<char*> argv = pointers(words);
    const std::vector<char*> envp = pointers(environment);
    return Prepared(plan).run(pid, argv.data(), envp.data());
}

} // namespace tocsin::cli
