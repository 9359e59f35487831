// SPDX-License-Identifier: Apache-2.0
// A JSON answer as a tree of plain values; the one place where simdjson is seen. Missing members read as empty, so that
// a client works with a daemon that says a little more or less than it knows.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tocsin::cli {

class Value {
public:
    using Array = std::vector<Value>;
    using Object = std::vector<std::pair<std::string, Value>>;
    using Data = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>;

    Value() = default;
    explicit Value(Data data) : data_(std::move(data)) {}

    // invalid_argument with the place of the mistake.
    static Result<Value> parse(std::string_view text);

    bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
    bool is_object() const { return std::holds_alternative<Object>(data_); }
    bool is_array() const { return std::holds_alternative<Array>(data_); }

    // A member of an object; a null value when there is none.
    const Value& operator[](std::string_view key) const;
    // Elements of an array, members of an object; empty for everything else.
    const Array& items() const;
    const Object& members() const;

    // What a person reads: strings as they are, numbers in decimal, the rest as JSON; null is empty.
    std::string text() const;
    std::uint64_t number() const; // 0 when it is no whole number ≥ 0
    double real() const;          // 0 when it is no number
    bool truth() const;
    std::string json() const;

private:
    void append_json(std::string& out) const;
    Data data_{};
};

} // namespace tocsin::cli
