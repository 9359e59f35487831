// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: who is behind a unique name. One asynchronous GetConnectionCredentials per name, kept until its
// owner leaves the bus; calls that come meanwhile wait, bounded. Never a name service, never what a message says.
#pragma once

#include "core/error.hpp"
#include "ipc/access.hpp"
#include "ipc/dbus/connection.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace tocsin::ipc::dbus {

class Identities {
public:
    using Known = std::shared_ptr<const Caller>;
    using Waiter = std::move_only_function<void(Result<Known>)>;

    explicit Identities(Connection& connection) : connection_(connection) {}
    Identities(const Identities&) = delete;
    Identities& operator=(const Identities&) = delete;

    // Null where not known yet, or where earlier callers of that name still wait: order is kept.
    Known find(const std::string& name) const;
    // not_authorized when the caller left or the bus cannot say; limit_exceeded when too many wait.
    void resolve(const std::string& name, Waiter waiter);
    void forget(const std::string& name);
    std::size_t size() const { return known_.size(); }

private:
    struct Lookup {
        Identities* owner = nullptr;
        std::string name{};
        std::vector<Waiter> waiters{};
    };
    static int on_credentials(sd_bus_message* reply, void* userdata, sd_bus_error* error);
    Result<void> ask(Lookup& lookup);
    void finish(Lookup& lookup, Result<Known> result);
    void remember(const std::string& name, Known caller);

    Connection& connection_;
    std::unordered_map<std::string, Known> known_{};
    std::deque<std::string> order_{}; // of known_, the oldest first
    std::unordered_map<std::string, std::unique_ptr<Lookup>> lookups_{};
    std::size_t waiting_ = 0;
};

// The dictionary of GetConnectionCredentials, at the message's cursor.
Result<Caller> read_credentials(sd_bus_message* reply);

} // namespace tocsin::ipc::dbus
