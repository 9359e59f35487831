// SPDX-License-Identifier: Apache-2.0
// The state store as the daemon's own readers see it: what they append gets this host's name, which they do not know.
#pragma once

#include "core/ports.hpp"

#include <string>

namespace tocsin::daemon {

class StampedStore final : public StateStore {
public:
    StampedStore(StateStore& store, std::string host) : store_(store), host_(std::move(host)) {}

    void commit(StateChange change, Done<std::vector<std::uint64_t>> done) override {
        for (Event& event : change.events) {
            if (event.host.empty()) {
                event.host = host_;
            }
        }
        store_.commit(std::move(change), std::move(done));
    }
    void scan(Table table, std::string after, std::size_t limit, bool descending,
              Done<std::vector<Row>> done) override {
        store_.scan(table, std::move(after), limit, descending, std::move(done));
    }
    void load(Table table, std::string key, Done<std::optional<std::string>> done) override {
        store_.load(table, std::move(key), std::move(done));
    }
    Result<void> for_each(Table table, const std::function<void(const Row&)>& use) const override {
        return store_.for_each(table, use);
    }
    std::uint64_t cursor(std::string_view name) const override { return store_.cursor(name); }

private:
    StateStore& store_;
    std::string host_;
};

} // namespace tocsin::daemon
