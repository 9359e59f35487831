// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/changes.hpp"

#include "core/hash.hpp"
#include "core/limits.hpp"

#include <chrono>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

constexpr std::size_t objects_told_max = 2'000; // in one second
constexpr std::size_t objects_waiting_max = 10'000;
constexpr std::size_t objects_known_max = limits::watches_max + limits::jobs_queued_max;
constexpr std::chrono::seconds second(1);

std::uint64_t hash_of(const Changed& values) {
    std::uint64_t hash = 0;
    for (const auto& [name, value] : values) {
        hash = hash_mix(hash, hash64(name));
        if (const auto* text = std::get_if<std::string>(&value)) {
            hash = hash_mix(hash, hash64(*text));
        } else if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
            for (const std::string& one : *texts) {
                hash = hash_mix(hash, hash64(one));
            }
        }
    }
    return hash;
}

} // namespace

void Changes::remember(const std::string& path, const Changed& values) {
    if (known_.size() >= objects_known_max) {
        known_.clear(); // an object more may be told that did not change
    }
    known_[hash64(path)] = hash_of(values);
}

void Changes::forget(const std::string& path) {
    known_.erase(hash64(path));
}

void Changes::changed(const std::string& path, const char* interface, Changed values) {
    const auto known = known_.find(hash64(path));
    if (connection_.bus() == nullptr || (known != known_.end() && known->second == hash_of(values))) {
        return;
    }
    remember(path, values);
    if (!told_.contains(path) && told_.size() < objects_told_max) {
        emit(path, interface, values);
        told_.insert(path);
    } else if (waiting_.size() < objects_waiting_max || waiting_.contains(path)) {
        waiting_.insert_or_assign(path, Waiting{interface, std::move(values)});
    }
    arm();
}

void Changes::emit(const std::string& path, const char* interface, const Changed& values) {
    sd_bus_message* raw = nullptr;
    const int done =
        sd_bus_message_new_signal(connection_.bus(), &raw, path.c_str(), properties_interface, "PropertiesChanged");
    const Message signal(raw);
    if (done < 0) {
        return;
    }
    Out out(signal.get());
    out.text(interface);
    out.open('a', "{sv}");
    for (const auto& [name, value] : values) {
        out.entry(name, value);
    }
    out.close();
    out.texts({});
    if (!out.ok() || !connection_.send(signal.get())) {
        return; // a hint; who missed it reads the property
    }
}

void Changes::arm() {
    if (std::exchange(armed_, true)) {
        return;
    }
    timer_.expires_after(second);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code failed) {
        if (const auto self = weak.lock(); self && !failed) {
            self->second_over();
        }
    });
}

void Changes::second_over() {
    armed_ = false;
    told_.clear();
    while (!waiting_.empty() && told_.size() < objects_told_max && connection_.bus() != nullptr) {
        const auto next = waiting_.extract(waiting_.begin());
        emit(next.key(), next.mapped().interface, next.mapped().values);
        told_.insert(next.key());
    }
    if (!told_.empty()) {
        arm();
    }
}

void Changes::stop() {
    timer_.cancel();
    waiting_.clear();
}

} // namespace tocsin::ipc::dbus
