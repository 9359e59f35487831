// SPDX-License-Identifier: Apache-2.0
// A guarded act over D-Bus: only there can polkit ask the person at the terminal for a password. Everything else goes
// over HTTP, and this only where HTTP was refused.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tocsin::cli {

struct BusAct {
    std::string_view object{};         // below the root: "job/%", "heartbeat/%/%"; empty: the root itself
    std::vector<std::string> labels{}; // of its %, not encoded
    std::string_view interface{};      // "Manager"
    std::string_view member{};         // "Reload"
    std::vector<std::variant<std::uint64_t, std::int64_t, std::string>> arguments{};
    bool answers_path = false; // "Run" and the like: what becomes of it is an object
};

// Started for the time of a call, as systemctl does it: pkttyagent asks on the terminal. Where it is not installed, a
// graphical agent may answer.
class TerminalAgent {
public:
    TerminalAgent();
    ~TerminalAgent();
    TerminalAgent(const TerminalAgent&) = delete;
    TerminalAgent& operator=(const TerminalAgent&) = delete;

private:
    int pid_ = -1;
};

// The last label of the path that was answered, or "". Waits for the person, some minutes at most.
Result<std::string> act_on_bus(const BusAct& act);

} // namespace tocsin::cli
