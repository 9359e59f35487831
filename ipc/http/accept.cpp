// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/accept.hpp"

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace tocsin::ipc::http {
namespace {

constexpr unsigned q_one = 1'000; // a q has three decimals

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool same(std::string_view one, std::string_view other) {
    return std::ranges::equal(one, other, [](char a, char b) { return lower(a) == lower(b); });
}

// What stands before the next separator that is not inside quotes; taken off the list.
std::string_view next_part(std::string_view& list, char separator) {
    bool quoted = false;
    std::size_t end = 0;
    while (end < list.size() && (quoted || list[end] != separator)) {
        if (list[end] == '"') {
            quoted = !quoted;
        } else if (quoted && list[end] == '\\') {
            ++end;
        }
        ++end;
    }
    end = std::min(end, list.size());
    const std::string_view part = trim(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    return part;
}

// Thousandths of "0.5", "1", "1.000".
std::optional<unsigned> parse_q(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.')) {
        return std::nullopt;
    }
    unsigned q = text[0] == '1' ? q_one : 0;
    unsigned weight = 100;
    for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        q += static_cast<unsigned>(c - '0') * weight;
        weight /= 10;
    }
    return q <= q_one ? std::optional(q) : std::nullopt;
}

struct Item {
    std::string_view name; // "text/csv", "gzip"
    unsigned q = q_one;
};

// The next item that can be read; other parameters than q make no difference to what we have.
std::optional<Item> next_item(std::string_view& list) {
    while (!list.empty()) {
        std::string_view part = next_part(list, ',');
        Item item{.name = next_part(part, ';')};
        bool good = !item.name.empty();
        while (!part.empty()) {
            const std::string_view parameter = next_part(part, ';');
            if (parameter.size() >= 2 && lower(parameter[0]) == 'q' && parameter[1] == '=') {
                const auto q = parse_q(parameter.substr(2));
                good = good && q.has_value();
                item.q = q.value_or(0);
            }
        }
        if (good) {
            return item;
        }
    }
    return std::nullopt;
}

// How closely a range names a type: 3 text/csv, 2 text/*, 1 anything, 0 not at all.
unsigned closeness(std::string_view range, std::string_view type) {
    if (range == "*/*" || range == "*") {
        return 1;
    }
    if (range.ends_with("/*")) {
        return same(range.substr(0, range.size() - 1), type.substr(0, range.size() - 1)) ? 2 : 0;
    }
    return same(range, type) ? 3 : 0;
}

struct Liking {
    unsigned q = 0;
    unsigned closeness = 0;
    std::size_t place = 0; // of its range in the list

    // More is better.
    auto rank() const { return std::tuple(q, closeness, -static_cast<std::int64_t>(place)); }
};

Liking liking_of(std::string_view accept, std::string_view type) {
    Liking best;
    std::size_t place = 0;
    while (const auto item = next_item(accept)) {
        const unsigned close = closeness(item->name, type);
        if (close > best.closeness) {
            best = {item->q, close, place};
        }
        ++place;
    }
    return best;
}

std::string_view opaque(std::string_view tag) {
    return tag.starts_with("W/") ? tag.substr(2) : tag;
}

} // namespace

std::optional<std::size_t> choose_type(std::string_view accept, std::span<const std::string_view> offered) {
    std::optional<std::size_t> best;
    Liking most;
    for (std::size_t i = 0; i < offered.size(); ++i) {
        const Liking liking = liking_of(accept, offered[i]);
        if (liking.q > 0 && (!best || liking.rank() > most.rank())) {
            best = i;
            most = liking;
        }
    }
    return best;
}

bool wants_gzip(std::string_view accept_encoding) {
    std::optional<unsigned> gzip;
    std::optional<unsigned> any;
    std::optional<unsigned> identity;
    while (const auto item = next_item(accept_encoding)) {
        if (same(item->name, "gzip") || same(item->name, "x-gzip")) {
            gzip = item->q;
        } else if (item->name == "*") {
            any = item->q;
        } else if (same(item->name, "identity")) {
            identity = item->q;
        }
    }
    const unsigned q = gzip ? *gzip : any.value_or(0);
    return q > 0 && q >= identity.value_or(0);
}

bool names_tag(std::string_view if_none_match, std::string_view tag) {
    while (!if_none_match.empty()) {
        const std::string_view one = next_part(if_none_match, ',');
        if (one == "*" || (!one.empty() && opaque(one) == opaque(tag))) {
            return true;
        }
    }
    return false;
}

} // namespace tocsin::ipc::http
