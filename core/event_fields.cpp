// SPDX-License-Identifier: Apache-2.0
#include "core/event_fields.hpp"

#include "core/event.hpp"

#include <algorithm>
#include <array>

namespace tocsin {

namespace {

struct Row {
    std::string_view name;
    bool by_daemon = false;
};

constexpr std::array<Row, field_count> table{{
    {"unique_index", true},
    {"scid"},
    {"event_time"},
    {"event_rule_id"},
    {"event_name"},
    {"event_rule"},
    {"event_src"},
    {"spark_script"},
    {"spark_report_id", true},
    {"gem_full_path"},
    {"spark_report_url", true},
    {"count"},
    {"severity"},
    {"event_type"},
    {"event_id"},
    {"description"},
    {"summary"},
    {"environment"},
    {"payload"},
    {"idempotency_key"},
    {"received_time", true},
    {"cause", true},
    {"cause_depth", true},
    {"host", true},
    {"host_index", true},
    {"origin", true},
}};

constexpr std::size_t longest_name = 16;

// Fields ordered by the length of their name, and where each length begins: a look-up compares at most five names.
struct ByLength {
    std::array<std::uint8_t, field_count> order{};
    std::array<std::uint8_t, longest_name + 2> begin{};
};

constexpr ByLength make_by_length() {
    ByLength index;
    std::uint8_t filled = 0;
    for (std::size_t length = 0; length <= longest_name; ++length) {
        index.begin[length] = filled;
        for (std::size_t i = 0; i < table.size(); ++i) {
            if (table[i].name.size() == length) {
                index.order[filled++] = static_cast<std::uint8_t>(i);
            }
        }
    }
    index.begin[longest_name + 1] = filled;
    return index;
}

constexpr ByLength by_length = make_by_length();
static_assert(by_length.begin[longest_name + 1] == field_count, "a field's name is longer than longest_name");

} // namespace

std::optional<EventField> field_of(std::string_view name) {
    if (name.size() > longest_name) {
        return std::nullopt;
    }
    for (std::size_t i = by_length.begin[name.size()]; i < by_length.begin[name.size() + 1]; ++i) {
        if (table[by_length.order[i]].name == name) {
            return static_cast<EventField>(by_length.order[i]);
        }
    }
    return std::nullopt;
}

std::string_view name_of(EventField field) {
    return table[static_cast<std::size_t>(field)].name;
}

bool set_by_daemon(EventField field) {
    return table[static_cast<std::size_t>(field)].by_daemon;
}

const std::vector<std::string_view>& event_field_names() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all(table.size());
        std::ranges::transform(table, all.begin(), &Row::name);
        return all;
    }();
    return names;
}

} // namespace tocsin
