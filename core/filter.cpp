// SPDX-License-Identifier: Apache-2.0
#include "core/filter.hpp"

#include "core/hash.hpp"
#include "core/json.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace tocsin {
namespace {

template <typename T> bool any_of(const std::vector<T>& values, const T& value) {
    return values.empty() || std::ranges::find(values, value) != values.end();
}

bool within(std::int64_t time_us, std::optional<std::int64_t> since_us, std::optional<std::int64_t> until_us) {
    return (!since_us || time_us >= *since_us) && (!until_us || time_us < *until_us);
}

bool name_matches(const Filter& filter, const Event& event) {
    return filter.event_name.empty() || std::ranges::any_of(filter.event_name, [&event](const NamePattern& p) {
               return p.matches(event.event_name);
           });
}

bool rule_id_matches(const Filter& filter, const Event& event) {
    return filter.event_rule_id.empty() || (event.event_rule_id && any_of(filter.event_rule_id, *event.event_rule_id));
}

bool severity_matches(const Filter& filter, const Event& event) {
    return any_of(filter.severity, event.severity) && (!filter.min_severity || event.severity >= *filter.min_severity);
}

bool report_matches(const Filter& filter, const Event& event) {
    return !filter.has_report || *filter.has_report == (event.spark_report_id.value_or(0) > 0);
}

bool text_matches(const Filter& filter, const Event& event) {
    if (filter.text.empty()) {
        return true;
    }
    const std::string summary = effective_summary(event);
    return std::ranges::any_of(filter.text, [&summary, &event](const std::string& needle) {
        return summary.find(needle) != std::string::npos ||
               (!event.payload.empty() && json::contains_text(event.payload, needle));
    });
}

bool where_matches(const Filter& filter, const Event& event) {
    return filter.where.empty() ||
           std::ranges::any_of(filter.where, [&event](const auto& w) { return w->matches(event); });
}

// The identity of one key's values: a set, so that neither order nor repetition counts.
class KeyHash {
public:
    void add(std::uint64_t hash) { values_.push_back(hash); }
    void add(std::string_view text) { add(hash64(text)); }
    void add_number(std::int64_t value) {
        std::array<char, 8> bytes{};
        const auto bits = static_cast<std::uint64_t>(value);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            bytes.at(i) = static_cast<char>((bits >> (8 * i)) & 0xFFU);
        }
        add(std::string_view(bytes.data(), bytes.size()));
    }
    std::uint64_t finish(std::string_view key, std::uint64_t before) {
        if (values_.empty()) {
            return before;
        }
        std::ranges::sort(values_);
        const auto repeated = std::ranges::unique(values_);
        values_.erase(repeated.begin(), repeated.end());
        std::uint64_t hash = hash_mix(before, hash64(key));
        for (const std::uint64_t value : values_) {
            hash = hash_mix(hash, value);
        }
        values_.clear();
        return hash;
    }

private:
    std::vector<std::uint64_t> values_;
};

std::uint64_t hash_number(std::string_view key, std::optional<std::int64_t> value, std::uint64_t before) {
    KeyHash set;
    if (value) {
        set.add_number(*value);
    }
    return set.finish(key, before);
}

std::uint64_t hash_numbers(std::string_view key, const std::vector<std::int64_t>& values, std::uint64_t before) {
    KeyHash set;
    std::ranges::for_each(values, [&set](std::int64_t value) { set.add_number(value); });
    return set.finish(key, before);
}

std::uint64_t hash_texts(std::string_view key, const std::vector<std::string>& values, std::uint64_t before) {
    KeyHash set;
    std::ranges::for_each(values, [&set](const std::string& value) { set.add(std::string_view(value)); });
    return set.finish(key, before);
}

template <typename T>
std::uint64_t hash_enums(std::string_view key, const std::vector<T>& values, std::uint64_t before) {
    KeyHash set;
    std::ranges::for_each(values, [&set](T value) { set.add(to_string(value)); });
    return set.finish(key, before);
}

} // namespace

std::string_view to_string(Order order) {
    switch (order) {
    case Order::newest:
        return "newest";
    case Order::oldest:
        return "oldest";
    case Order::index:
        return "index";
    }
    fatal("an Order that is none");
}

NamePattern parse_name_pattern(std::string_view text) {
    NamePattern pattern;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '*' || text[i + 1] == '\\')) {
            pattern.text += text[++i];
        } else if (text[i] == '*' && i + 1 == text.size()) {
            pattern.prefix = true;
        } else {
            pattern.text += text[i];
        }
    }
    return pattern;
}

// Cheap tests first; the expensive ones (summary, payload, where) last.
bool Filter::matches(const Event& event) const {
    return within(event.event_time_us, since_us, until_us) &&
           within(event.received_time_us, received_since_us, received_until_us) && severity_matches(*this, event) &&
           any_of(scid, event.scid) && any_of(event_type, event.event_type) && rule_id_matches(*this, event) &&
           name_matches(*this, event) && any_of(event_src, event.event_src) && any_of(environment, event.environment) &&
           any_of(event_id, event.event_id) && any_of(host, event.host) && report_matches(*this, event) &&
           text_matches(*this, event) && where_matches(*this, event);
}

bool Filter::empty() const {
    return !since_us && !until_us && !received_since_us && !received_until_us && event_name.empty() &&
           event_src.empty() && scid.empty() && event_rule_id.empty() && severity.empty() && !min_severity &&
           environment.empty() && event_type.empty() && event_id.empty() && host.empty() && !has_report &&
           text.empty() && where.empty();
}

std::uint64_t Filter::hash() const {
    KeyHash set;
    std::uint64_t hash = hash64("tocsin filter 1");
    hash = hash_number("since", since_us, hash);
    hash = hash_number("until", until_us, hash);
    hash = hash_number("received_since", received_since_us, hash);
    hash = hash_number("received_until", received_until_us, hash);
    for (const NamePattern& pattern : event_name) {
        set.add(hash64(pattern.text, pattern.prefix ? 1 : 0));
    }
    hash = set.finish("event_name", hash);
    hash = hash_texts("event_src", event_src, hash);
    hash = hash_numbers("scid", scid, hash);
    hash = hash_numbers("event_rule_id", event_rule_id, hash);
    hash = hash_enums("severity", severity, hash);
    hash = hash_enums("min_severity", min_severity ? std::vector{*min_severity} : std::vector<Severity>{}, hash);
    hash = hash_texts("environment", environment, hash);
    hash = hash_enums("event_type", event_type, hash);
    hash = hash_texts("event_id", event_id, hash);
    hash = hash_texts("host", host, hash);
    hash =
        hash_number("has_report", has_report ? std::optional<std::int64_t>(*has_report ? 1 : 0) : std::nullopt, hash);
    hash = hash_texts("text", text, hash);
    for (const auto& expression : where) {
        set.add(std::string_view(expression->text()));
    }
    hash = set.finish("where", hash);
    set.add(to_string(order));
    return set.finish("order", hash);
}

} // namespace tocsin
