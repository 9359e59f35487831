// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: one class per exported interface. Each makes its rows (methods with their privilege, signals,
// properties) and answers them through the ports; what stands behind must outlive it.
#pragma once

#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/ports.hpp"
#include "ipc/dbus/call.hpp"
#include "ipc/dbus/changes.hpp"
#include "ipc/dbus/method.hpp"
#include "ipc/dbus/subscriptions.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tocsin::ipc::dbus {

inline constexpr const char* events_interface = "org.tocsin.EventManager1.Events";
inline constexpr const char* statistics_interface = "org.tocsin.EventManager1.Statistics";
inline constexpr const char* heartbeats_interface = "org.tocsin.EventManager1.Heartbeats";
inline constexpr const char* heartbeat_interface = "org.tocsin.EventManager1.Heartbeat";
inline constexpr const char* jobs_interface = "org.tocsin.EventManager1.Jobs";
inline constexpr const char* job_interface = "org.tocsin.EventManager1.Job";
inline constexpr const char* manager_interface = "org.tocsin.EventManager1.Manager";

class Events {
public:
    Events(Services services, const Clock& clock, Subscriptions& subscriptions)
        : services_(services), clock_(clock), subscriptions_(subscriptions) {}
    Interface interface();

private:
    bool turn_away(Call& call);
    void submit(Call call);
    void submit_batch(Call call);
    void submit_json(Call call);
    void get(Call call);
    void query(Call call);
    void count(Call call);
    void subscribe(Call call);
    void unsubscribe(Call call);

    Services services_;
    const Clock& clock_;
    Subscriptions& subscriptions_;
    json::Parser parser_{};
};

class StatisticsFace {
public:
    explicit StatisticsFace(Services services) : services_(services) {}
    Interface interface();

private:
    void totals(Call call);
    void hourly(Call call);
    void histogram(Call call);
    void histogram_image(Call call);

    Services services_;
};

class HeartbeatsFace {
public:
    HeartbeatsFace(Heartbeats& heartbeats, const Clock& clock) : heartbeats_(heartbeats), clock_(clock) {}
    Interface interface();
    Interface object();
    std::vector<std::string> paths() const;

private:
    void beat(Call call);
    void list(Call call);
    void act(Call call, WatchAct act);
    void read(const std::string& path, Done<std::vector<PropertyValue>> done) const;

    Heartbeats& heartbeats_;
    const Clock& clock_;
};

class JobsFace {
public:
    explicit JobsFace(Jobs& jobs) : jobs_(jobs) {}
    Interface interface();
    Interface object();
    std::vector<std::string> paths() const;

private:
    void run(Call call);
    void list(Call call);
    void set_report(Call call);
    void cancel(Call call);
    void rerun(Call call);
    void output(Call call);
    void read(const std::string& path, Done<std::vector<PropertyValue>> done);

    Jobs& jobs_;
};

class ManagerFace {
public:
    explicit ManagerFace(Manager& manager) : manager_(manager) {}
    Interface interface();

private:
    void reload(Call call);
    void backup(Call call);
    void read(const std::string& path, Done<std::vector<PropertyValue>> done) const;

    Manager& manager_;
};

// The rest of the vocabulary: every method answers Unavailable with a reason.
std::vector<Interface> unavailable_interfaces();
// Of an alert's object, whatever its name.
Interface unavailable_alert();

} // namespace tocsin::ipc::dbus
