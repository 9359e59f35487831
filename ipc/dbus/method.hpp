// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: what an interface consists of. One row per method with its action, which has no default: a
// method that does not declare what it does does not compile. The same rows make the sd-bus vtable, so introspection
// cannot drift.
#pragma once

#include "core/error.hpp"
#include "ipc/access.hpp"
#include "ipc/dbus/write_variant.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::ipc::dbus {

class Call;

// A signature, and one name for each complete type in it.
struct Arguments {
    const char* signature = "";
    std::vector<const char*> names{};
};

using Handler = std::function<void(Call)>;
// Whether a guarded act is the caller's own affair, so that nobody needs to be asked; may read the arguments, which are
// rewound afterwards.
using Own = std::function<bool(const Caller&, sd_bus_message*)>;

struct Method {
    Method(const char* member_, Action action_, Arguments in_, Arguments out_, Handler handler_)
        : member(member_), action(action_), in(std::move(in_)), out(std::move(out_)), handler(std::move(handler_)) {}

    const char* member;
    Action action;
    Arguments in;
    Arguments out;
    Handler handler;
    Own own{};
    bool later = false; // nothing is behind it yet: whoever may read is told so, and nobody asked for a password
};

struct Signal {
    const char* member;
    Arguments arguments;
};

enum class Emits : std::uint8_t { never, change, constant };

struct Property {
    const char* name;
    const char* signature;
    Emits emits = Emits::never;
};

// Answers with one value per property of the interface, in their order; not_found when the object is not there.
using PropertyReader = std::function<void(const std::string& path, Done<std::vector<PropertyValue>> done)>;

struct Interface {
    const char* name;
    std::vector<Method> methods{};
    std::vector<Signal> signals{};
    std::vector<Property> properties{};
    PropertyReader read{};
};

} // namespace tocsin::ipc::dbus
