// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: a{sv} out of a message, entry by entry. Any integer type is taken, s o g as text; containers
// become minified JSON, or, where a key may have several values, come one by one. What no face takes (descriptors, NaN,
// infinity, structures too deep) is refused with a reason and reading goes on.
#pragma once

#include "core/error.hpp"
#include "core/scalar.hpp"
#include "ipc/dbus/handle.hpp"

#include <string>
#include <string_view>

namespace tocsin::ipc::dbus {

class EntrySink {
public:
    virtual ~EntrySink() = default;
    virtual void value(std::string_view key, const Scalar& value) = 0;
    virtual void refuse(std::string_view key, std::string reason) = 0;
};

enum class Arrays : std::uint8_t {
    json,     // a field: an array is one value
    repeated, // a filter: each element is a value of its own; nested ones are refused
};

// Reads the a{sv} at the message's cursor. invalid_argument only when the message itself cannot be read.
Result<void> read_entries(sd_bus_message* message, Arrays arrays, EntrySink& sink);

// invalid_argument for what cannot be read at all.
Error unreadable(std::string_view what);

} // namespace tocsin::ipc::dbus
