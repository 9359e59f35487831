// SPDX-License-Identifier: Apache-2.0
// Rates of users and of their systemd units, each a token bucket. They bind only while several users submit and the
// writer falls behind: one alone is never refused for his rate. Root and the daemon's owner are counted, but not
// refused. Time is boot time in µs.
#pragma once

#include "core/ports.hpp"
#include "core/token_bucket.hpp"
#include "storage/owner.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace tocsin::daemon {

class FairUse {
public:
    explicit FairUse(std::uint32_t owner_uid) : owner_uid_(owner_uid) {}

    // He submits so much.
    void charge(const Sender& sender, std::size_t events, std::int64_t now_us);
    // limit_exceeded with the time after which he may go on. `waiting`: events that wait for the writer.
    std::optional<Error> refusal(const Sender& sender, std::size_t waiting, std::int64_t now_us) const;
    // Lines of a chunk: fewer for whoever has submitted most of late, while others are there.
    std::size_t chunk_lines(const Sender& sender, storage::Contention contention, std::int64_t now_us) const;
    std::size_t remembered() const { return users_.size() + units_.size(); }

private:
    using Uid = std::uint64_t; // uid_unknown where the sender has none
    struct Account {
        TokenBucket bucket;
        std::int64_t seen_us = 0;
    };
    using Unit = std::pair<Uid, std::string>;

    static Uid uid_of(const Sender& sender);
    bool is_alone(Uid uid, std::int64_t now_us) const;
    template <typename Key> static void forget_idle(std::map<Key, Account>& accounts, std::int64_t now_us);

    std::uint32_t owner_uid_;
    std::map<Uid, Account> users_{};
    std::map<Unit, Account> units_{};
};

// The lane of what he submits.
storage::Owner lane_of(const Sender& sender);

} // namespace tocsin::daemon
