// SPDX-License-Identifier: Apache-2.0
#include "ipc/action.hpp"

namespace tocsin::ipc {

namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, all_actions.size()> names = {
    "read",      "submit", "acknowledge", "resolve",   "snooze",     "verdict", "silence",
    "unsilence", "run",    "cancel",      "rerun",     "set-report", "pause",   "resume",
    "forget",    "enable", "disable",     "configure", "retry",      "reload",  "backup",
};

} // namespace

std::string_view to_string(Action action) {
    return names.at(static_cast<std::size_t>(action));
}

std::string polkit_action(Action action) {
    return "org.tocsin.EventManager1." + std::string(to_string(action));
}

} // namespace tocsin::ipc
