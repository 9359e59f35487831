// SPDX-License-Identifier: Apache-2.0
// All watches, one boot-time timer over them: beats and the passing of time become durable rows and heartbeat.* events.
// Deadlines follow the wall clock where somebody sets it, and wait for the time that the machine slept.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace tocsin::heartbeats {

// One [[heartbeat]] of the configuration.
struct WatchConfig {
    WatchKey key{};
    std::int64_t interval_us = 0; // 0: the default, unless there is a schedule
    std::int64_t grace_us = -1;   // -1: the default
    std::string schedule{};
    std::string zone{};
    std::int64_t early_us = -1;         // -1: the default
    std::int64_t run_limit_us = 0;      // 0: none
    std::optional<std::uint32_t> uid{}; // who alone may beat
    std::string unit{};
};

struct Settings {
    WatchDefaults defaults{};
    std::vector<WatchConfig> watches{};
};

class Watchboard final : public Heartbeats {
public:
    Watchboard(boost::asio::io_context& io, StateStore& store, const Clock& clock, Settings settings);
    ~Watchboard() override;

    // Loads the rows, holds every deadline for the time away, arms the timer.
    Result<void> start();
    void stop();
    void reconfigure(Settings settings);

    void beat(Beat beat, Done<Watch> done) override;
    Result<std::vector<TableChange>> beats(const std::vector<Beat>& beats) override;
    Result<ListPage<Watch>> list(const ListFilter& filter, std::size_t limit, const std::string& cursor) const override;
    std::optional<Watch> find(const WatchKey& key) const override;
    void act(const WatchKey& key, WatchAct act, Done<Watch> done) override;
    std::map<WatchState, std::size_t> counts() const override;
    std::vector<WatchKey> urgent(std::size_t limit) const override;
    std::unique_ptr<Subscription> on_change(std::function<void(const Watch&)> handler) override;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

} // namespace tocsin::heartbeats
