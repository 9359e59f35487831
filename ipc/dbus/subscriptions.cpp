// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/subscriptions.hpp"

#include "core/limits.hpp"
#include "ipc/dbus/interfaces.hpp"
#include "ipc/dbus/write_variant.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

constexpr std::size_t subscriptions_max = 256;
constexpr std::size_t subscriptions_per_uid_max = 64;
constexpr std::size_t signals_per_second_max = 100;
constexpr std::size_t bytes_per_second_max = 1 * limits::MiB;
constexpr std::chrono::seconds second(1);
constexpr unsigned retry_after_s = 10;

Message new_signal(Connection& connection, const std::string& name, const char* member) {
    sd_bus_message* raw = nullptr;
    int done = sd_bus_message_new_signal(connection.bus(), &raw, root_path, events_interface, member);
    Message signal(raw);
    done = done < 0 ? done : sd_bus_message_set_destination(signal.get(), name.c_str());
    if (done < 0) {
        signal.reset();
    }
    return signal;
}

} // namespace

Result<void> Subscriptions::add(const std::string& name, std::uint32_t uid, Filter filter) {
    const bool known = subscribers_.contains(name);
    const auto of_uid = std::ranges::count_if(subscribers_, [uid](const auto& one) { return one.second.uid == uid; });
    if (!known &&
        (subscribers_.size() >= subscriptions_max || static_cast<std::size_t>(of_uid) >= subscriptions_per_uid_max)) {
        Error full{Code::limit_exceeded, "subscribe", "",
                   "there are at most " + std::to_string(subscriptions_max) + " subscriptions, " +
                       std::to_string(subscriptions_per_uid_max) + " of one user; end one first"};
        full.retry_after_s = retry_after_s;
        return std::unexpected(std::move(full));
    }
    Subscriber& subscriber = subscribers_[name]; // its rates stay: subscribing again must not renew them
    subscriber.uid = uid;
    subscriber.filter = std::move(filter);
    subscriber.missed_first = subscriber.missed_last = 0;
    return {};
}

void Subscriptions::remove(const std::string& name) {
    subscribers_.erase(name);
}

void Subscriptions::renew(Subscriber& subscriber, Time now) {
    if (now - subscriber.window >= second) {
        subscriber.window = now;
        subscriber.signals = 0;
        subscriber.bytes = 0;
    }
}

void Subscriptions::tell(const CommitNotice& notice) {
    if (subscribers_.empty() || !notice.events || connection_.bus() == nullptr) {
        return;
    }
    const Time now = std::chrono::steady_clock::now();
    for (auto& [name, subscriber] : subscribers_) {
        tell(name, subscriber, *notice.events, now);
    }
}

void Subscriptions::tell(const std::string& name, Subscriber& subscriber, const std::vector<Event>& events, Time now) {
    if (subscriber.missed_first == 0) {
        renew(subscriber, now);
    }
    std::vector<const Event*> chosen;
    std::size_t bytes = 0;
    bool full = subscriber.missed_first != 0 || subscriber.signals >= signals_per_second_max;
    for (const Event& event : events) {
        if (!subscriber.filter.matches(event)) {
            continue;
        }
        const std::size_t size = full ? 0 : dbus_bytes(event);
        full = full || subscriber.bytes + bytes + size > bytes_per_second_max;
        if (full) {
            subscriber.missed_first = subscriber.missed_first == 0 ? event.unique_index : subscriber.missed_first;
            subscriber.missed_last = event.unique_index;
        } else {
            chosen.push_back(&event);
            bytes += size;
        }
    }
    if (!chosen.empty() && send_added(name, chosen, bytes)) {
        ++subscriber.signals;
        subscriber.bytes += bytes;
    } else if (!chosen.empty()) {
        subscriber.missed_first = chosen.front()->unique_index;
        subscriber.missed_last = std::max(subscriber.missed_last, chosen.back()->unique_index);
    }
    if (subscriber.missed_first != 0) {
        arm();
    }
}

bool Subscriptions::send_added(const std::string& name, const std::vector<const Event*>& events, std::size_t bytes) {
    const Message signal = new_signal(connection_, name, "Added");
    if (!signal) {
        return false;
    }
    Out out(signal.get());
    out.open('a', "a{sv}");
    for (const Event* event : events) {
        out.object(*event);
    }
    out.close();
    return out.ok() && connection_.send(signal.get(), bytes).has_value();
}

void Subscriptions::send_missed(const std::string& name, Subscriber& subscriber) {
    const Message signal = new_signal(connection_, name, "Missed");
    if (!signal) {
        return;
    }
    Out out(signal.get());
    out.counter(subscriber.missed_first);
    out.counter(subscriber.missed_last);
    if (out.ok() && connection_.send(signal.get())) {
        ++subscriber.signals;
        subscriber.missed_first = subscriber.missed_last = 0;
    }
}

void Subscriptions::arm() {
    if (std::exchange(armed_, true)) {
        return;
    }
    Time next = Time::max();
    for (const auto& [name, subscriber] : subscribers_) {
        if (subscriber.missed_first != 0) {
            next = std::min(next, subscriber.window + second);
        }
    }
    timer_.expires_at(next);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code failed) {
        if (const auto self = weak.lock(); self && !failed) {
            self->second_over();
        }
    });
}

void Subscriptions::second_over() {
    armed_ = false;
    const Time now = std::chrono::steady_clock::now();
    bool more = false;
    for (auto& [name, subscriber] : subscribers_) {
        if (subscriber.missed_first != 0 && now - subscriber.window >= second) {
            renew(subscriber, now);
            send_missed(name, subscriber);
        }
        more = more || subscriber.missed_first != 0;
    }
    if (more && connection_.bus() != nullptr) {
        arm();
    }
}

void Subscriptions::stop() {
    timer_.cancel();
    subscribers_.clear();
}

} // namespace tocsin::ipc::dbus
