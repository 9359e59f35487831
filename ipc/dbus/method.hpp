// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: what an interface consists of. One row per method with its privilege, which has no default: a
// method without a declared privilege does not compile. The same rows make the sd-bus vtable, so introspection cannot
// drift.
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

struct Method {
    Method(const char* member_, Privilege privilege_, Arguments in_, Arguments out_, Handler handler_)
        : member(member_),
          privilege(privilege_),
          in(std::move(in_)),
          out(std::move(out_)),
          handler(std::move(handler_)) {}

    const char* member;
    Privilege privilege;
    Arguments in;
    Arguments out;
    Handler handler;
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
