// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: what is exported where. One fixed root object, and objects on demand for every heartbeat and job
// (fallback vtables made from the rows of method.hpp). Get and GetAll pass the gate like any method, and are answered
// when the object's reader has answered; introspection and Set are sd-bus's own.
#pragma once

#include "ipc/dbus/gate.hpp"
#include "ipc/dbus/method.hpp"
#include "ipc/dbus/path.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::ipc::dbus {

class Objects {
public:
    explicit Objects(Gate& gate);
    ~Objects();
    Objects(const Objects&) = delete;
    Objects& operator=(const Objects&) = delete;

    void add(Place place, Interface interface);
    // Paths for `busctl tree`.
    void list(Place place, std::function<std::vector<std::string>()> paths);
    Result<void> export_on(sd_bus* bus);
    void withdraw();

private:
    struct Exported;
    struct Listing;
    static int on_filter(sd_bus_message* message, void* userdata, sd_bus_error* error);
    bool takes(sd_bus_message* message);
    void get(Call call);
    void get_all(Call call);
    std::vector<Exported*> at(const std::string& path) const;

    Gate& gate_;
    Method get_;
    Method get_all_;
    std::vector<std::unique_ptr<Exported>> exported_{};
    std::vector<std::unique_ptr<Listing>> listings_{};
    Slot filter_{};
};

} // namespace tocsin::ipc::dbus
