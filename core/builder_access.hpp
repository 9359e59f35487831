// SPDX-License-Identifier: Apache-2.0
// Private to core: how JSON hands an event's members to a builder without the way of a Scalar for each.
#pragma once

#include "core/event.hpp"
#include "core/event_fields.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin::json {

struct BuilderAccess {
    // What most values are, where texts are printable ASCII; false with any other, which is then to be set.
    static bool takes(EventBuilder& builder, EventField field, std::string_view text) {
        return builder.takes(field, text);
    }
    static bool takes(EventBuilder& builder, EventField field, std::int64_t number) {
        return builder.takes(field, number);
    }
    static void set(EventBuilder& builder, EventField field, const Scalar& value) { builder.set(field, value); }
    // True the first time; refused from the second on.
    static bool first_payload(EventBuilder& builder) {
        const bool first = builder.first_time(EventField::payload);
        if (!first) {
            builder.refuse(name_of(EventField::payload), "is given twice");
        }
        return first;
    }
    // Minified, redacted and checked already.
    static void payload(EventBuilder& builder, std::string_view text) { builder.event_.payload = std::string(text); }
    static std::optional<Error> complete(EventBuilder& builder) { return builder.complete(false); }
};

} // namespace tocsin::json
