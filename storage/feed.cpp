// SPDX-License-Identifier: Apache-2.0
#include "storage/feed.hpp"

#include <utility>

namespace tocsin::storage {

struct Feed::Entry final : Subscription {
    Entry(std::weak_ptr<Feed> of, std::uint64_t number) : feed(std::move(of)), id(number) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() override {
        if (const auto there = feed.lock()) {
            there->handlers_.erase(id);
        }
    }
    std::weak_ptr<Feed> feed;
    std::uint64_t id;
};

std::unique_ptr<Subscription> Feed::add(Handler handler) {
    const std::uint64_t id = next_++;
    handlers_.emplace(id, std::make_shared<const Handler>(std::move(handler)));
    return std::make_unique<Entry>(weak_from_this(), id);
}

void Feed::tell(const CommitNotice& notice) {
    for (auto at = handlers_.begin(); at != handlers_.end();) {
        const std::uint64_t id = at->first;
        const auto handler = at->second; // stays alive if it removes itself
        (*handler)(notice);
        at = handlers_.upper_bound(id);
    }
}

} // namespace tocsin::storage
