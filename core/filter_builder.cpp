// SPDX-License-Identifier: Apache-2.0
#include "core/filter.hpp"

#include "core/json.hpp"
#include "core/nearest.hpp"

#include <array>
#include <charconv>
#include <functional>
#include <limits>
#include <utility>

namespace tocsin {
namespace {

constexpr std::size_t where_values = 10; // alternatives of `where`: each may hold compiled regular expressions

// has_report is or-ed like every key: true and false together ask nothing.
constexpr std::uint64_t report_true_bit = std::uint64_t{1} << 62U;
constexpr std::uint64_t report_false_bit = std::uint64_t{1} << 63U;

using Problem = std::optional<std::string>; // the reason

struct Target {
    Filter& filter;
    const Zone& zone;
    std::uint64_t& seen;
};

std::string wanted(std::string_view what, const Scalar& value) {
    return "must be " + std::string(what) + ", not " + std::string(kind_of(value));
}

Problem to_text(const Scalar& value, std::string& out) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) {
        return wanted("a string", value);
    }
    if (text->size() > limits::filter_text_bytes) {
        return "is longer than " + std::to_string(limits::filter_text_bytes) + " bytes";
    }
    if (!valid_utf8(*text)) {
        return "is not valid UTF-8";
    }
    out = *text;
    return std::nullopt;
}

Problem to_integer(const Scalar& value, std::int64_t& out) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        out = *number;
        return std::nullopt;
    }
    if (const auto* number = std::get_if<std::uint32_t>(&value)) {
        out = *number;
        return std::nullopt;
    }
    if (const auto* number = std::get_if<std::uint64_t>(&value)) {
        if (*number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            return "is out of range";
        }
        out = static_cast<std::int64_t>(*number);
        return std::nullopt;
    }
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) {
        return wanted("an integer", value);
    }
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), out);
    if (failure != std::errc() || end != text->data() + text->size() || text->empty()) {
        return "\"" + std::string(text->substr(0, 64)) + "\" is not an integer of 64 bits";
    }
    return std::nullopt;
}

Problem to_time(const Scalar& value, const Zone& zone, std::optional<std::int64_t>& out) {
    if (const auto* time = std::get_if<TimeUs>(&value)) {
        out = time->us;
        return std::nullopt;
    }
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        Result<std::int64_t> parsed = parse_time_us(*text, zone);
        if (!parsed) {
            return parsed.error().reason;
        }
        out = *parsed;
        return std::nullopt;
    }
    std::int64_t number = 0;
    if (Problem problem = to_integer(value, number)) {
        return std::holds_alternative<std::uint64_t>(value) ? problem : wanted("a time", value);
    }
    out = time_us_from_integer(number);
    return std::nullopt;
}

Problem to_severity(const Scalar& value, Severity& out) {
    std::string text;
    if (Problem problem = to_text(value, text)) {
        return problem;
    }
    const std::optional<Severity> severity = severity_from(text);
    if (!severity) {
        return "\"" + text.substr(0, 64) + "\" is not one of info, warning, error, critical";
    }
    out = *severity;
    return std::nullopt;
}

template <typename T> Problem push(std::vector<T>& values, T value) {
    if (values.size() >= limits::filter_values) {
        return "has more than " + std::to_string(limits::filter_values) + " values";
    }
    values.push_back(std::move(value));
    return std::nullopt;
}

template <std::optional<std::int64_t> Filter::* Member> Problem set_time(Target& target, const Scalar& value) {
    return to_time(value, target.zone, target.filter.*Member);
}

template <std::vector<std::string> Filter::* Member> Problem add_text(Target& target, const Scalar& value) {
    std::string text;
    if (Problem problem = to_text(value, text)) {
        return problem;
    }
    return push(target.filter.*Member, std::move(text));
}

template <std::vector<std::int64_t> Filter::* Member> Problem add_integer(Target& target, const Scalar& value) {
    std::int64_t number = 0;
    if (Problem problem = to_integer(value, number)) {
        return problem;
    }
    return push(target.filter.*Member, number);
}

Problem add_name(Target& target, const Scalar& value) {
    std::string text;
    if (Problem problem = to_text(value, text)) {
        return problem;
    }
    return push(target.filter.event_name, parse_name_pattern(text));
}

Problem add_severity(Target& target, const Scalar& value) {
    Severity severity{};
    if (Problem problem = to_severity(value, severity)) {
        return problem;
    }
    return push(target.filter.severity, severity);
}

Problem set_min_severity(Target& target, const Scalar& value) {
    Severity severity{};
    if (Problem problem = to_severity(value, severity)) {
        return problem;
    }
    target.filter.min_severity = severity;
    return std::nullopt;
}

Problem add_environment(Target& target, const Scalar& value) {
    std::string text;
    if (Problem problem = to_text(value, text)) {
        return problem;
    }
    return push(target.filter.environment, std::string(canonical_environment(text)));
}

Problem add_event_type(Target& target, const Scalar& value) {
    std::string text;
    if (Problem problem = to_text(value, text)) {
        return problem;
    }
    const std::optional<EventType> type = event_type_from(text);
    if (!type) {
        return "\"" + text.substr(0, 64) + "\" is not one of standard, dataset";
    }
    return push(target.filter.event_type, *type);
}

std::optional<bool> to_bool(const Scalar& value) {
    if (const auto* flag = std::get_if<bool>(&value)) {
        return *flag;
    }
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        if (*text == "true" || *text == "1") {
            return true;
        }
        if (*text == "false" || *text == "0") {
            return false;
        }
        return std::nullopt;
    }
    std::int64_t number = -1;
    if (to_integer(value, number) || number < 0 || number > 1) {
        return std::nullopt;
    }
    return number == 1;
}

Problem add_has_report(Target& target, const Scalar& value) {
    const std::optional<bool> flag = to_bool(value);
    if (!flag) {
        return "must be true or false";
    }
    target.seen |= *flag ? report_true_bit : report_false_bit;
    const bool both = (target.seen & report_true_bit) != 0 && (target.seen & report_false_bit) != 0;
    target.filter.has_report = both ? std::nullopt : flag;
    return std::nullopt;
}

Problem add_where(Target& target, const Scalar& value) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) {
        return wanted("a string", value);
    }
    if (target.filter.where.size() >= where_values) {
        return "is given more than " + std::to_string(where_values) + " times; join them with `or`";
    }
    auto expression = Expression::parse(*text);
    if (!expression) {
        return expression.error().reason;
    }
    target.filter.where.push_back(std::move(*expression));
    return std::nullopt;
}

Problem set_order(Target& target, const Scalar& value) {
    for (const Order order : {Order::newest, Order::oldest, Order::index}) {
        const auto* text = std::get_if<std::string_view>(&value);
        if (text != nullptr && *text == to_string(order)) {
            target.filter.order = order;
            return std::nullopt;
        }
    }
    return "must be one of newest, oldest, index";
}

struct KeyRule {
    std::string_view name;
    bool once;
    Problem (*set)(Target&, const Scalar&);
};

constexpr std::array rules{
    KeyRule{"since", true, set_time<&Filter::since_us>},
    KeyRule{"until", true, set_time<&Filter::until_us>},
    KeyRule{"received_since", true, set_time<&Filter::received_since_us>},
    KeyRule{"received_until", true, set_time<&Filter::received_until_us>},
    KeyRule{"event_name", false, add_name},
    KeyRule{"event_src", false, add_text<&Filter::event_src>},
    KeyRule{"scid", false, add_integer<&Filter::scid>},
    KeyRule{"event_rule_id", false, add_integer<&Filter::event_rule_id>},
    KeyRule{"severity", false, add_severity},
    KeyRule{"min_severity", true, set_min_severity},
    KeyRule{"environment", false, add_environment},
    KeyRule{"event_type", false, add_event_type},
    KeyRule{"event_id", false, add_text<&Filter::event_id>},
    KeyRule{"host", false, add_text<&Filter::host>},
    KeyRule{"has_report", false, add_has_report},
    KeyRule{"text", false, add_text<&Filter::text>},
    KeyRule{"where", false, add_where},
    KeyRule{"order", true, set_order},
};
static_assert(rules.size() < 62, "one bit of seen_ each, and two for has_report");

std::string unknown_key(std::string_view key) {
    std::string reason = "is not a filter key" + suggestion(key, filter_keys());
    std::string_view separator = " (keys: ";
    for (const std::string_view name : filter_keys()) {
        reason.append(separator).append(name);
        separator = ", ";
    }
    return reason + ")";
}

// Collects the members of a flat array; anything nested makes it not flat.
class ArrayValues final : public json::Visitor {
public:
    explicit ArrayValues(std::function<void(const Scalar&)> use) : use_(std::move(use)) {}
    void begin_object() override { flat_ = false; }
    void key(std::string_view /*name*/) override {}
    void end_object() override {}
    void begin_array() override { flat_ = flat_ && ++depth_ == 1; }
    void end_array() override {}
    void scalar(const Scalar& value) override {
        if (flat_ && depth_ == 1) {
            use_(value);
        }
    }
    bool flat() const { return flat_ && depth_ == 1; }

private:
    std::function<void(const Scalar&)> use_;
    int depth_ = 0;
    bool flat_ = true;
};

} // namespace

const std::vector<std::string_view>& filter_keys() {
    static const std::vector<std::string_view> keys = [] {
        std::vector<std::string_view> names;
        names.reserve(rules.size());
        for (const KeyRule& rule : rules) {
            names.push_back(rule.name);
        }
        return names;
    }();
    return keys;
}

void FilterBuilder::refuse(std::string_view key, std::string reason) {
    if (!error_) {
        error_ = Error{.code = Code::invalid_argument,
                       .context = "filter",
                       .object = std::string(key),
                       .reason = std::move(reason)};
    }
}

void FilterBuilder::add(std::string_view key, const Scalar& value) {
    std::size_t at = 0;
    while (at < rules.size() && rules.at(at).name != key) {
        ++at;
    }
    if (at == rules.size()) {
        refuse(key.substr(0, limits::name_bytes), unknown_key(key));
        return;
    }
    if (std::holds_alternative<std::monostate>(value)) {
        return; // null is absent
    }
    if (const auto* raw = std::get_if<RawJson>(&value)) {
        ArrayValues values([this, key](const Scalar& item) { add(key, item); });
        if (!json::walk(raw->text, values) || !values.flat()) {
            refuse(key, "must be one value or a flat array of values");
        }
        return;
    }
    const std::uint64_t bit = std::uint64_t{1} << at;
    if (rules.at(at).once && (seen_ & bit) != 0) {
        refuse(key, "is given twice");
        return;
    }
    seen_ |= bit;
    Target target{filter_, zone_, seen_};
    if (Problem problem = rules.at(at).set(target, value)) {
        refuse(key, std::move(*problem));
    }
}

Result<Filter> FilterBuilder::finish() {
    if (error_) {
        return std::unexpected(std::move(*error_));
    }
    return std::move(filter_);
}

} // namespace tocsin
