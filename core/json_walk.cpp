// SPDX-License-Identifier: Apache-2.0
#include "core/json.hpp"
#include "core/json_impl.hpp"

#include <charconv>
#include <utility>

namespace tocsin::json {

namespace {

using simdjson::dom::element_type;

// simdjson refuses texts deeper than 1,024 containers, which bounds this recursion.
void visit(const element& value, Visitor& visitor) {
    switch (value.type()) {
    case element_type::OBJECT:
        visitor.begin_object();
        for (const auto field : simdjson::dom::object(value)) {
            visitor.key(field.key);
            visit(field.value, visitor);
        }
        visitor.end_object();
        return;
    case element_type::ARRAY:
        visitor.begin_array();
        for (const element item : simdjson::dom::array(value)) {
            visit(item, visitor);
        }
        visitor.end_array();
        return;
    default:
        visitor.scalar(scalar_of(value));
    }
}

// The member or item that one step of a path leads to.
simdjson::simdjson_result<element> step(const element& from, std::string_view name) {
    if (from.is_object()) {
        return simdjson::dom::object(from).at_key(name);
    }
    std::size_t place = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), place);
    if (!from.is_array() || problem != std::errc{} || end != name.data() + name.size()) {
        return simdjson::NO_SUCH_FIELD;
    }
    return simdjson::dom::array(from).at(place);
}

bool scalar_contains(const element& value, std::string_view needle) {
    if (value.is_string()) {
        return std::string_view(value).find(needle) != std::string_view::npos;
    }
    if (value.is_null()) {
        return false;
    }
    std::string text;
    append_scalar(text, scalar_of(value));
    return text.find(needle) != std::string::npos;
}

bool tree_contains(const element& value, std::string_view needle) {
    if (value.is_object()) {
        for (const auto field : simdjson::dom::object(value)) {
            if (field.key.find(needle) != std::string_view::npos || tree_contains(field.value, needle)) {
                return true;
            }
        }
        return false;
    }
    if (value.is_array()) {
        for (const element item : simdjson::dom::array(value)) {
            if (tree_contains(item, needle)) {
                return true;
            }
        }
        return false;
    }
    return scalar_contains(value, needle);
}

// True where a needle looks the same in JSON text as in the strings it stands for.
bool is_plain(std::string_view needle) {
    for (const char c : needle) {
        if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
            return false;
        }
    }
    return true;
}

} // namespace

Result<void> walk(std::string_view text, Visitor& visitor) {
    Lease lease;
    const auto read = lease.document().read(text);
    if (read.error() != simdjson::SUCCESS) {
        return std::unexpected(unreadable(text));
    }
    visit(read.value_unsafe(), visitor);
    return {};
}

bool with_path(std::string_view payload, std::span<const std::string> path,
               const std::function<void(const Scalar&)>& use) {
    if (payload.empty()) {
        return false;
    }
    Lease lease;
    auto found = lease.document().read(payload);
    for (const std::string& name : path) {
        if (found.error() != simdjson::SUCCESS) {
            return false;
        }
        found = step(found.value_unsafe(), name);
    }
    if (found.error() != simdjson::SUCCESS || found.value_unsafe().is_null()) {
        return false;
    }
    const element value = found.value_unsafe();
    if (!value.is_object() && !value.is_array()) {
        use(scalar_of(value));
        return true;
    }
    std::string text;
    TreeWriter writer(text, limits::payload_depth);
    if (!writer.write(value)) {
        return false;
    }
    use(RawJson{text});
    return true;
}

bool contains_text(std::string_view payload, std::string_view needle) {
    // Payloads are kept with nothing escaped that need not be, so most of them are told apart without being read.
    if (payload.empty() || (is_plain(needle) && payload.find(needle) == std::string_view::npos)) {
        return false;
    }
    Lease lease;
    const auto read = lease.document().read(payload);
    return read.error() == simdjson::SUCCESS && tree_contains(read.value_unsafe(), needle);
}

Result<std::string> minify(std::string_view text, unsigned max_depth) {
    Lease lease;
    const auto read = lease.document().read(text);
    if (read.error() != simdjson::SUCCESS) {
        return std::unexpected(unreadable(text));
    }
    std::string out;
    TreeWriter writer(out, max_depth);
    if (!writer.write(read.value_unsafe())) {
        return fail(Code::invalid_argument, "JSON", "", "the JSON " + writer.problem());
    }
    return out;
}

} // namespace tocsin::json
