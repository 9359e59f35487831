// SPDX-License-Identifier: Apache-2.0
// The types that a key of the configuration can have: how a value is read, checked against its bounds, and shown again.
// A wrong value is answered with a sentence that says what was found and what is expected.
#pragma once

#include "daemon/config_raw.hpp"

#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tocsin::daemon {

enum class Kind : std::uint8_t {
    boolean,
    integer,
    number,
    string,
    choice,        // one of Shape::choices
    name,          // as event_name: 1–255 bytes, no control characters
    script,        // name of a script, never a path
    size,          // bytes, K M G T
    size_or_share, // a size, or a percentage of the file system
    duration,
    rate,    // "30/1h"
    zone,    // of the system's database
    url,     // http or https; empty: none
    address, // host:port; empty: none
    globs,   // list of patterns, or of any strings
    paths,   // list of absolute paths
    names,   // list of names
    fields,  // list of { name, label, type }
    map,     // table of strings
};
std::string_view to_string(Kind kind);

// Of integers and numbers in units, of sizes in bytes, of durations in µs.
struct Bounds {
    std::int64_t min = std::numeric_limits<std::int64_t>::min();
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
    bool unbounded() const { return *this == Bounds{}; }
    friend bool operator==(const Bounds&, const Bounds&) = default;
};

struct Shape {
    Kind kind = Kind::string;
    Bounds bounds{};
    std::span<const std::string_view> choices{};
    bool automatic = false; // a size may be "auto" (0)
    bool base = false;      // a URL that paths are put behind: without query and fragment
};

using Value = std::variant<bool, std::int64_t, std::uint64_t, double, std::string, std::vector<std::string>, Zone,
                           Share, Rate, std::vector<DatasetField>>;

// The value, or why it is none.
std::expected<Value, std::string> convert(const Shape& shape, const RawValue& raw);
// As it is written in a file, without quotes around a single string.
std::string show(const Shape& shape, const Value& value);
// "1M to 16T"; empty when there are none.
std::string show_bounds(const Shape& shape);

std::optional<Rate> parse_rate(std::string_view text);

} // namespace tocsin::daemon
