// SPDX-License-Identifier: Apache-2.0
// What a configuration file says before anybody knows what its keys mean: values with line and column. Keeps toml++ out
// of everything but config_toml.cpp.
#pragma once

#include "daemon/config.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tocsin::daemon {

struct RawValue;
struct RawMember;
using RawArray = std::vector<RawValue>;
using RawTable = std::vector<RawMember>; // in the order of the file

// A date or time of TOML: no key takes one.
struct RawDate {};

struct RawValue {
    std::variant<std::monostate, bool, std::int64_t, double, std::string, RawDate, RawArray, RawTable> value;
    unsigned line = 0;
    unsigned column = 0;
    bool loose =
        false; // text from the environment or the command line: "true" and "5" are also a boolean and an integer
};

struct RawMember {
    std::string key;
    RawValue value;
    unsigned line = 0; // of the key
    unsigned column = 0;
};

struct RawDocument {
    std::string source; // path of the file
    RawTable root;
};

// The problem is the first thing that is not TOML.
std::expected<RawDocument, Problem> read_toml(std::string_view text, const std::string& source);
// One value on its own, as in `key = VALUE`; nullopt when it is not TOML.
std::optional<RawValue> read_toml_value(std::string_view text);

// What it is, for messages: "a string", "an integer", "a table".
std::string_view kind_of(const RawValue& value);
// How it would be written, shortened.
std::string sample_of(const RawValue& value);

} // namespace tocsin::daemon
