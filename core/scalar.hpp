// SPDX-License-Identifier: Apache-2.0
// The value of one field on its way in or out of a face. JSON and D-Bus both read into it and write from it, so that
// an event, a watch or a job is described once (see Fields) and every face shows the same thing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <variant>

namespace tocsin {

// A JSON object or array as minified text; D-Bus shows it as a{sv} or av.
struct RawJson {
    std::string_view text;
    friend bool operator==(const RawJson&, const RawJson&) = default;
};

// µs since the epoch, UTC. JSON: RFC 3339 with µs and Z. D-Bus: t.
struct TimeUs {
    std::int64_t us = 0;
    friend bool operator==(const TimeUs&, const TimeUs&) = default;
};

// Several of them. JSON: an array of RFC 3339. D-Bus: at.
struct TimesUs {
    std::span<const std::int64_t> us;
    friend bool operator==(const TimesUs& a, const TimesUs& b) { return std::ranges::equal(a.us, b.us); }
};

// monostate is null. Views live as long as the input they point into.
// Out on D-Bus: bool b, int64 x, uint64 t, uint32 u, double d, string s, RawJson a{sv}/av, TimeUs t,
// TimesUs at.
using Scalar = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, std::uint32_t, double, std::string_view,
                            RawJson, TimeUs, TimesUs>;

// Receives the fields of an object in their documented order; fields without a value are not sent.
using FieldSink = std::function<void(std::string_view key, const Scalar& value)>;

// "a string", "an integer", … for error messages.
std::string_view kind_of(const Scalar& value);

} // namespace tocsin
