// SPDX-License-Identifier: Apache-2.0
// What `doctor` looks at beside the daemon's own answers: the service manager, the bus, files, the clock, the kernel's
// limits. Only gathered here, without a judgement (cli/doctor_judge.hpp). What could not be read is unset, never good.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

inline constexpr std::string_view system_socket = "/run/tocsin/tocsin.sock"; // of the installed service

struct FileFact {
    std::string path{};
    bool exists = false;
    unsigned mode = 0; // permission bits
    std::string owner{};
    std::string group{};
};

// A unit whose files say that it is in group tocsin.
struct MemberUnit {
    std::string unit{};
    std::string said_in{};        // the file
    bool loaded = false;          // … is what the service manager works with
    bool running_without = false; // its process is from before
};

struct ServiceFact {
    std::string active{};  // ActiveState
    std::string enabled{}; // UnitFileState
    std::string socket_active{};
    bool needs_reload = false;
    std::optional<std::uint32_t> restarts{};
    std::optional<std::uint64_t> open_files{};        // LimitNOFILE
    std::optional<std::vector<MemberUnit>> members{}; // unset: not all files could be looked at
};

struct BusFact {
    std::string error{}; // name; empty: the daemon answered on the bus
    std::string detail{};
};

struct SystemFacts {
    std::optional<ServiceFact> service{}; // of the installed one; unset: no service manager answers
    std::string service_problem{};        // … and why
    std::optional<BusFact> bus{};         // unset: there is no bus
    std::vector<FileFact> files{};
    std::optional<bool> clock_synchronized{};
    std::optional<std::uint64_t> datagram_queue{};   // net.unix.max_dgram_qlen
    std::optional<std::uint64_t> connection_queue{}; // net.core.somaxconn
    bool caller_is_member = false;                   // root, or in group tocsin
};

// `installed`: the daemon behind the system's socket; of any other one only what concerns every daemon is gathered.
SystemFacts gather_facts(bool installed);

// In doctor_units.cpp.
std::optional<ServiceFact> service_fact(std::string& problem);
std::optional<BusFact> bus_fact();
// "tocsin" among the values of SupplementaryGroups= in the text of a unit's file.
bool names_group(std::string_view unit_file, std::string_view group);

} // namespace tocsin::cli
