// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: asks polkit about guarded acts (org.freedesktop.PolicyKit1.Authority.CheckAuthorization),
// without waiting for it. A clear yes is a yes; no answer, an error and anything unknown are refusals that say so.
#pragma once

#include "ipc/authority.hpp"
#include "ipc/dbus/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace tocsin::ipc::dbus {

// How long polkit may take. A person types a password in the first.
struct PolkitPatience {
    std::uint64_t interactive_us = 120'000'000;
    std::uint64_t silent_us = 10'000'000; // the bus may have to start it
};

class Polkit final : public Authority {
public:
    explicit Polkit(Connection& connection, PolkitPatience patience = {})
        : connection_(connection), patience_(patience) {}
    ~Polkit() override { stop(); }
    Polkit(const Polkit&) = delete;
    Polkit& operator=(const Polkit&) = delete;

    void check(Question question, Done<void> done) override;
    // The owner of this name left the bus: what was asked for it is withdrawn, so that no dialogue stays behind.
    void forget(const std::string& name);
    // Whoever still waits is refused.
    void stop();
    std::size_t waiting() const { return checks_.size(); }

private:
    struct Check {
        Polkit* owner = nullptr;
        std::uint64_t id = 0;
        Question question{};
        Done<void> done{};
        Slot slot{};
    };
    Result<void> ask(Check& check);
    std::unique_ptr<Check> take(std::uint64_t id);
    void finish(std::uint64_t id, Result<void> verdict);
    void withdraw(std::uint64_t id);
    static int on_answer(sd_bus_message* reply, void* userdata, sd_bus_error* error);

    Connection& connection_;
    PolkitPatience patience_;
    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, std::unique_ptr<Check>> checks_{};
    std::map<std::uint32_t, std::size_t> by_uid_{}; // of checks_
};

} // namespace tocsin::ipc::dbus
