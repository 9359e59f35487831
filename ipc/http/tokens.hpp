// SPDX-License-Identifier: Apache-2.0
// Tokens for the TCP listener, which knows nobody by the kernel: made over the Unix socket, each is its maker, as he
// was then (user and groups, so his role), for twelve hours. In memory alone: none outlives the daemon.
#pragma once

#include "core/clock.hpp"
#include "ipc/http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::ipc::http {

class Tokens {
public:
    struct Bounds {
        std::size_t all;       // more are refused
        std::size_t per_uid;   // more push out the user's oldest
        std::int64_t lives_us; // boot time
    };
    Tokens(const Clock& clock, const Bounds& bounds) : clock_(clock), bounds_(bounds) {}

    Result<std::string> mint(const Caller& maker);
    // Null for one that is not good (any more).
    std::shared_ptr<Peer> find(std::string_view token);
    // All of a user; streams that they began end.
    void forget(std::uint32_t uid);

private:
    struct Token {
        std::string secret;
        std::shared_ptr<Peer> peer;
    };
    void drop_expired();
    static void end(const Token& token) { token.peer->ends_us = 1; }

    const Clock& clock_;
    Bounds bounds_;
    std::vector<Token> tokens_{}; // the oldest first
};

} // namespace tocsin::ipc::http
