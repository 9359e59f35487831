// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: PropertiesChanged, at most once a second an object. The first change of an object goes out at
// once; what follows within the second is kept, the newest value only, and goes out when it is over. Bounded: beyond
// the bound changes are dropped, since who needs every one follows the events.
#pragma once

#include "ipc/dbus/connection.hpp"
#include "ipc/dbus/write_variant.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tocsin::ipc::dbus {

using Changed = std::vector<std::pair<const char*, PropertyValue>>;

class Changes : public std::enable_shared_from_this<Changes> {
public:
    explicit Changes(Connection& connection) : connection_(connection), timer_(connection.io()) {}
    Changes(const Changes&) = delete;
    Changes& operator=(const Changes&) = delete;

    // Nothing goes out when the object's last known values were the same.
    void changed(const std::string& path, const char* interface, Changed values);
    // What an object's values are, without telling anybody.
    void remember(const std::string& path, const Changed& values);
    void forget(const std::string& path);
    void stop();

private:
    struct Waiting {
        const char* interface = nullptr;
        Changed values{};
    };
    void emit(const std::string& path, const char* interface, const Changed& values);
    void arm();
    void second_over();

    Connection& connection_;
    boost::asio::steady_timer timer_;
    bool armed_ = false;
    std::set<std::string> told_{};                             // in the running second
    std::map<std::string, Waiting> waiting_{};                 // until it is over
    std::unordered_map<std::uint64_t, std::uint64_t> known_{}; // hash of a path → hash of its last values
};

} // namespace tocsin::ipc::dbus
