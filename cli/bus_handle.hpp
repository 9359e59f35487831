// SPDX-License-Identifier: Apache-2.0
// What sd-bus gives out, let go with its owner.
#pragma once

#include <systemd/sd-bus.h>

#include <cstdlib>
#include <memory>

namespace tocsin::cli {

struct BusUnref {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
struct MessageUnref {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
struct Freed {
    void operator()(void* memory) const { ::free(memory); } // NOLINT(cppcoreguidelines-no-malloc): of sd-bus
};
using Bus = std::unique_ptr<sd_bus, BusUnref>;
using Message = std::unique_ptr<sd_bus_message, MessageUnref>;
using BusText = std::unique_ptr<char, Freed>;

} // namespace tocsin::cli
