// SPDX-License-Identifier: Apache-2.0
// Every bound of the HTTP face, with a name. Tests make them small instead of waiting. Sizes in bytes, times in µs of
// the boot-time clock; deadlines are looked at once a tick, so they are kept to within one.
#pragma once

#include "core/limits.hpp"

#include <cstddef>
#include <cstdint>

namespace tocsin::ipc::http {

// Whose connections those over TCP are, as far as they are counted: the kernel does not say. No user has this number.
inline constexpr std::uint32_t tcp_account = 0xFFFF'FFFE;

struct Limits {
    std::size_t header_bytes = 16 * limits::KiB;
    std::size_t batch_bytes = limits::batch_bytes; // a JSON object or array of events
    std::size_t control_body_bytes = limits::control_body_bytes;
    std::size_t chunk_lines = limits::chunk_lines; // NDJSON commits in chunks of at most this
    std::size_t chunk_bytes = limits::chunk_bytes;
    std::size_t line_bytes = 2 * limits::MiB;     // one NDJSON line: an event of 256 KiB, escaped
    std::size_t bodies_bytes = 256 * limits::MiB; // that all unfinished bodies may hold together

    std::size_t connections = 256;
    std::size_t connections_per_uid = 64;
    std::size_t streams = 2'048; // followed ones, and backups; they are no connections in the sense of the above
    std::size_t streams_per_uid = 1'024;
    std::size_t refused_connections = 32; // above: told so in one answer; beyond that simply closed

    std::int64_t header_us = 15'000'000; // from the first byte of a request, or from connect, to the end of its header
    std::int64_t idle_us = 300'000'000;  // between requests
    std::int64_t body_us = 30'000'000;   // for the next piece of a body
    std::int64_t write_us = 30'000'000;  // for the next piece of an answer to be taken
    std::int64_t linger_us = 5'000'000;  // what a client still sends after an early answer is read and dropped
    std::int64_t stop_us = 2'000'000;    // for answers in flight when the daemon stops
    std::int64_t tick_us = 1'000'000;
    std::int64_t accept_retry_us = 100'000; // after a failed accept
    std::int64_t bind_retry_us = 5'000'000; // while something else has a network address

    std::size_t tokens = 256; // for the network listener
    std::size_t tokens_per_uid = 16;
    std::int64_t token_us = 43'200'000'000; // twelve hours

    std::size_t gzip_bytes = limits::KiB;           // a smaller answer goes out as it is
    std::size_t gzip_here_bytes = 32 * limits::KiB; // is packed at once; a larger one by the thread
    std::size_t gzips_waiting = 16;                 // for the thread; beyond: as it is

    std::int64_t comment_us = 15'000'000;           // a silent stream sends a comment
    std::size_t follower_bytes = 256 * limits::KiB; // that a stream holds for its reader; beyond: it reads from the log
    std::size_t followers_bytes = 64 * limits::MiB; // that all streams hold; beyond: those that hold some read, too
    std::size_t followers_at_once = 64;             // woken in one turn of the loop
    std::int64_t follower_pace_us = 100;            // for each stream: between two times that they are woken
    std::size_t follower_events = 1'000;            // of one read from the log
};

// Bytes of unfinished bodies, over all connections.
class Budget {
public:
    explicit Budget(std::size_t bytes) : left_(bytes) {}
    bool take(std::size_t bytes) {
        if (bytes > left_) {
            return false;
        }
        left_ -= bytes;
        return true;
    }
    void give_back(std::size_t bytes) { left_ += bytes; }
    std::size_t left() const { return left_; }

private:
    std::size_t left_;
};

// One body's share of the budget; given back when it goes.
class Share {
public:
    explicit Share(Budget& budget) : budget_(budget) {}
    ~Share() { budget_.give_back(bytes_); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    bool grow_to(std::size_t bytes) {
        if (bytes > bytes_) {
            if (!budget_.take(bytes - bytes_)) {
                return false;
            }
            bytes_ = bytes;
        }
        return true;
    }
    void shrink_to(std::size_t bytes) {
        if (bytes < bytes_) {
            budget_.give_back(bytes_ - bytes);
            bytes_ = bytes;
        }
    }

private:
    Budget& budget_;
    std::size_t bytes_ = 0;
};

} // namespace tocsin::ipc::http
