// SPDX-License-Identifier: Apache-2.0
#include "core/event.hpp"
#include "core/expression.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/json_impl.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

namespace tocsin::json {

namespace {

using simdjson::dom::element_type;

// Kinds that hash differently though their bits are alike.
enum class Kind : std::uint64_t { null, boolean, integer, real, string, array, object };

std::uint64_t hash_of(Kind kind, std::uint64_t bits) {
    return hash_mix(static_cast<std::uint64_t>(kind), bits);
}

bool stands_before(const simdjson::dom::object& object, const simdjson::dom::object::iterator& place) {
    for (auto at = object.begin(); at != place; ++at) {
        if (words::same(at.key(), place.key())) {
            return true;
        }
    }
    return false;
}

std::optional<std::string_view> repeated_of_many(const simdjson::dom::object& object) {
    std::vector<std::string_view> keys;
    for (const auto field : object) {
        keys.push_back(field.key);
    }
    std::ranges::sort(keys);
    const auto twice = std::ranges::adjacent_find(keys);
    return twice == keys.end() ? std::nullopt : std::optional(*twice);
}

} // namespace

std::optional<std::string_view> repeated_key(const simdjson::dom::object& object) {
    constexpr std::size_t few = 16; // are looked through again where a mark is not new
    std::uint64_t marks = 0;
    std::size_t count = 0;
    for (auto at = object.begin(); at != object.end() && count < few; ++at) {
        const std::string_view key = at.key();
        const std::uint64_t mark = mark_of(key);
        if ((marks & mark) != 0 && stands_before(object, at)) {
            return key;
        }
        marks |= mark;
        ++count;
    }
    return count < few ? std::nullopt : repeated_of_many(object);
}

Redaction::Redaction(std::span<const std::string> globs)
    : globs_(globs), shortest_(std::numeric_limits<std::size_t>::max()) {
    for (const std::string& glob : globs) {
        const auto stands_for_none = std::ranges::count_if(glob, [](char c) { return c == '*' || c == '\\'; });
        shortest_ = std::min(shortest_, glob.size() - static_cast<std::size_t>(stands_for_none));
    }
}

// What is private must not leave because a sender spells it "Password".
bool Redaction::matches(std::string_view key) const {
    return std::ranges::any_of(globs_, [key](const std::string& glob) { return glob_match_any_case(glob, key); });
}

bool TreeWriter::refuse(std::string reason) {
    problem_ = std::move(reason);
    return false;
}

void TreeWriter::grow(std::size_t bytes) {
    constexpr std::size_t spare = 256;
    out_.resize(used_ + bytes + spare);
}

inline char* TreeWriter::room(std::size_t bytes) {
    if (out_.size() - used_ < bytes) {
        grow(bytes);
    }
    return out_.data() + used_;
}

inline void TreeWriter::written(const char* end) {
    used_ = static_cast<std::size_t>(end - out_.data());
}

inline void TreeWriter::put(char c) {
    *room(1) = c;
    ++used_;
}

bool TreeWriter::write_unusual(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
        return refuse("has the character U+0000");
    }
    // Only a lone surrogate, written as \uDC00, can still be wrong here.
    if (!valid_utf8(text)) {
        return refuse("is not valid UTF-8");
    }
    out_.resize(used_);
    append_string(out_, text);
    used_ = out_.size();
    return true;
}

inline bool TreeWriter::write_string(std::string_view text) {
    if (!words::is_plain(text)) {
        return write_unusual(text);
    }
    char* to = room(text.size() + 2);
    *to++ = '"';
    to = words::copy(to, text);
    *to++ = '"';
    written(to);
    return true;
}

inline bool TreeWriter::write_key(std::string_view key) {
    const bool done = write_string(key);
    put(':');
    return done;
}

template <typename T> void TreeWriter::write_integer(T value) {
    constexpr std::size_t most = std::numeric_limits<T>::digits10 + 2; // a sign, and the digit that not all values have
    char* const to = room(most);
    written(std::to_chars(to, to + most, value).ptr);
}

bool TreeWriter::write_object(const simdjson::dom::object& object) {
    if (const auto key = repeated_key(object)) {
        return refuse("has the key " + in_quotes(*key) + " twice");
    }
    put('{');
    bool first = true;
    for (const auto field : object) {
        if (redaction_.takes(field.key)) {
            continue;
        }
        if (!first) {
            put(',');
        }
        first = false;
        if (!write_key(field.key) || !write_value(field.value)) {
            return false;
        }
    }
    put('}');
    return true;
}

bool TreeWriter::write_array(const simdjson::dom::array& array) {
    put('[');
    bool first = true;
    for (const element value : array) {
        if (!first) {
            put(',');
        }
        first = false;
        if (!write_value(value)) {
            return false;
        }
    }
    put(']');
    return true;
}

bool TreeWriter::write_value(const element& value) {
    switch (value.type()) {
    case element_type::STRING:
        return write_string(std::string_view(value));
    case element_type::INT64:
        write_integer(std::int64_t(value));
        return true;
    case element_type::UINT64:
        write_integer(std::uint64_t(value));
        return true;
    case element_type::DOUBLE:
        written(print_real(room(real_bytes), double(value)));
        return true;
    case element_type::BOOL:
        written(words::copy(room(5), bool(value) ? "true" : "false"));
        return true;
    case element_type::NULL_VALUE:
        written(words::copy(room(4), "null"));
        return true;
    default:
        break;
    }
    if (depth_ == max_depth_) {
        return refuse("is nested deeper than " + std::to_string(max_depth_));
    }
    ++depth_;
    const bool done =
        value.is_object() ? write_object(simdjson::dom::object(value)) : write_array(simdjson::dom::array(value));
    --depth_;
    return done;
}

bool TreeWriter::write(const element& value) {
    const bool done = write_value(value);
    out_.resize(used_);
    return done;
}

std::optional<std::string> append_payload(std::string& out, const element& value, const Redaction& redaction) {
    if (!value.is_object()) {
        return "is " + std::string(value.is_array() ? "an array" : kind_of(scalar_of(value))) + ", not an object";
    }
    const std::size_t from = out.size();
    TreeWriter writer(out, limits::payload_depth, redaction);
    if (!writer.write(value)) {
        return writer.problem();
    }
    if (out.size() - from > limits::payload_bytes) {
        return "is larger than " + std::to_string(limits::payload_bytes) + " bytes";
    }
    return std::nullopt;
}

std::optional<std::string> append_payload(std::string& out, std::string_view text, const Redaction& redaction) {
    Lease lease;
    const auto read = lease.document().read(text);
    if (read.error() != simdjson::SUCCESS) {
        const Fault fault = diagnose(text);
        return fault.readable ? fault.reason : "is not JSON: " + unreadable(fault).reason;
    }
    return append_payload(out, read.value_unsafe(), redaction);
}

std::uint64_t tree_hash(const element& value) {
    switch (value.type()) {
    case element_type::OBJECT: {
        std::uint64_t sum = 0;
        for (const auto field : simdjson::dom::object(value)) {
            sum += hash_mix(hash64(field.key), tree_hash(field.value));
        }
        return hash_of(Kind::object, sum);
    }
    case element_type::ARRAY: {
        std::uint64_t chain = 0;
        for (const element item : simdjson::dom::array(value)) {
            chain = hash_mix(chain, tree_hash(item));
        }
        return hash_of(Kind::array, chain);
    }
    case element_type::STRING:
        return hash_of(Kind::string, hash64(std::string_view(value)));
    case element_type::INT64:
        return hash_of(Kind::integer, static_cast<std::uint64_t>(std::int64_t(value)));
    case element_type::UINT64:
        return hash_of(Kind::integer, std::uint64_t(value));
    case element_type::DOUBLE:
        return hash_of(Kind::real, std::bit_cast<std::uint64_t>(double(value)));
    case element_type::BOOL:
        return hash_of(Kind::boolean, bool(value) ? 1 : 0);
    default:
        return hash_of(Kind::null, 0);
    }
}

} // namespace tocsin::json
