// SPDX-License-Identifier: Apache-2.0
// A page cursor on the wire: 39 bytes (version, four little-endian numbers, six bytes of checksum) as 52 characters of
// base64url.
#include "core/filter.hpp"

#include "core/hash.hpp"

#include <array>

namespace tocsin {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t version = 1;
constexpr std::size_t checksum_bytes = 6;
constexpr std::size_t body_bytes = 1 + 4 * 8;
constexpr std::size_t raw_bytes = body_bytes + checksum_bytes;
constexpr std::size_t text_bytes = raw_bytes / 3 * 4;
static_assert(raw_bytes % 3 == 0, "no padding");

using Raw = std::array<std::uint8_t, raw_bytes>;

void put(Raw& raw, std::size_t at, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) {
        raw.at(at + i) = static_cast<std::uint8_t>(value >> (8 * i));
    }
}

std::uint64_t get(const Raw& raw, std::size_t at, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
        value |= static_cast<std::uint64_t>(raw.at(at + i)) << (8 * i);
    }
    return value;
}

std::uint64_t checksum(const Raw& raw) {
    const std::string body(raw.begin(), raw.begin() + body_bytes);
    return hash64(body) & ((std::uint64_t{1} << (8 * checksum_bytes)) - 1);
}

std::optional<Raw> from_text(std::string_view text) {
    if (text.size() != text_bytes) {
        return std::nullopt;
    }
    Raw raw{};
    for (std::size_t group = 0; group < raw_bytes / 3; ++group) {
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::size_t digit = alphabet.find(text[group * 4 + i]);
            if (digit == std::string_view::npos) {
                return std::nullopt;
            }
            bits = bits << 6U | static_cast<std::uint32_t>(digit);
        }
        for (std::size_t i = 0; i < 3; ++i) {
            raw.at(group * 3 + i) = static_cast<std::uint8_t>(bits >> (8 * (2 - i)));
        }
    }
    return raw;
}

} // namespace

std::string PageCursor::encode() const {
    Raw raw{};
    raw[0] = version;
    put(raw, 1, static_cast<std::uint64_t>(time_us), 8);
    put(raw, 9, index, 8);
    put(raw, 17, snapshot, 8);
    put(raw, 25, filter_hash, 8);
    put(raw, body_bytes, checksum(raw), checksum_bytes);
    std::string text;
    text.reserve(text_bytes);
    for (std::size_t at = 0; at < raw_bytes; at += 3) {
        const std::uint32_t bits = static_cast<std::uint32_t>(raw.at(at)) << 16U |
                                   static_cast<std::uint32_t>(raw.at(at + 1)) << 8U | raw.at(at + 2);
        for (unsigned shift = 24; shift > 0; shift -= 6) {
            text += alphabet[(bits >> (shift - 6)) & 0x3FU];
        }
    }
    return text;
}

Result<PageCursor> PageCursor::decode(std::string_view text, std::uint64_t filter_hash) {
    const std::optional<Raw> raw = from_text(text);
    if (!raw || (*raw)[0] != version || get(*raw, body_bytes, checksum_bytes) != checksum(*raw)) {
        return fail(Code::invalid_argument, "query", "cursor",
                    "is not a cursor of this service; start again without one");
    }
    PageCursor cursor;
    cursor.time_us = static_cast<std::int64_t>(get(*raw, 1, 8));
    cursor.index = get(*raw, 9, 8);
    cursor.snapshot = get(*raw, 17, 8);
    cursor.filter_hash = get(*raw, 25, 8);
    if (cursor.filter_hash != filter_hash) {
        return fail(
            Code::invalid_argument, "query", "cursor",
            "belongs to another filter or order; repeat the filter of the first page, or start again without a cursor");
    }
    return cursor;
}

} // namespace tocsin
