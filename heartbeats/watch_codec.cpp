// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/watch_codec.hpp"

#include "core/limits.hpp"

#include <concepts>
#include <type_traits>

namespace tocsin::heartbeats {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63U;
constexpr std::size_t scid_bytes = 8;
constexpr std::uint8_t configured_flag = 1U << 0U;
constexpr std::uint8_t resting_flag = 1U << 1U;

template <std::unsigned_integral T> void put(std::string& out, T value) {
    const std::uint64_t bits = value;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        out += static_cast<char>((bits >> (8 * i)) & 0xFFU);
    }
}

void put_signed(std::string& out, std::int64_t value) {
    put(out, static_cast<std::uint64_t>(value));
}

void put_text(std::string& out, std::string_view text) {
    put(out, static_cast<std::uint16_t>(text.size()));
    out += text;
}

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    template <std::unsigned_integral T> T number() {
        if (bytes_.size() < sizeof(T)) {
            return stop<T>();
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[i])) << (8 * i);
        }
        bytes_.remove_prefix(sizeof(T));
        return static_cast<T>(value);
    }

    std::int64_t signed_number() { return static_cast<std::int64_t>(number<std::uint64_t>()); }

    std::string text(std::size_t max) {
        const std::size_t size = number<std::uint16_t>();
        if (size > max || size > bytes_.size()) {
            return stop<std::string>();
        }
        std::string result(bytes_.substr(0, size));
        bytes_.remove_prefix(size);
        return result;
    }

    bool complete() const { return good_ && bytes_.empty(); }

private:
    template <typename T> T stop() {
        good_ = false;
        bytes_ = {};
        return T{};
    }

    std::string_view bytes_;
    bool good_ = true;
};

std::unexpected<Error> damaged(std::string_view what) {
    return fail(Code::unavailable, "heartbeats", "watches", "the " + std::string(what) + " of a row is damaged");
}

std::uint8_t flags_of(const Watch& watch) {
    const unsigned flags = (watch.configured ? configured_flag : 0U) | (watch.resting ? resting_flag : 0U);
    return static_cast<std::uint8_t>(flags);
}

bool plausible(const Watch& watch) {
    return watch.interval_us >= 0 && watch.interval_us <= limits::interval_us_max && watch.grace_us >= 0 &&
           watch.grace_us <= limits::interval_us_max && watch.last_us >= 0 && watch.deadline_us >= 0;
}

} // namespace

std::string encode_key(const WatchKey& key) {
    std::string bytes = key.source;
    bytes += '\0';
    const std::uint64_t scid = static_cast<std::uint64_t>(key.scid) ^ sign_bit;
    for (unsigned shift = 64; shift > 0; shift -= 8) {
        bytes += static_cast<char>((scid >> (shift - 8)) & 0xFFU);
    }
    return bytes;
}

Result<WatchKey> decode_key(std::string_view bytes) {
    const std::size_t end = bytes.find('\0');
    if (end == std::string_view::npos || end == 0 || end > limits::name_bytes || bytes.size() != end + 1 + scid_bytes) {
        return damaged("key");
    }
    std::uint64_t scid = 0;
    for (const char byte : bytes.substr(end + 1)) {
        scid = scid << 8U | static_cast<unsigned char>(byte);
    }
    return WatchKey{std::string(bytes.substr(0, end)), static_cast<std::int64_t>(scid ^ sign_bit)};
}

std::string encode_watch(const Watch& watch) {
    std::string bytes;
    put(bytes, version);
    put(bytes, static_cast<std::uint8_t>(watch.state));
    put(bytes, flags_of(watch));
    put_signed(bytes, watch.last_us);
    put_signed(bytes, watch.deadline_us);
    put_signed(bytes, watch.interval_us);
    put_signed(bytes, watch.grace_us);
    put(bytes, watch.misses);
    put_text(bytes, watch.status);
    put_text(bytes, watch.run);
    return bytes;
}

Result<Watch> decode_watch(std::string_view key, std::string_view value) {
    Result<WatchKey> watch_key = decode_key(key);
    if (!watch_key) {
        return std::unexpected(std::move(watch_key.error()));
    }
    Reader reader(value);
    if (reader.number<std::uint8_t>() != version) {
        return damaged("version");
    }
    Watch watch;
    watch.key = std::move(*watch_key);
    const std::uint8_t state = reader.number<std::uint8_t>();
    const std::uint8_t flags = reader.number<std::uint8_t>();
    watch.last_us = reader.signed_number();
    watch.deadline_us = reader.signed_number();
    watch.interval_us = reader.signed_number();
    watch.grace_us = reader.signed_number();
    watch.misses = reader.number<std::uint64_t>();
    watch.status = reader.text(limits::status_bytes);
    watch.run = reader.text(limits::run_bytes);
    if (!reader.complete() || state > static_cast<std::uint8_t>(WatchState::paused) ||
        flags > (configured_flag | resting_flag) || !plausible(watch)) {
        return damaged("value");
    }
    watch.state = static_cast<WatchState>(state);
    watch.configured = (flags & configured_flag) != 0;
    watch.resting = (flags & resting_flag) != 0;
    return watch;
}

} // namespace tocsin::heartbeats
