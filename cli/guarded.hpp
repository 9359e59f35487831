// SPDX-License-Identifier: Apache-2.0
// Acts that others rely on: over HTTP for who may without being asked; else, on a terminal, over the bus, where polkit
// asks for a password.
#pragma once

#include "cli/bus_act.hpp"
#include "cli/session.hpp"

#include <string>

namespace tocsin::cli {

struct GuardedAct {
    Request request{};
    BusAct bus{};
    std::string then{}; // what is read when it was done over the bus; a last % is the answered label. Empty: nothing
};

// The object that the act answers, whichever way it went; of a list the first item.
Result<Response> act(Session& session, const GuardedAct& act);

} // namespace tocsin::cli
