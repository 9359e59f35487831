// SPDX-License-Identifier: Apache-2.0
// Bytes on disk: varints (LEB128), zigzag, length-prefixed strings and big-endian numbers of fixed width. The reader is
// bounds checked: what does not fit sets a flag that never clears and yields zeros, so that a decoder checks once, at
// its end.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tocsin::storage {

template <typename T> T big_endian(T value) {
    if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) {
        return std::byteswap(value);
    }
    return value;
}

template <typename T> void put_fixed(std::string& out, T value) {
    const T wire = big_endian(value);
    char raw[sizeof(T)];
    std::memcpy(raw, &wire, sizeof(T));
    out.append(raw, sizeof(T));
}

inline constexpr std::size_t varint_bytes_max = 10;

// Where there is room for it; gives the end.
inline char* put_varint(char* at, std::uint64_t value) {
    while (value >= 0x80) {
        *at++ = static_cast<char>(value | 0x80);
        value >>= 7;
    }
    *at++ = static_cast<char>(value);
    return at;
}

inline void put_varint(std::string& out, std::uint64_t value) {
    char raw[varint_bytes_max];
    out.append(raw, static_cast<std::size_t>(put_varint(raw, value) - raw));
}

// Differences wrap, so that any pair of times can be stored.
inline std::int64_t minus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

inline std::int64_t plus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

inline std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

inline std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

inline void put_zigzag(std::string& out, std::int64_t value) {
    put_varint(out, zigzag(value));
}

inline char* put_zigzag(char* at, std::int64_t value) {
    return put_varint(at, zigzag(value));
}

inline void put_string(std::string& out, std::string_view text) {
    put_varint(out, text.size());
    out.append(text);
}

class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    bool ok() const { return ok_; }
    bool done() const { return ok_ && at_ == end_; }
    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

    template <typename T> T fixed() {
        T wire{};
        if (left() < sizeof(T)) {
            return broken<T>();
        }
        std::memcpy(&wire, at_, sizeof(T));
        at_ += sizeof(T);
        return big_endian(wire);
    }

    std::uint64_t varint() {
        if (at_ != end_ && (*at_ & 0x80) == 0) {
            return static_cast<std::uint8_t>(*at_++);
        }
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
            const auto byte = static_cast<std::uint8_t>(*at_++);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) {
                return shift == 63 && byte > 1 ? broken<std::uint64_t>() : value;
            }
        }
        return broken<std::uint64_t>();
    }

    std::int64_t zigzag() { return unzigzag(varint()); }

    std::string_view bytes(std::uint64_t size) {
        if (size > left()) {
            return broken<std::string_view>();
        }
        const std::string_view view(at_, static_cast<std::size_t>(size));
        at_ += view.size();
        return view;
    }

    std::string_view string() { return bytes(varint()); }

private:
    template <typename T> T broken() {
        ok_ = false;
        at_ = end_;
        return T{};
    }

    const char* at_;
    const char* end_;
    bool ok_ = true;
};

} // namespace tocsin::storage
