// SPDX-License-Identifier: Apache-2.0
#include "daemon/liveness.hpp"

#include "daemon/logging.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <ctime>
#include <limits>

namespace tocsin::daemon {

namespace {

constexpr unsigned ticks_per_period = 2;
constexpr std::int64_t start_extension_us = 60'000'000;

} // namespace

bool SystemdNotifier::send(const std::string& state) {
    return sd_notify(0, state.c_str()) >= 0;
}

std::int64_t watchdog_period_us() {
    std::uint64_t usec = 0;
    if (sd_watchdog_enabled(0, &usec) <= 0 ||
        usec > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return 0;
    }
    return static_cast<std::int64_t>(usec);
}

std::int64_t monotonic_us() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

void Liveness::starting(std::string_view status) {
    notifier_.send(fmt::format("STATUS={}\nEXTEND_TIMEOUT_USEC={}", log::one_line(status), start_extension_us));
}

void Liveness::ready(std::string_view status) {
    status_ = status;
    notifier_.send(fmt::format("READY=1\nSTATUS={}", log::one_line(status)));
}

void Liveness::reloading(std::int64_t monotonic_us) {
    notifier_.send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us));
}

void Liveness::stopping() {
    notifier_.send("STOPPING=1\nSTATUS=stopping");
}

void Liveness::status(std::string_view text) {
    if (text != status_) {
        status_ = text;
        notifier_.send(fmt::format("STATUS={}", log::one_line(text)));
    }
}

void Liveness::add_proof(std::string name, Ask ask) {
    auto proof = std::make_shared<Proof>();
    proof->name = std::move(name);
    proof->ask = std::move(ask);
    proofs_.push_back(std::move(proof));
}

void Liveness::add_check(std::string name, std::function<bool()> alive) {
    auto proof = std::make_shared<Proof>();
    proof->name = std::move(name);
    proof->alive = std::move(alive);
    proofs_.push_back(std::move(proof));
}

// Who was asked a whole period ago and did not answer is silent; who answered is asked again.
void Liveness::examine(const std::shared_ptr<Proof>& proof) {
    if (proof->alive) {
        proof->ticks_waiting = proof->alive() ? 0 : proof->ticks_waiting + 1;
        return;
    }
    if (proof->waiting) {
        proof->ticks_waiting++;
        return;
    }
    proof->waiting = true;
    proof->ticks_waiting = 0;
    proof->ask([weak = std::weak_ptr(proof)] {
        if (const auto asked = weak.lock()) {
            asked->waiting = false;
            asked->ticks_waiting = 0;
        }
    });
}

std::vector<std::string> Liveness::tick() {
    std::vector<std::string> silent;
    for (const auto& proof : proofs_) {
        examine(proof);
        if (proof->ticks_waiting >= ticks_per_period) {
            silent.push_back(proof->name);
        }
    }
    if (silent.empty()) {
        notifier_.send("WATCHDOG=1");
    }
    return silent;
}

} // namespace tocsin::daemon
