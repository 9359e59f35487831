// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/loans.hpp"

#include "core/hash.hpp"

namespace tocsin::heartbeats {
namespace {

std::uint64_t hash_of(const WatchKey& key) {
    return hash64(key.source, static_cast<std::uint64_t>(key.scid));
}

} // namespace

void Loans::lend(const WatchKey& key, std::int64_t now_boot_us) {
    const std::uint64_t hash = hash_of(key);
    const auto [at, is_new] = until_boot_us_.try_emplace(hash);
    at->second = now_boot_us + loan_us;
    if (is_new) {
        order_.emplace_back(at->second, hash);
    }
}

void Loans::touch(const WatchKey& key) {
    if (!until_boot_us_.empty() && until_boot_us_.contains(hash_of(key))) {
        touched_.insert(key);
    }
}

std::vector<WatchKey> Loans::ended(std::int64_t now_boot_us) {
    const std::size_t lent = until_boot_us_.size();
    if (lent == 0) {
        return {};
    }
    while (!order_.empty() && order_.front().first <= now_boot_us) {
        const std::uint64_t hash = order_.front().second;
        order_.pop_front();
        const auto found = until_boot_us_.find(hash);
        if (found->second > now_boot_us) {
            order_.emplace_back(found->second, hash); // lent again since
        } else {
            until_boot_us_.erase(found);
        }
    }
    if (order_.empty()) { // their tables as well
        until_boot_us_ = {};
        order_ = {};
    }
    std::vector<WatchKey> again;
    if (until_boot_us_.size() == lent || touched_.empty()) {
        return again;
    }
    for (auto at = touched_.begin(); at != touched_.end();) {
        if (until_boot_us_.contains(hash_of(*at))) {
            ++at;
        } else {
            again.push_back(*at);
            at = touched_.erase(at);
        }
    }
    return again;
}

std::optional<std::int64_t> Loans::next_boot_us() const {
    return order_.empty() ? std::nullopt : std::optional(order_.front().first);
}

} // namespace tocsin::heartbeats
