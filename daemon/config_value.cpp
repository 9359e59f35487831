// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_value_impl.hpp"

#include "core/job.hpp"
#include "core/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tocsin::daemon {

namespace {

constexpr std::size_t string_bytes_max = 64 * limits::KiB;

template <typename T> std::optional<T> number_from(std::string_view text) {
    T out{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return out;
}

std::string show_bound(const Shape& shape, std::int64_t bound) {
    switch (shape.kind) {
    case Kind::duration:
        return format_duration(bound);
    case Kind::size:
        return format_size(static_cast<std::uint64_t>(bound));
    default:
        return fmt::format("{}", bound);
    }
}

std::unexpected<std::string> out_of_bounds(const Shape& shape, const RawValue& raw) {
    return std::unexpected(fmt::format("{} is out of bounds; expected {}", sample_of(raw), show_bounds(shape)));
}

Converted to_boolean(const RawValue& raw) {
    if (const bool* flag = std::get_if<bool>(&raw.value)) {
        return *flag;
    }
    const std::string* text = text_of(raw);
    if (raw.loose && text != nullptr && (*text == "true" || *text == "false")) {
        return *text == "true";
    }
    return wrong(raw, "true or false");
}

Converted to_integer(const Shape& shape, const RawValue& raw) {
    std::optional<std::int64_t> number;
    if (const auto* integer = std::get_if<std::int64_t>(&raw.value)) {
        number = *integer;
    } else if (const std::string* text = text_of(raw); raw.loose && text != nullptr) {
        number = number_from<std::int64_t>(*text);
    }
    if (!number) {
        return wrong(raw, "an integer");
    }
    if (*number < shape.bounds.min || *number > shape.bounds.max) {
        return out_of_bounds(shape, raw);
    }
    return *number;
}

Converted to_number(const Shape& shape, const RawValue& raw) {
    std::optional<double> number;
    if (const auto* real = std::get_if<double>(&raw.value)) {
        number = *real;
    } else if (const auto* integer = std::get_if<std::int64_t>(&raw.value)) {
        number = static_cast<double>(*integer);
    } else if (const std::string* text = text_of(raw); raw.loose && text != nullptr) {
        number = number_from<double>(*text);
    }
    if (!number || !std::isfinite(*number)) {
        return wrong(raw, "a number");
    }
    if (*number < static_cast<double>(shape.bounds.min) || *number > static_cast<double>(shape.bounds.max)) {
        return out_of_bounds(shape, raw);
    }
    return *number;
}

// Sizes that fit no signed integer are beyond every bound.
Converted to_size(const Shape& shape, const RawValue& raw) {
    static constexpr std::string_view expected = R"(a size: bytes, or a number with K, M, G or T ("64K", "4G"))";
    std::optional<std::uint64_t> size;
    if (const auto* integer = std::get_if<std::int64_t>(&raw.value); integer != nullptr && *integer >= 0) {
        size = static_cast<std::uint64_t>(*integer);
    } else if (const std::string* text = text_of(raw)) {
        if (shape.automatic && *text == "auto") {
            return std::uint64_t{0};
        }
        if (auto parsed = parse_size(*text)) {
            size = *parsed;
        }
    }
    if (!size) {
        return wrong(raw, expected);
    }
    const auto max = static_cast<std::uint64_t>(std::max<std::int64_t>(shape.bounds.max, 0));
    if (*size > max || static_cast<std::int64_t>(*size) < shape.bounds.min) {
        return out_of_bounds(shape, raw);
    }
    return *size;
}

Converted to_share(const Shape& shape, const RawValue& raw) {
    const std::string* text = text_of(raw);
    if (text != nullptr && text->ends_with('%')) {
        const auto percent = number_from<double>(std::string_view(*text).substr(0, text->size() - 1));
        const bool fits = percent && *percent >= 0 && *percent <= 90; // "nan" does not
        if (!fits) {
            return wrong(raw, "a percentage from 0% to 90%");
        }
        return Share{.bytes = 0, .fraction = *percent / 100};
    }
    auto size = to_size(Shape{.kind = Kind::size, .bounds = shape.bounds}, raw);
    if (!size) {
        return wrong(raw, R"(a size ("512M") or a percentage of the file system ("15%"))");
    }
    return Share{.bytes = std::get<std::uint64_t>(*size), .fraction = 0};
}

Converted to_duration(const Shape& shape, const RawValue& raw) {
    const std::string* text = text_of(raw);
    if (text == nullptr) {
        return wrong(raw, R"(a duration with its unit ("500ms", "30s", "5m", "2h", "7d", "4w", "1y"))");
    }
    const auto duration = parse_duration_us(*text);
    if (!duration) {
        return wrong(raw, R"(a duration ("500ms", "30s", "5m", "2h", "7d", "4w", "1y"))");
    }
    if (*duration < shape.bounds.min || *duration > shape.bounds.max) {
        return out_of_bounds(shape, raw);
    }
    return *duration;
}

Converted to_rate(const RawValue& raw) {
    const std::string* text = text_of(raw);
    const auto rate = text == nullptr ? std::nullopt : parse_rate(*text);
    if (!rate) {
        return wrong(raw, R"(a rate: a number, a slash and a duration ("30/1h", "1/7d"))");
    }
    return *rate;
}

Converted to_zone(const RawValue& raw) {
    const std::string* text = text_of(raw);
    if (text == nullptr) {
        return wrong(raw, R"(the name of a time zone ("UTC", "Europe/Berlin"))");
    }
    auto zone = Zone::find(*text);
    if (!zone) {
        return wrong(raw, R"(the name of a time zone that this system knows ("UTC", "Europe/Berlin"))");
    }
    return std::move(*zone);
}

bool is_url(std::string_view text) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (text.starts_with(scheme)) {
            const std::string_view rest = text.substr(scheme.size());
            return !rest.empty() && rest.front() != '/' && rest.find_first_of(" \t\r\n\"<>") == std::string_view::npos;
        }
    }
    return false;
}

bool is_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        return false;
    }
    const std::string_view host = text.substr(0, colon);
    const bool v6 = host.front() == '[' && host.back() == ']' && host.size() > 2;
    const auto port = number_from<std::uint16_t>(text.substr(colon + 1));
    return (v6 || host.find_first_of(":[] \t/") == std::string_view::npos) && port && *port != 0;
}

bool is_choice(const Shape& shape, const std::string& text) {
    return std::ranges::find(shape.choices, text) != shape.choices.end();
}

Converted to_text(const Shape& shape, const RawValue& raw) {
    const std::string* text = text_of(raw);
    if (text == nullptr) {
        return wrong(raw, shape.kind == Kind::choice ? fmt::format("one of {}", fmt::join(shape.choices, ", "))
                                                     : "a string");
    }
    if (text->size() > string_bytes_max || text->find('\0') != std::string::npos) {
        return std::unexpected(
            fmt::format("is too long or has a zero byte; expected at most {}", format_size(string_bytes_max)));
    }
    const bool empty = text->empty();
    if (shape.kind == Kind::choice && !is_choice(shape, *text)) {
        return wrong(raw, fmt::format("one of {}", fmt::join(shape.choices, ", ")));
    }
    if (shape.kind == Kind::url && !empty && !is_url(*text)) {
        return wrong(raw, R"(a URL with http:// or https://, or "")");
    }
    if (shape.base && text->find_first_of("?#") != std::string::npos) {
        return wrong(raw, "a URL without a query (?) and a fragment (#): paths are put behind it");
    }
    if (shape.kind == Kind::address && !empty && !is_address(*text)) {
        return wrong(raw, R"(an address with a port ("127.0.0.1:7878"), or "")");
    }
    const auto problem = shape.kind == Kind::name     ? name_problem(*text)
                         : shape.kind == Kind::script ? script_name_problem(*text)
                                                      : std::nullopt;
    if (problem || (shape.kind == Kind::script && empty)) {
        return std::unexpected(fmt::format("{} is wrong: {}", sample_of(raw), problem.value_or("is empty")));
    }
    return *text;
}

} // namespace

std::unexpected<std::string> wrong(const RawValue& raw, std::string_view expected) {
    return std::unexpected(fmt::format("{} ({}) is wrong; expected {}", sample_of(raw), kind_of(raw), expected));
}

const std::string* text_of(const RawValue& raw) {
    return std::get_if<std::string>(&raw.value);
}

std::string_view to_string(Kind kind) {
    static constexpr std::array<std::string_view, 19> names = {
        "boolean",  "integer", "number", "string", "choice",  "name",    "script", "size",  "size or percentage",
        "duration", "rate",    "zone",   "url",    "address", "strings", "paths",  "names", "fields",
        "table"};
    return names.at(static_cast<std::size_t>(kind));
}

std::optional<Rate> parse_rate(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto count = number_from<std::uint64_t>(text.substr(0, slash));
    const auto per = parse_duration_us(text.substr(slash + 1));
    if (!count || *count == 0 || !per || *per <= 0) {
        return std::nullopt;
    }
    return Rate{.count = *count, .per_us = *per};
}

std::expected<Value, std::string> convert(const Shape& shape, const RawValue& raw) {
    switch (shape.kind) {
    case Kind::boolean:
        return to_boolean(raw);
    case Kind::integer:
        return to_integer(shape, raw);
    case Kind::number:
        return to_number(shape, raw);
    case Kind::size:
        return to_size(shape, raw);
    case Kind::size_or_share:
        return to_share(shape, raw);
    case Kind::duration:
        return to_duration(shape, raw);
    case Kind::rate:
        return to_rate(raw);
    case Kind::zone:
        return to_zone(raw);
    case Kind::globs:
    case Kind::paths:
    case Kind::names:
        return to_strings(shape, raw);
    case Kind::fields:
        return to_fields(raw);
    case Kind::map:
        return to_map(raw);
    default:
        return to_text(shape, raw);
    }
}

std::string show_bounds(const Shape& shape) {
    if (shape.bounds.unbounded()) {
        return {};
    }
    return fmt::format("{} to {}", show_bound(shape, shape.bounds.min), show_bound(shape, shape.bounds.max));
}

std::string show(const Shape& shape, const Value& value) {
    struct Show {
        const Shape& shape;
        std::string operator()(bool flag) const { return flag ? "true" : "false"; }
        std::string operator()(std::int64_t number) const {
            return shape.kind == Kind::duration ? format_duration(number) : fmt::format("{}", number);
        }
        std::string operator()(std::uint64_t size) const {
            return shape.automatic && size == 0 ? "auto" : format_size(size);
        }
        std::string operator()(double number) const { return fmt::format("{}", number); }
        std::string operator()(const std::string& text) const { return text; }
        std::string operator()(const std::vector<std::string>& items) const {
            std::string out = "[";
            for (const std::string& item : items) {
                out += out.size() > 1 ? ", " : "";
                json::append_string(out, item);
            }
            return out + "]";
        }
        std::string operator()(const Zone& zone) const { return zone.name(); }
        std::string operator()(const Share& share) const {
            return share.fraction > 0 ? fmt::format("{}%", share.fraction * 100) : format_size(share.bytes);
        }
        std::string operator()(const Rate& rate) const {
            return fmt::format("{}/{}", rate.count, format_duration(rate.per_us));
        }
        std::string operator()(const std::vector<DatasetField>& fields) const {
            return fmt::format("{} fields", fields.size());
        }
    };
    return std::visit(Show{shape}, value);
}

} // namespace tocsin::daemon
