// SPDX-License-Identifier: Apache-2.0
// Whether scripts can run, and within limits: asked at the start, learnt again from each run.
#include "jobs/engine.hpp"

#include "jobs/helper_socket.hpp"

#include <unistd.h>
#include <utility>

namespace tocsin::jobs {

void Engine::on_helper(std::function<void(const HelperState&)> handler) {
    helper_handler_ = std::move(handler);
    helper_handler_(helper_state_);
}

void Engine::look_at_helper() {
    const std::string socket = helper_socket_for(settings_, "");
    if (socket.empty()) {
        const bool there = ::access(settings_.helper.c_str(), X_OK) == 0;
        return set_helper_state(
            {.unusable = there ? "" : settings_.helper.string() + " is not there; scripts cannot run"});
    }
    probe_ = HelperProbe::start(io_, socket, [self = weak_from_this(), socket](Result<protocol::Hello> hello) {
        const auto engine = self.lock();
        if (engine && hello) {
            engine->learn_helper(socket, *hello, "");
        } else if (engine) {
            engine->learn_helper(socket, std::nullopt, hello.error().detail());
        }
    });
}

// A script's own helper says nothing about the others.
void Engine::learn_helper(const std::string& socket, const std::optional<protocol::Hello>& hello,
                          const std::string& problem) {
    if (socket != helper_socket_for(settings_, "") || (!hello && problem.empty())) {
        return;
    }
    HelperState state;
    if (!hello) {
        state.unusable = problem + "; scripts cannot run";
    } else if (!hello->unlimited.empty()) {
        state.unlimited = "scripts run without a limit of " + hello->unlimited +
                          "; set MemoryMax= and TasksMax= in tocsin-spark@.service and have systemd control these";
    }
    set_helper_state(std::move(state));
}

void Engine::set_helper_state(HelperState state) {
    if (state != helper_state_) {
        helper_state_ = std::move(state);
        if (helper_handler_) {
            helper_handler_(helper_state_);
        }
    }
}

} // namespace tocsin::jobs
