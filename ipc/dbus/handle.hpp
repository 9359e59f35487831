// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: owners of sd-bus references, and the names that everybody here needs.
#pragma once

#include "core/error.hpp"

#include <systemd/sd-bus.h>

#include <memory>
#include <string>
#include <string_view>

namespace tocsin::ipc::dbus {

inline constexpr const char* bus_name = "org.tocsin.EventManager1";
inline constexpr const char* root_path = "/org/tocsin/EventManager1";
inline constexpr const char* driver_name = "org.freedesktop.DBus";
inline constexpr const char* driver_path = "/org/freedesktop/DBus";
inline constexpr const char* properties_interface = "org.freedesktop.DBus.Properties";

struct Unref {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
    void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using Bus = std::unique_ptr<sd_bus, Unref>;
using Message = std::unique_ptr<sd_bus_message, Unref>;
using Slot = std::unique_ptr<sd_bus_slot, Unref>;

inline Message share(sd_bus_message* message) {
    return Message(sd_bus_message_ref(message));
}

// What a negative result of sd-bus means, as the tail of a sentence.
std::string reason_of(int negative_errno);

// Valid UTF-8 without U+0000: anything else would make the bus disconnect us. Bytes that do not fit become '?'.
std::string clean_text(std::string_view text);

} // namespace tocsin::ipc::dbus
