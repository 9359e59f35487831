// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/tokens.hpp"

#include "core/secret.hpp"

#include <algorithm>

namespace tocsin::ipc::http {

void Tokens::drop_expired() {
    std::erase_if(tokens_, [now = clock_.boot_us()](const Token& token) { return now >= token.peer->ends_us; });
}

Result<std::string> Tokens::mint(const Caller& maker) {
    drop_expired();
    const auto is_his = [&maker](const Token& token) { return token.peer->caller.uid == maker.uid; };
    if (static_cast<std::size_t>(std::ranges::count_if(tokens_, is_his)) >= bounds_.per_uid) {
        const auto oldest = std::ranges::find_if(tokens_, is_his);
        end(*oldest);
        tokens_.erase(oldest);
    }
    if (tokens_.size() >= bounds_.all) {
        return fail(Code::limit_exceeded, "http", "tokens", "too many are in use");
    }
    auto peer = std::make_shared<Peer>();
    peer->caller.uid = maker.uid;
    peer->caller.groups = maker.groups;
    peer->caller.origin.transport = maker.origin.transport;
    peer->caller.origin.uid = maker.origin.uid;
    peer->caller.origin.gid = maker.origin.gid;
    peer->ends_us = clock_.boot_us() + bounds_.lives_us;
    tokens_.push_back({.secret = new_secret(), .peer = std::move(peer)});
    return tokens_.back().secret;
}

// All are compared, each in constant time: how long it takes says nothing.
std::shared_ptr<Peer> Tokens::find(std::string_view token) {
    drop_expired();
    std::shared_ptr<Peer> found;
    for (const Token& known : tokens_) {
        if (same_secret(known.secret, token)) {
            found = known.peer;
        }
    }
    return found;
}

void Tokens::forget(std::uint32_t uid) {
    std::erase_if(tokens_, [uid](const Token& token) {
        const bool his = token.peer->caller.uid == uid;
        if (his) {
            end(token);
        }
        return his;
    });
}

} // namespace tocsin::ipc::http
