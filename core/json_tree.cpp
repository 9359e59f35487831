// SPDX-License-Identifier: Apache-2.0
#include "core/event.hpp"
#include "core/expression.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/json_impl.hpp"
#include "core/utf8.hpp"

#include <algorithm>
#include <array>
#include <bit>
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

} // namespace

std::optional<std::string_view> repeated_key(const simdjson::dom::object& object) {
    constexpr std::size_t few = 16;
    std::array<std::string_view, few> first{};
    std::vector<std::string_view> all;
    std::size_t count = 0;
    for (const auto field : object) {
        if (count < few) {
            const auto end = first.begin() + static_cast<std::ptrdiff_t>(count);
            if (std::find(first.begin(), end, field.key) != end) {
                return field.key;
            }
            first[count] = field.key;
        } else {
            if (count == few) {
                all.assign(first.begin(), first.end());
            }
            all.push_back(field.key);
        }
        ++count;
    }
    std::ranges::sort(all);
    const auto twice = std::ranges::adjacent_find(all);
    return twice == all.end() ? std::nullopt : std::optional(*twice);
}

// What is private must not leave because a sender spells it "Password".
bool matches_any(std::span<const std::string> globs, std::string_view key) {
    return std::ranges::any_of(globs, [key](const std::string& glob) {
        const auto stars = static_cast<std::size_t>(std::ranges::count(glob, '*'));
        const auto escapes = static_cast<std::size_t>(std::ranges::count(glob, '\\'));
        // Most keys are shorter than what they would have to contain.
        return glob.size() - std::min(glob.size(), stars + escapes) <= key.size() && glob_match_any_case(glob, key);
    });
}

bool TreeWriter::refuse(std::string reason) {
    problem_ = std::move(reason);
    return false;
}

bool TreeWriter::write_string(std::string_view text) {
    if (append_plain_string(out_, text)) {
        return true;
    }
    if (text.find('\0') != std::string_view::npos) {
        return refuse("has the character U+0000");
    }
    // Only a lone surrogate, written as \uDC00, can still be wrong here.
    if (!valid_utf8(text)) {
        return refuse("is not valid UTF-8");
    }
    append_string(out_, text);
    return true;
}

bool TreeWriter::write_object(const simdjson::dom::object& object) {
    if (const auto key = repeated_key(object)) {
        return refuse("has the key " + in_quotes(*key) + " twice");
    }
    out_ += '{';
    bool first = true;
    for (const auto field : object) {
        if (matches_any(redact_, field.key)) {
            continue;
        }
        if (!first) {
            out_ += ',';
        }
        first = false;
        if (!write_string(field.key)) {
            return false;
        }
        out_ += ':';
        if (!write(field.value)) {
            return false;
        }
    }
    out_ += '}';
    return true;
}

bool TreeWriter::write_array(const simdjson::dom::array& array) {
    out_ += '[';
    bool first = true;
    for (const element value : array) {
        if (!first) {
            out_ += ',';
        }
        first = false;
        if (!write(value)) {
            return false;
        }
    }
    out_ += ']';
    return true;
}

bool TreeWriter::write(const element& value) {
    const auto type = value.type();
    if (type == element_type::STRING) {
        return write_string(std::string_view(value));
    }
    if (type != element_type::OBJECT && type != element_type::ARRAY) {
        append_scalar(out_, scalar_of(value));
        return true;
    }
    if (depth_ == max_depth_) {
        return refuse("is nested deeper than " + std::to_string(max_depth_));
    }
    ++depth_;
    const bool written = type == element_type::OBJECT ? write_object(simdjson::dom::object(value))
                                                      : write_array(simdjson::dom::array(value));
    --depth_;
    return written;
}

std::optional<std::string> append_payload(std::string& out, const element& value, std::span<const std::string> redact) {
    if (!value.is_object()) {
        return "is " + std::string(value.is_array() ? "an array" : kind_of(scalar_of(value))) + ", not an object";
    }
    const std::size_t from = out.size();
    TreeWriter writer(out, limits::payload_depth, redact);
    if (!writer.write(value)) {
        return writer.problem();
    }
    if (out.size() - from > limits::payload_bytes) {
        return "is larger than " + std::to_string(limits::payload_bytes) + " bytes";
    }
    return std::nullopt;
}

std::optional<std::string> append_payload(std::string& out, std::string_view text,
                                          std::span<const std::string> redact) {
    Lease lease;
    const auto read = lease.document().read(text);
    if (read.error() != simdjson::SUCCESS) {
        const Fault fault = diagnose(text);
        return fault.readable ? fault.reason : "is not JSON: " + unreadable(fault).reason;
    }
    return append_payload(out, read.value_unsafe(), redact);
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
