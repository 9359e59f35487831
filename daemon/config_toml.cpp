// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_raw.hpp"

#include "core/json.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

namespace tocsin::daemon {

namespace {

constexpr std::size_t sample_bytes = 60;

RawTable raw_table(const toml::table& table);

RawValue raw_value(const toml::node& node) {
    RawValue out;
    out.line = node.source().begin.line;
    out.column = node.source().begin.column;
    if (const auto* table = node.as_table()) {
        out.value = raw_table(*table);
    } else if (const auto* array = node.as_array()) {
        RawArray items;
        for (const toml::node& item : *array) {
            items.push_back(raw_value(item));
        }
        out.value = std::move(items);
    } else if (const auto* text = node.as_string()) {
        out.value = text->get();
    } else if (const auto* integer = node.as_integer()) {
        out.value = integer->get();
    } else if (const auto* real = node.as_floating_point()) {
        out.value = real->get();
    } else if (const auto* boolean = node.as_boolean()) {
        out.value = boolean->get();
    } else {
        out.value = RawDate{};
    }
    return out;
}

RawTable raw_table(const toml::table& table) {
    RawTable out;
    for (const auto& [key, node] : table) {
        out.push_back(RawMember{.key = std::string(key.str()),
                                .value = raw_value(node),
                                .line = key.source().begin.line,
                                .column = key.source().begin.column});
    }
    // toml++ sorts by name; who reads goes by the order of the file.
    std::ranges::sort(out, {}, [](const RawMember& member) { return std::pair(member.line, member.column); });
    return out;
}

} // namespace

std::expected<RawDocument, Problem> read_toml(std::string_view text, const std::string& source) {
    try {
        return RawDocument{.source = source, .root = raw_table(toml::parse(text))};
    } catch (const toml::parse_error& error) {
        const toml::source_position at = error.source().begin;
        return std::unexpected(Problem{.place = Place{.source = source, .line = at.line, .column = at.column},
                                       .key = "",
                                       .reason = fmt::format("is not TOML: {}", error.description())});
    }
}

std::optional<RawValue> read_toml_value(std::string_view text) {
    auto document = read_toml(fmt::format("value = {}", text), "");
    if (!document || document->root.size() != 1) {
        return std::nullopt;
    }
    return std::move(document->root.front().value);
}

std::string_view kind_of(const RawValue& value) {
    static constexpr std::array<std::string_view, 8> names = {"nothing",  "a boolean", "an integer", "a number",
                                                              "a string", "a date",    "a list",     "a table"};
    return names.at(value.value.index());
}

std::string sample_of(const RawValue& value) {
    struct Show {
        std::string operator()(std::monostate) const { return "nothing"; }
        std::string operator()(bool flag) const { return flag ? "true" : "false"; }
        std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
        std::string operator()(double number) const { return fmt::format("{}", number); }
        std::string operator()(const std::string& text) const {
            std::string out;
            json::append_string(out, std::string_view(text).substr(0, sample_bytes));
            return text.size() > sample_bytes ? out + "…" : out;
        }
        std::string operator()(RawDate) const { return "a date"; }
        std::string operator()(const RawArray&) const { return "a list"; }
        std::string operator()(const RawTable&) const { return "a table"; }
    };
    return std::visit(Show{}, value.value);
}

} // namespace tocsin::daemon
