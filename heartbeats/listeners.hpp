// SPDX-License-Identifier: Apache-2.0
// Who wants to hear of changed watches. A handler may end its own or any other subscription while it is called.
#pragma once

#include "core/heartbeat.hpp"
#include "core/ports.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace tocsin::heartbeats {

class Listeners : public std::enable_shared_from_this<Listeners> {
public:
    using Handler = std::function<void(const Watch&)>;
    std::unique_ptr<Subscription> add(Handler handler);
    void tell(const Watch& watch) const;
    std::size_t size() const { return handlers_.size(); }

private:
    class Entry;
    std::map<std::uint64_t, std::shared_ptr<const Handler>> handlers_;
    std::uint64_t next_ = 1;
};

} // namespace tocsin::heartbeats
