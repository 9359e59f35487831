// SPDX-License-Identifier: Apache-2.0
// Lists of strings, the fields of a dataset, tables.
#include "daemon/config_value_impl.hpp"

#include "core/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tocsin::daemon {

namespace {

constexpr std::size_t list_items_max = 1'000;

std::optional<std::string> item_problem(Kind kind, const std::string& text) {
    if (kind == Kind::names) {
        return name_problem(text);
    }
    if (kind == Kind::paths && (!text.starts_with('/') || text.size() > limits::path_bytes)) {
        return "expected an absolute path";
    }
    if (text.empty() || text.size() > limits::path_bytes) {
        return "expected a text that is not empty";
    }
    return std::nullopt;
}

// From the environment or the command line: a TOML list, or items between commas.
RawValue split_list(const std::string& text) {
    if (text.starts_with('[')) {
        if (auto parsed = read_toml_value(text)) {
            return std::move(*parsed);
        }
    }
    RawArray items;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        items.push_back(RawValue{.value = text.substr(at, comma - at)});
        at = comma + 1;
    }
    return RawValue{.value = std::move(items)};
}

std::expected<DatasetField, std::string> to_field(const RawValue& raw) {
    static constexpr std::array<std::string_view, 4> types = {"string", "number", "integer", "boolean"};
    const RawTable* members = std::get_if<RawTable>(&raw.value);
    if (members == nullptr) {
        return wrong(raw, R"(a table ({ name = "user", label = "User", type = "string" }))");
    }
    DatasetField out;
    for (const RawMember& member : *members) {
        const std::string* text = text_of(member.value);
        if (text == nullptr) {
            return wrong(member.value, fmt::format("a string for {}", member.key));
        }
        if (member.key == "name") {
            out.name = *text;
        } else if (member.key == "label") {
            out.label = *text;
        } else if (member.key == "type") {
            out.type = *text;
        } else {
            return std::unexpected(fmt::format("{}: unknown key; a field has name, label and type", member.key));
        }
    }
    if (const auto problem = name_problem(out.name)) {
        return std::unexpected(fmt::format("name of a field: {}", *problem));
    }
    if (std::ranges::find(types, out.type) == types.end()) {
        return std::unexpected(
            fmt::format("type of field {}: \"{}\" is not one of {}", out.name, out.type, fmt::join(types, ", ")));
    }
    return out;
}

} // namespace

Converted to_strings(const Shape& shape, const RawValue& raw) {
    if (raw.loose && text_of(raw) != nullptr) {
        return to_strings(shape, split_list(*text_of(raw)));
    }
    const RawArray* items = std::get_if<RawArray>(&raw.value);
    if (items == nullptr) {
        return wrong(raw, R"(a list of strings (["a", "b"]))");
    }
    if (items->size() > list_items_max) {
        return std::unexpected(fmt::format("has {} items; expected at most {}", items->size(), list_items_max));
    }
    std::vector<std::string> out;
    for (const RawValue& item : *items) {
        const std::string* text = text_of(item);
        if (text == nullptr) {
            return wrong(item, "a string in this list");
        }
        if (const auto problem = item_problem(shape.kind, *text)) {
            return std::unexpected(fmt::format("{} is wrong: {}", sample_of(item), *problem));
        }
        out.push_back(*text);
    }
    return out;
}

Converted to_fields(const RawValue& raw) {
    const RawArray* items = std::get_if<RawArray>(&raw.value);
    if (items == nullptr || items->empty() || items->size() > list_items_max) {
        return wrong(raw, R"(a list of fields ([ { name = "user", label = "User", type = "string" } ]))");
    }
    std::vector<DatasetField> out;
    for (const RawValue& item : *items) {
        auto field = to_field(item);
        if (!field) {
            return std::unexpected(std::move(field.error()));
        }
        if (std::ranges::find(out, field->name, &DatasetField::name) != out.end()) {
            return std::unexpected(fmt::format("field {} is given twice", field->name));
        }
        out.push_back(std::move(*field));
    }
    return out;
}

// Kept nowhere yet: only its form is checked.
Converted to_map(const RawValue& raw) {
    if (!std::holds_alternative<RawTable>(raw.value)) {
        return wrong(raw, "a table");
    }
    return std::string();
}

} // namespace tocsin::daemon
