// SPDX-License-Identifier: Apache-2.0
// What a method or route does, as far as it matters for who may do it. Everything but read and submit changes what
// others rely on: a guarded act, with a polkit action of its own.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::ipc {

enum class Action : std::uint8_t {
    read,
    submit, // events, samples and beats of the sender's own

    acknowledge,
    resolve,
    snooze,
    verdict,
    silence,
    unsilence,
    run,
    cancel,
    rerun,
    set_report,
    pause,
    resume,
    forget,
    enable,
    disable,
    configure, // what decides about events: rules, inputs, handlers and their trials
    retry,
    reload,
    backup,
};

inline constexpr auto all_actions = std::to_array<Action>({
    Action::read,    Action::submit,    Action::acknowledge, Action::resolve, Action::snooze,  Action::verdict,
    Action::silence, Action::unsilence, Action::run,         Action::cancel,  Action::rerun,   Action::set_report,
    Action::pause,   Action::resume,    Action::forget,      Action::enable,  Action::disable, Action::configure,
    Action::retry,   Action::reload,    Action::backup,
});

constexpr bool is_guarded(Action action) {
    return action != Action::read && action != Action::submit;
}

// "set-report".
std::string_view to_string(Action action);
// "org.tocsin.EventManager1.set-report", of a guarded act.
std::string polkit_action(Action action);

} // namespace tocsin::ipc
