// SPDX-License-Identifier: Apache-2.0
#include "daemon/fair_use.hpp"

#include "core/hash.hpp"
#include "core/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tocsin::daemon {

namespace {

constexpr std::uint64_t uid_unknown = std::uint64_t{1} << 32U;
constexpr std::int64_t second_us = 1'000'000;

std::string name_of(const Sender& sender, bool unit) {
    if (unit) {
        return fmt::format("unit {}", sender.unit);
    }
    return sender.uid ? fmt::format("uid {}", *sender.uid) : "a sender whose user is not known";
}

} // namespace

FairUse::Uid FairUse::uid_of(const Sender& sender) {
    return sender.uid ? Uid{*sender.uid} : uid_unknown;
}

// Who has not submitted for a while, and owes nothing.
template <typename Key> void FairUse::forget_idle(std::map<Key, Account>& accounts, std::int64_t now_us) {
    if (accounts.size() < limits::rated_users) {
        return;
    }
    std::erase_if(accounts, [now_us](const auto& entry) { return entry.second.bucket.used_us(now_us) == 0; });
    if (accounts.size() >= limits::rated_users) { // rather a rate forgotten than a list without an end
        accounts.erase(std::ranges::min_element(accounts, {}, [](const auto& entry) { return entry.second.seen_us; }));
    }
}

void FairUse::charge(const Sender& sender, std::size_t events, std::int64_t now_us) {
    const Uid uid = uid_of(sender);
    auto user = users_.find(uid);
    if (user == users_.end()) {
        forget_idle(users_, now_us);
        const TokenBucket bucket(limits::user_events_per_s, limits::user_events_burst, now_us);
        user = users_.emplace(uid, Account{bucket}).first;
    }
    user->second.bucket.take(events, now_us);
    user->second.seen_us = now_us;
    if (sender.unit.empty()) {
        return;
    }
    auto unit = units_.find(Unit(uid, sender.unit));
    if (unit == units_.end()) {
        forget_idle(units_, now_us);
        const TokenBucket bucket(limits::unit_events_per_s, limits::unit_events_burst, now_us);
        unit = units_.emplace(Unit(uid, sender.unit), Account{bucket}).first;
    }
    unit->second.bucket.take(events, now_us);
    unit->second.seen_us = now_us;
}

bool FairUse::is_alone(Uid uid, std::int64_t now_us) const {
    return std::ranges::none_of(users_, [uid, now_us](const auto& entry) {
        return entry.first != uid && now_us - entry.second.seen_us <= limits::contended_us;
    });
}

std::optional<Error> FairUse::refusal(const Sender& sender, std::size_t waiting, std::int64_t now_us) const {
    const Uid uid = uid_of(sender);
    if (waiting < limits::contended_events || uid == 0 || uid == owner_uid_ || is_alone(uid, now_us)) {
        return std::nullopt;
    }
    const auto user = users_.find(uid);
    const auto unit = units_.find(Unit(uid, sender.unit));
    const std::int64_t of_user = user == users_.end() ? 0 : user->second.bucket.wait_us(now_us);
    const std::int64_t of_unit = unit == units_.end() ? 0 : unit->second.bucket.wait_us(now_us);
    const std::int64_t wait_us = std::max(of_user, of_unit);
    if (wait_us == 0) {
        return std::nullopt;
    }
    return Error{.code = Code::limit_exceeded,
                 .context = "submit",
                 .object = "rate",
                 .reason = fmt::format("{} submits more than its share while others wait; send it again later",
                                       name_of(sender, of_unit > of_user)),
                 .retry_after_s = static_cast<unsigned>((wait_us + second_us - 1) / second_us)};
}

std::size_t FairUse::chunk_lines(const Sender& sender, storage::Contention contention, std::int64_t now_us) const {
    if (contention == storage::Contention::none) {
        return limits::chunk_lines;
    }
    const Uid uid = uid_of(sender);
    const auto own = users_.find(uid);
    const std::int64_t used_us = own == users_.end() ? 0 : own->second.bucket.used_us(now_us);
    const bool most = std::ranges::none_of(users_, [uid, used_us, now_us](const auto& entry) {
        return entry.first != uid && entry.second.bucket.used_us(now_us) > used_us;
    });
    if (!most) {
        return limits::chunk_lines;
    }
    return contention == storage::Contention::now ? limits::chunk_lines_contended : limits::chunk_lines_lately;
}

storage::Owner lane_of(const Sender& sender) {
    return {.uid = sender.uid ? std::uint64_t{*sender.uid} : uid_unknown,
            .unit = sender.unit.empty() ? 0 : hash64(sender.unit, 0)};
}

} // namespace tocsin::daemon
