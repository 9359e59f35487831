// SPDX-License-Identifier: Apache-2.0
#include "core/event_fields.hpp"

#include "core/event.hpp"
#include "core/words.hpp"

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

constexpr std::size_t shortest_name = 4;
constexpr std::size_t longest_name = 16;

struct Slot {
    std::array<char, longest_name> name{};
    std::uint8_t size = 0; // 0: there is none
    EventField field{};
};

// Where in `slots` a name belongs, by its length and two bytes: no two fields have the same.
constexpr std::size_t slot_of(std::string_view name) {
    const std::size_t size = name.size();
    const auto byte = [name](std::size_t place) { return std::size_t{static_cast<unsigned char>(name[place])}; };
    return (3 * size + byte(size - 3) + 5 * byte(size - 2)) % 64;
}

constexpr std::array<Slot, 64> slots = [] {
    std::array<Slot, 64> filled{};
    for (std::size_t i = 0; i < table.size(); ++i) {
        const std::string_view name = table[i].name;
        Slot& slot = filled[slot_of(name)];
        std::ranges::copy(name, slot.name.begin());
        slot.size = static_cast<std::uint8_t>(name.size());
        slot.field = static_cast<EventField>(i);
    }
    return filled;
}();
static_assert(std::ranges::count(slots, 0, &Slot::size) == slots.size() - field_count, "two fields share a slot");

} // namespace

std::optional<EventField> field_of(std::string_view name) {
    if (name.size() < shortest_name || name.size() > longest_name) {
        return std::nullopt;
    }
    const Slot& slot = slots[slot_of(name)];
    return words::same({slot.name.data(), slot.size}, name) ? std::optional(slot.field) : std::nullopt;
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
