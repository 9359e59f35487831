// SPDX-License-Identifier: Apache-2.0
// Keeps calls in flight on one connection and prints acknowledged events a second.
// bench_dbus_load NAME IN_FLIGHT EVENTS_PER_CALL SECONDS [batch]; one event is Submit(a{sv}), more are SubmitJson(ay),
// or SubmitBatch(aa{sv}).
#include "bench/sample.hpp"

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <systemd/sd-bus.h>

namespace {

using Clock = std::chrono::steady_clock;

struct Load {
    sd_bus* bus = nullptr;
    const char* name = nullptr;
    std::uint64_t per_call = 1;
    bool batch = false;
    std::uint64_t done = 0;
    std::uint64_t next = 0;
    std::uint64_t in_flight = 0;
    Clock::time_point end{};
    std::string lines{};
};

int answered(sd_bus_message* reply, void* data, sd_bus_error*);

int append_event(sd_bus_message* message, std::uint64_t n) {
    std::string name = fmt::format("bench.name_{}", n % 200);
    std::string source = fmt::format("detector_{}", n % 1000);
    return sd_bus_message_append(message, "a{sv}", 11, "event_name", "s", name.c_str(), "event_src", "s",
                                 source.c_str(), "scid", "x", static_cast<std::int64_t>(n % 5000), "severity", "s",
                                 "error", "event_rule_id", "x", static_cast<std::int64_t>(n % 300), "event_rule", "s",
                                 "FPA_VOLTAGE > 15", "environment", "s", "aws", "event_type", "s", "standard",
                                 "summary", "s", "voltage of a panel above its limit", "count", "t", std::uint64_t{1},
                                 "payload", "a{sv}", 2, "value", "d", 17.5, "unit", "s", "V");
}

int append_batch(sd_bus_message* message, Load& load) {
    int rc = sd_bus_message_open_container(message, 'a', "a{sv}");
    for (std::uint64_t i = 0; rc >= 0 && i < load.per_call; ++i) {
        rc = append_event(message, load.next++);
    }
    return rc < 0 ? rc : sd_bus_message_close_container(message);
}

int append_arguments(sd_bus_message* message, Load& load) {
    if (load.per_call == 1) {
        return append_event(message, load.next++);
    }
    return load.batch ? append_batch(message, load)
                      : sd_bus_message_append_array(message, 'y', load.lines.data(), load.lines.size());
}

const char* member_of(const Load& load) {
    if (load.per_call == 1) {
        return "Submit";
    }
    return load.batch ? "SubmitBatch" : "SubmitJson";
}

int send(Load& load) {
    sd_bus_message* message = nullptr;
    int rc = sd_bus_message_new_method_call(load.bus, &message, load.name, "/org/tocsin/EventManager1",
                                            "org.tocsin.EventManager1.Events", member_of(load));
    if (rc >= 0) {
        rc = append_arguments(message, load);
    }
    if (rc >= 0) {
        rc = sd_bus_call_async(load.bus, nullptr, message, answered, &load, 30'000'000);
        load.in_flight += rc >= 0 ? 1 : 0;
    }
    sd_bus_message_unref(message);
    return rc;
}

int answered(sd_bus_message* reply, void* data, sd_bus_error*) {
    Load& load = *static_cast<Load*>(data);
    --load.in_flight;
    if (sd_bus_message_is_method_error(reply, nullptr)) {
        fmt::print(stderr, "dbus_load: {}\n", sd_bus_message_get_error(reply)->message);
        return sd_bus_message_get_errno(reply) > 0 ? -sd_bus_message_get_errno(reply) : -1;
    }
    load.done += load.per_call;
    return Clock::now() < load.end ? send(load) : 0;
}

} // namespace

int main(int argc, char** argv) {
    auto in_flight = argc >= 5 ? bench::number(argv[2]) : std::nullopt;
    auto per_call = argc >= 5 ? bench::number(argv[3]) : std::nullopt;
    auto seconds = argc >= 5 ? bench::number(argv[4]) : std::nullopt;
    Load load;
    if (!in_flight || !per_call || !seconds || sd_bus_open_system(&load.bus) < 0) {
        std::fputs("usage: bench_dbus_load NAME IN_FLIGHT EVENTS_PER_CALL SECONDS [batch], with a bus\n", stderr);
        return 2;
    }
    load.name = argv[1];
    load.per_call = *per_call;
    load.batch = argc == 6 && std::string_view(argv[5]) == "batch";
    load.lines = bench::sample_lines(0, *per_call);
    auto begin = Clock::now();
    load.end = begin + std::chrono::seconds(*seconds);
    for (std::uint64_t i = 0; i < *in_flight; ++i) {
        if (send(load) < 0) {
            return 1;
        }
    }
    while (load.in_flight > 0) {
        int rc = sd_bus_process(load.bus, nullptr);
        if (rc < 0) {
            return 1;
        }
        if (rc == 0) {
            sd_bus_wait(load.bus, UINT64_MAX);
        }
    }
    fmt::print("{:.0f}\n",
               static_cast<double>(load.done) / std::chrono::duration<double>(Clock::now() - begin).count());
    sd_bus_flush_close_unref(load.bus);
}
