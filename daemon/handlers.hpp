// SPDX-License-Identifier: Apache-2.0
// A list of handlers, each registered as long as its Subscription lives; a handler may go away while it is called.
#pragma once

#include "core/ports.hpp"

#include <functional>
#include <map>
#include <memory>

namespace tocsin::daemon {

template <typename T> class HandlerList {
public:
    using Handler = std::function<void(const T&)>;

    std::unique_ptr<Subscription> add(Handler handler) {
        const std::uint64_t id = entries_->next++;
        entries_->handlers.emplace(id, std::make_shared<Handler>(std::move(handler)));
        return std::make_unique<Entry>(entries_, id);
    }
    void call(const T& value) const {
        const auto copy = entries_->handlers;
        for (const auto& [id, handler] : copy) {
            if (entries_->handlers.contains(id)) {
                (*handler)(value);
            }
        }
    }

private:
    struct Entries {
        std::uint64_t next = 0;
        std::map<std::uint64_t, std::shared_ptr<Handler>> handlers{};
    };
    class Entry final : public Subscription {
    public:
        Entry(const std::shared_ptr<Entries>& entries, std::uint64_t id) : entries_(entries), id_(id) {}
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        ~Entry() override {
            if (const auto entries = entries_.lock()) {
                entries->handlers.erase(id_);
            }
        }

    private:
        std::weak_ptr<Entries> entries_;
        std::uint64_t id_;
    };
    std::shared_ptr<Entries> entries_ = std::make_shared<Entries>();
};

} // namespace tocsin::daemon
