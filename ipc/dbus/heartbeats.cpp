// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/arguments.hpp"
#include "ipc/dbus/interfaces.hpp"
#include "ipc/dbus/paged.hpp"
#include "ipc/dbus/path.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

constexpr std::size_t nodes_max = 1'000; // what `busctl tree` shows

std::uint64_t as_time(std::int64_t us) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
}

} // namespace

Interface HeartbeatsFace::interface() {
    Interface self{heartbeats_interface};
    self.methods = {
        {"Beat", Action::submit, {"sa{sv}", {"source", "options"}}, {}, bind(this, &HeartbeatsFace::beat)},
        {"List",
         Action::read,
         {"a{sv}us", {"filter", "limit", "cursor"}},
         {"aa{sv}s", {"items", "next"}},
         bind(this, &HeartbeatsFace::list)},
    };
    return self;
}

Interface HeartbeatsFace::object() {
    Interface self{heartbeat_interface};
    self.methods = {
        {"Pause", Action::pause, {}, {}, [this](Call call) { act(std::move(call), WatchAct::pause); }},
        {"Resume", Action::resume, {}, {}, [this](Call call) { act(std::move(call), WatchAct::resume); }},
        {"Forget", Action::forget, {}, {}, [this](Call call) { act(std::move(call), WatchAct::forget); }},
    };
    self.properties = {
        {"Source", "s"},
        {"Scid", "x"},
        {"State", "s", Emits::change},
        {"LastUSec", "t"},
        {"DeadlineUSec", "t"},
        {"IntervalUSec", "t"},
        {"GraceUSec", "t"},
        {"Schedule", "s"},
        {"Misses", "t"},
        {"Status", "s", Emits::change},
    };
    self.read = [this](const std::string& path, Done<std::vector<PropertyValue>> done) { read(path, std::move(done)); };
    return self;
}

std::vector<std::string> HeartbeatsFace::paths() const {
    std::vector<std::string> found;
    for (const WatchKey& key : heartbeats_.urgent(nodes_max)) {
        if (std::string path = heartbeat_path(key); !path.empty()) {
            found.push_back(std::move(path));
        }
    }
    return found;
}

void HeartbeatsFace::beat(Call call) {
    auto beat = read_beat(call.message(), call.caller().origin, clock_.wall_us());
    if (!beat) {
        call.refuse(beat.error());
        return;
    }
    heartbeats_.beat(std::move(*beat), [held = std::move(call)](Result<Watch> watch) mutable {
        watch ? held.reply() : held.refuse(watch.error());
    });
}

void HeartbeatsFace::list(Call call) {
    auto filter = read_list_filter(call.message());
    if (!filter) {
        call.refuse(filter.error());
        return;
    }
    auto page = read_page(call.message());
    if (!page) {
        call.refuse(page.error());
        return;
    }
    const Heartbeats& from = heartbeats_;
    answer_paged<Watch>(std::move(call), page->limit,
                        [&from, wanted = std::move(*filter), cursor = page->cursor](std::size_t limit, auto done) {
                            done(from.list(wanted, limit, cursor));
                        });
}

void HeartbeatsFace::act(Call call, WatchAct act) {
    const auto key = heartbeat_of(call.path());
    if (!key) {
        call.refuse(Error{Code::not_found, "heartbeat", call.path(), "is not a heartbeat"});
        return;
    }
    heartbeats_.act(*key, act, [held = std::move(call)](Result<Watch> watch) mutable {
        watch ? held.reply() : held.refuse(watch.error());
    });
}

void HeartbeatsFace::read(const std::string& path, Done<std::vector<PropertyValue>> done) const {
    const auto key = heartbeat_of(path);
    const auto watch = key ? heartbeats_.find(*key) : std::nullopt;
    if (!watch) {
        done(fail(Code::not_found, "heartbeat", path, "there is no such heartbeat"));
        return;
    }
    done(std::vector<PropertyValue>{
        watch->key.source,
        watch->key.scid,
        std::string(to_string(watch->state)),
        as_time(watch->last_us),
        as_time(watch->deadline_us),
        as_time(interval_shown_us(*watch)),
        as_time(watch->grace_us),
        watch->schedule() == nullptr ? std::string() : watch->schedule()->expression(),
        misses_of(*watch),
        *watch->status,
    });
}

} // namespace tocsin::ipc::dbus
