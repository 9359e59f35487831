// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/loans.hpp"

namespace tocsin::heartbeats {

void Loans::lend(const WatchKey& key, std::int64_t now_boot_us) {
    const auto [at, is_new] = loans_.try_emplace(key);
    at->second.until_boot_us = now_boot_us + loan_us;
    if (is_new) {
        order_.emplace_back(at->second.until_boot_us, key);
    }
}

void Loans::touch(const WatchKey& key) {
    const auto found = loans_.find(key);
    if (found != loans_.end() && !found->second.touched) {
        found->second.touched = true;
        ++touched_;
    }
}

std::vector<WatchKey> Loans::ended(std::int64_t now_boot_us) {
    std::vector<WatchKey> again;
    while (!order_.empty() && order_.front().first <= now_boot_us) {
        WatchKey key = std::move(order_.front().second);
        order_.pop_front();
        const auto found = loans_.find(key);
        if (found->second.until_boot_us > now_boot_us) {
            order_.emplace_back(found->second.until_boot_us, std::move(key)); // lent again since
            continue;
        }
        if (found->second.touched) {
            again.push_back(std::move(key));
            --touched_;
        }
        loans_.erase(found);
    }
    return again;
}

std::optional<std::int64_t> Loans::next_boot_us() const {
    return touched_ == 0 ? std::nullopt : std::optional(order_.front().first);
}

} // namespace tocsin::heartbeats
