// SPDX-License-Identifier: Apache-2.0
// What the daemon and the helper tocsin-spark say to each other over one SOCK_SEQPACKET socket, a message a packet:
// byte 0 is the version (for ever), byte 1 the kind. The helper begins with Hello; the daemon sends one Run (with a
// sealed memfd that holds the event as JSON, and the lock of the job), perhaps a Stop; the helper says Started,
// Output…, Report, Product… (each answered by Taken before the next), Ended; or Ended alone. When the daemon's end
// closes, the helper ends the script's whole tree. Nothing depends on the helper being a child of the daemon or on a
// file that both see, but for the script itself; so systemd may start it for the socket, as another user.
#pragma once

#include "core/error.hpp"
#include "core/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace tocsin::jobs::protocol {

inline constexpr std::uint8_t version = 2;
inline constexpr std::size_t packet_bytes_max = 64 * limits::KiB;
inline constexpr std::size_t output_chunk_bytes = 16 * limits::KiB;
inline constexpr std::size_t output_bytes_max = limits::MiB;
inline constexpr std::size_t input_bytes_max = 4 * limits::MiB; // an event as JSON, every byte of it escaped
// What one job may leave; beyond: not kept, and said.
inline constexpr std::size_t product_files_max = 256;
inline constexpr std::size_t product_depth_max = 8; // parts of the path of one
inline constexpr std::uint64_t product_file_bytes = 64 * limits::MiB;
inline constexpr std::uint64_t product_job_bytes = 256 * limits::MiB;
inline constexpr std::size_t reason_bytes = 1 * limits::KiB;
inline constexpr std::int64_t duration_us_max = 366LL * 24 * 3600 * 1'000'000;

// The first word of the helper.
struct Hello {
    std::uint32_t pid = 0;   // its own, as it sees it; to be shown, never to be signalled
    std::string release{};   // of the package it came with
    std::string unlimited{}; // started by systemd, yet nothing limits memory or processes: which; else empty
    friend bool operator==(const Hello&, const Hello&) = default;
};

// What the script and each process of its tree may use; 0 is "no limit". RLIMIT_CORE is always 0.
struct Limits {
    std::uint64_t memory_bytes = 0; // RLIMIT_AS
    std::uint64_t file_bytes = 0;   // RLIMIT_FSIZE
    std::uint32_t open_files = 0;   // RLIMIT_NOFILE
    friend bool operator==(const Limits&, const Limits&) = default;
};

// Start this script. Beside it come two descriptors: the event and the lock. Strings without NUL: most become
// environment variables.
struct Run {
    std::uint64_t job_id = 0;
    std::uint32_t attempt = 1;
    std::string script{};        // its name
    std::string path{};          // where it is installed
    std::uint32_t owner_uid = 0; // who may own it, beside root
    std::string socket{};        // TOCSIN_SOCKET
    std::string callback{};      // TOCSIN_CALLBACK; empty: the script gets none
    std::uint64_t event_index = 0;
    std::string event_name{};
    std::string event_src{};
    std::int64_t event_scid = 0;
    std::string event_time{};
    std::string event_severity{};
    std::int64_t timeout_us = 0;                           // then SIGTERM
    std::int64_t kill_after_us = 0;                        // then SIGKILL
    std::uint32_t output_bytes = limits::job_output_bytes; // sent back; the rest is counted
    Limits limits{};
    friend bool operator==(const Run&, const Run&) = default;
};

// End the tree: SIGTERM, after the grace SIGKILL.
struct Stop {
    std::int64_t grace_us = 0;
    friend bool operator==(const Stop&, const Stop&) = default;
};

struct Started {
    std::uint32_t pid = 0; // of the script, as the helper sees it
    friend bool operator==(const Started&, const Started&) = default;
};

// A piece of what the script wrote to its stdout and stderr, which are one pipe: in the order written.
struct Output {
    std::string bytes{};
    friend bool operator==(const Output&, const Output&) = default;
};

// All that the script wrote to descriptor 3, cut after limits::report_line_bytes + 1.
struct Report {
    std::string line{};
    friend bool operator==(const Report&, const Report&) = default;
};

// A regular file that the script left, as a sealed memfd: nobody can change it any more.
struct Product {
    std::string path{}; // relative to the working directory, see product_path_problem()
    std::uint64_t bytes = 0;
    friend bool operator==(const Product&, const Product&) = default;
};

// The daemon is done with the product, kept or not; it wants no more after `enough`.
struct Taken {
    bool enough = false;
    friend bool operator==(const Taken&, const Taken&) = default;
};

enum class Outcome : std::uint8_t { exited, signalled, not_started };
enum class Cause : std::uint8_t { itself, timeout, stopped };

// The tree is gone, to the last process.
struct Ended {
    Outcome outcome = Outcome::not_started;
    std::int32_t code = 0; // exit code or signal number
    Cause cause = Cause::itself;
    std::uint64_t output_bytes = 0; // all of it, sent or not
    bool truncated = false;
    std::string reason{};               // why it was not started
    std::uint32_t products_dropped = 0; // files and others that were left but not sent
    std::string dropped_reason{};       // of the first of them
    friend bool operator==(const Ended&, const Ended&) = default;
};

using Message = std::variant<Run, Stop, Started, Output, Report, Ended, Hello, Product, Taken>;

std::string encode(const Message& message);
// Why the path of a product is not one: empty, absolute, too long or deep, "." or "..", control characters.
std::string_view product_path_problem(std::string_view path);

// invalid_argument for another version (in which case version_differs()), an unknown kind, or anything that encode()
// would not have made.
Result<Message> decode(std::string_view packet);
bool version_differs(std::string_view packet);

} // namespace tocsin::jobs::protocol
