// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/list_query.hpp"

#include "core/hash.hpp"
#include "core/limits.hpp"
#include "core/nearest.hpp"
#include "heartbeats/watch_codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tocsin::heartbeats {
namespace {

constexpr std::array<std::string_view, 3> keys{"source", "scid", "state"};
constexpr std::size_t cursor_head_bytes = 16; // checksum, hash of the query
constexpr std::size_t cursor_bytes_max = cursor_head_bytes + limits::name_bytes + 1 + 8;
constexpr std::string_view digits = "0123456789abcdef";

std::unexpected<Error> refuse(std::string_view key, std::string reason) {
    return fail(Code::invalid_argument, "heartbeats", std::string(key.substr(0, limits::name_bytes)),
                std::move(reason));
}

template <typename T> bool any_of(const std::vector<T>& values, const T& value) {
    return values.empty() || std::ranges::find(values, value) != values.end();
}

template <typename T> void make_set(std::vector<T>& values) {
    std::ranges::sort(values);
    const auto repeated = std::ranges::unique(values);
    values.erase(repeated.begin(), repeated.end());
}

Result<void> add(ListQuery& query, std::string_view key, const std::string& value) {
    if (key == "source") {
        query.sources.push_back(value);
        return {};
    }
    if (key == "scid") {
        std::int64_t scid = 0;
        const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), scid);
        if (failure != std::errc() || end != value.data() + value.size()) {
            return refuse(key, "\"" + value.substr(0, 64) + "\" is not an integer of 64 bits");
        }
        query.scids.push_back(scid);
        return {};
    }
    const std::optional<WatchState> state = watch_state_from(value);
    if (!state) {
        return refuse(key, "\"" + value.substr(0, 64) + "\" is not one of new, up, late, down, started, paused");
    }
    query.states.push_back(*state);
    return {};
}

void append_number(std::string& bytes, std::uint64_t value) {
    for (unsigned i = 0; i < 8; ++i) {
        bytes += static_cast<char>((value >> (8 * i)) & 0xFFU);
    }
}

std::string from_hex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        const std::size_t high = digits.find(text[i]);
        const std::size_t low = digits.find(text[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) {
            return {};
        }
        bytes += static_cast<char>(high << 4U | low);
    }
    return bytes;
}

// query hash and row key, behind their checksum
std::string sealed(std::uint64_t query_hash, std::string_view row_key) {
    std::string body;
    append_number(body, query_hash);
    body += row_key;
    std::string bytes;
    append_number(bytes, hash64(body));
    return bytes + body;
}

} // namespace

bool ListQuery::matches(const Watch& watch) const {
    return any_of(sources, watch.key.source) && any_of(scids, watch.key.scid) && any_of(states, watch.state);
}

std::uint64_t ListQuery::hash() const {
    std::uint64_t hash = hash64("watches");
    for (const std::string& source : sources) {
        hash = hash_mix(hash, hash64(source, 1));
    }
    for (const std::int64_t scid : scids) {
        hash = hash_mix(hash, hash64(std::to_string(scid), 2));
    }
    for (const WatchState state : states) {
        hash = hash_mix(hash, hash64(to_string(state), 3));
    }
    return hash;
}

Result<ListQuery> parse_query(const ListFilter& filter) {
    ListQuery query;
    for (const auto& [key, values] : filter) {
        if (std::ranges::find(keys, key) == keys.end()) {
            return refuse(key, "is not a key of this list" + suggestion(key, keys) + " (keys: source, scid, state)");
        }
        if (values.size() > limits::filter_values) {
            return refuse(key, "has more than " + std::to_string(limits::filter_values) + " values");
        }
        for (const std::string& value : values) {
            if (Result<void> added = add(query, key, value); !added) {
                return std::unexpected(std::move(added.error()));
            }
        }
    }
    make_set(query.sources);
    make_set(query.scids);
    make_set(query.states);
    return query;
}

std::string encode_cursor(const ListQuery& query, const WatchKey& last) {
    std::string text;
    for (const char byte : sealed(query.hash(), encode_key(last))) {
        text += digits[static_cast<unsigned char>(byte) >> 4U];
        text += digits[static_cast<unsigned char>(byte) & 0xFU];
    }
    return text;
}

Result<WatchKey> decode_cursor(const ListQuery& query, std::string_view text) {
    if (text.size() <= 2 * cursor_head_bytes || text.size() > 2 * cursor_bytes_max || text.size() % 2 != 0) {
        return refuse("cursor", "is not a cursor of this list; start again without one");
    }
    const std::string bytes = from_hex(text);
    const std::string_view row_key = std::string_view(bytes).substr(std::min(bytes.size(), cursor_head_bytes));
    Result<WatchKey> key = decode_key(row_key);
    if (!key) {
        return refuse("cursor", "is not a cursor of this list; start again without one");
    }
    if (bytes != sealed(query.hash(), row_key)) {
        return refuse("cursor",
                      "belongs to another filter; repeat the filter of the first page, or start again without one");
    }
    return key;
}

} // namespace tocsin::heartbeats
