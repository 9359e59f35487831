// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/listeners.hpp"

#include <vector>

namespace tocsin::heartbeats {

class Listeners::Entry final : public Subscription {
public:
    Entry(std::weak_ptr<Listeners> owner, std::uint64_t id) : owner_(std::move(owner)), id_(id) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() override {
        if (const auto owner = owner_.lock()) {
            owner->handlers_.erase(id_);
        }
    }

private:
    std::weak_ptr<Listeners> owner_;
    std::uint64_t id_;
};

std::unique_ptr<Subscription> Listeners::add(Handler handler) {
    const std::uint64_t id = next_++;
    handlers_.emplace(id, std::make_shared<const Handler>(std::move(handler)));
    return std::make_unique<Entry>(weak_from_this(), id);
}

void Listeners::tell(const Watch& watch) const {
    std::uint64_t last = 0;
    for (auto at = handlers_.upper_bound(last); at != handlers_.end(); at = handlers_.upper_bound(last)) {
        last = at->first;
        const auto handler = at->second; // lives through its own end
        (*handler)(watch);
    }
}

} // namespace tocsin::heartbeats
