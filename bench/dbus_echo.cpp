// SPDX-License-Identifier: Apache-2.0
// The D-Bus face without anything behind it: the same methods, answered at once. What the bus itself costs here.
// bench_dbus_echo NAME; ends when its standard input does. Uses DBUS_SYSTEM_BUS_ADDRESS.
#include <cstdint>
#include <cstdio>
#include <poll.h>
#include <systemd/sd-bus.h>

namespace {

int submit(sd_bus_message* message, void*, sd_bus_error*) {
    sd_bus_message_skip(message, "a{sv}");
    return sd_bus_reply_method_return(message, "t", std::uint64_t{1});
}

int submit_batch(sd_bus_message* message, void*, sd_bus_error*) {
    sd_bus_message_skip(message, "aa{sv}");
    return sd_bus_reply_method_return(message, "at", 1, std::uint64_t{1});
}

int submit_json(sd_bus_message* message, void*, sd_bus_error*) {
    const void* bytes = nullptr;
    std::size_t size = 0;
    sd_bus_message_read_array(message, 'y', &bytes, &size);
    return sd_bus_reply_method_return(message, "ttu", std::uint64_t{1}, std::uint64_t{1}, std::uint32_t{1});
}

const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Submit", "a{sv}", "t", submit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("SubmitBatch", "aa{sv}", "at", submit_batch, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("SubmitJson", "ay", "ttu", submit_json, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

} // namespace

int main(int argc, char** argv) {
    sd_bus* bus = nullptr;
    if (argc != 2 || sd_bus_open_system(&bus) < 0 ||
        sd_bus_add_object_vtable(bus, nullptr, "/org/tocsin/EventManager1", "org.tocsin.EventManager1.Events", vtable,
                                 nullptr) < 0 ||
        sd_bus_request_name(bus, argv[1], 0) < 0) {
        std::fputs("usage: bench_dbus_echo NAME, with a bus where the name is free\n", stderr);
        return 2;
    }
    std::puts("ready");
    std::fflush(stdout);
    while (true) {
        while (sd_bus_process(bus, nullptr) > 0) {
        }
        sd_bus_flush(bus);
        pollfd waits[2] = {{sd_bus_get_fd(bus), POLLIN, 0}, {0, POLLIN, 0}};
        if (poll(waits, 2, -1) < 0 || waits[1].revents != 0) {
            break;
        }
    }
    sd_bus_flush_close_unref(bus);
}
