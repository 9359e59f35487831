// SPDX-License-Identifier: Apache-2.0
#include "daemon/deadman.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

namespace tocsin::daemon {

namespace {

constexpr std::int64_t timeout_us_max = 10'000'000; // and never longer than the interval

} // namespace

struct Deadman::Impl : std::enable_shared_from_this<Impl> {
    struct Sign {
        std::string name;
        Liveness::Ask ask{}; // empty: `alive` is asked
        std::function<bool()> alive{};
        bool waiting = false; // asked, not answered
        bool dead = false;    // not alive at the last look
    };

    Impl(boost::asio::io_context& io, Ping& given, DeadmanHooks to) : ping(given), hooks(std::move(to)), timer(io) {}

    void arm() {
        timer.expires_after(std::chrono::microseconds(settings.interval_us));
        timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
            if (const auto self = weak.lock(); self && !error) {
                self->tick();
                self->arm();
            }
        });
    }

    void tick() {
        if (settings.url.empty()) {
            return;
        }
        tell_silence();
        due = false; // whoever answers at once does not speak for those that are not asked yet
        const std::vector<std::shared_ptr<Sign>> asked = signs;
        for (const auto& sign : asked) {
            ask(sign);
        }
        due = true;
        send_when_proven();
    }

    // Who was asked an interval ago and has not answered is not asked again: it answers when it lives.
    void ask(const std::shared_ptr<Sign>& sign) {
        if (sign->alive) {
            sign->dead = !sign->alive();
            return;
        }
        if (sign->waiting) {
            return;
        }
        sign->waiting = true;
        sign->ask([weak = weak_from_this(), sign] {
            sign->waiting = false;
            if (const auto self = weak.lock()) {
                self->send_when_proven();
            }
        });
    }

    std::vector<std::string> missing() const {
        std::vector<std::string> names;
        for (const auto& sign : signs) {
            if (sign->waiting || sign->dead) {
                names.push_back(sign->name);
            }
        }
        return names;
    }

    // At the end of an interval without a beat, once until there is one again.
    void tell_silence() {
        const std::vector<std::string> names = missing();
        if (due && !silent && !names.empty()) {
            silent = true;
            tell(fmt::format("no beat is sent to the dead man's switch: no progress of {}", fmt::join(names, ", ")));
        }
    }

    void send_when_proven() {
        if (!due || sending || settings.url.empty() || !missing().empty()) {
            return;
        }
        due = false;
        sending = true;
        if (silent) {
            silent = false;
            tell("beats go to the dead man's switch again");
        }
        ping.send(settings.url, std::min(settings.interval_us, timeout_us_max),
                  [weak = weak_from_this(), round = generation](const std::string& problem) {
                      if (const auto self = weak.lock()) {
                          self->sent(problem, round);
                      }
                  });
    }

    void sent(const std::string& problem, std::uint64_t round) {
        sending = false;
        if (round == generation) { // else it was for another URL
            count(problem);
        }
        send_when_proven();
    }

    void count(const std::string& problem) {
        if (problem.empty()) {
            if (failures > 0) {
                tell("the dead man's switch answers again");
            }
            if (failures >= failures_degraded) {
                hooks.problem("");
            }
            failures = 0;
            return;
        }
        ++failures;
        if (failures == 1) {
            tell(fmt::format("a beat did not reach the dead man's switch: {}", problem));
        }
        if (failures == failures_degraded) {
            hooks.problem(fmt::format("{} beats in a row did not arrive: {}", failures, problem));
        }
    }

    void tell(const std::string& message) const { hooks.log(message); }

    void reconfigure(DeadmanSettings given) {
        if (given == settings) {
            return;
        }
        timer.cancel();
        if (failures >= failures_degraded) {
            hooks.problem("");
        }
        settings = std::move(given);
        ++generation;
        failures = 0;
        due = false;
        silent = false;
        if (!settings.url.empty()) {
            tick();
            arm();
        }
    }

    Ping& ping;
    DeadmanHooks hooks;
    boost::asio::steady_timer timer;
    std::vector<std::shared_ptr<Sign>> signs{};
    DeadmanSettings settings{};
    std::uint64_t generation = 0;
    unsigned failures = 0;
    bool due = false;     // a beat waits for its proof
    bool sending = false; // one is under way
    bool silent = false;  // told that none is sent
};

Deadman::Deadman(boost::asio::io_context& io, Ping& ping, DeadmanHooks hooks)
    : impl_(std::make_shared<Impl>(io, ping, std::move(hooks))) {}

Deadman::~Deadman() {
    stop();
}

void Deadman::add_proof(std::string name, Liveness::Ask ask) {
    impl_->signs.push_back(std::make_shared<Impl::Sign>(Impl::Sign{.name = std::move(name), .ask = std::move(ask)}));
}

void Deadman::add_check(std::string name, std::function<bool()> alive) {
    impl_->signs.push_back(
        std::make_shared<Impl::Sign>(Impl::Sign{.name = std::move(name), .alive = std::move(alive)}));
}

void Deadman::reconfigure(DeadmanSettings settings) {
    impl_->reconfigure(std::move(settings));
}

void Deadman::stop() {
    impl_->timer.cancel();
    impl_->settings.url.clear();
}

void Deadman::tick() {
    impl_->tick();
}

bool ReaderProgress::moves(std::uint64_t lag, std::uint64_t position) {
    const bool stands = waiting_ && position == position_;
    waiting_ = lag > 0;
    position_ = position;
    return !stands || lag == 0;
}

} // namespace tocsin::daemon
