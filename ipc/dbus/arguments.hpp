// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: what methods take, read from their messages into core's builders: events, filters, pages,
// options.
#pragma once

#include "core/event.hpp"
#include "core/filter.hpp"
#include "core/heartbeat.hpp"
#include "core/ports.hpp"
#include "ipc/dbus/handle.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tocsin::ipc::dbus {

// a{sv}: invalid_event with every wrong field.
Result<Event> read_event(sd_bus_message* message, const IntakeRules& rules, std::int64_t now_us);
// aa{sv}: all or nothing; the error lists index and field of each bad event.
Result<std::vector<Event>> read_events(sd_bus_message* message, const IntakeRules& rules, std::int64_t now_us);
// ay, within the limits of a batch.
Result<std::span<const char>> read_bytes(sd_bus_message* message);
Result<Filter> read_filter(sd_bus_message* message, const Zone& zone);
Result<ListFilter> read_list_filter(sd_bus_message* message);

// "us" behind a filter: 0 is the default, above the maximum is invalid_argument.
struct PageRequest {
    std::size_t limit = 0;
    std::string cursor{};
};
Result<PageRequest> read_page(sd_bus_message* message);
// as, at most a few; `what` names them.
Result<std::vector<std::string>> read_texts(sd_bus_message* message, const char* what);
// sa{sv}
Result<Beat> read_beat(sd_bus_message* message, const Origin& origin, std::int64_t now_us);

// The error of a batch as one sentence that names index and field of each bad event.
Error batch_error(Error error);

} // namespace tocsin::ipc::dbus
