// SPDX-License-Identifier: Apache-2.0
// Numbers and strings to bytes and back, little-endian, strings with a 32-bit length: what rows and packets are made
// of. A reader that ran past the end, or met a string over its bound, stays failed and gives zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::jobs {

class ByteWriter {
public:
    explicit ByteWriter(std::string& out) : out_(out) {}
    void u8(std::uint8_t value);
    void u32(std::uint32_t value);
    void u64(std::uint64_t value);
    void i64(std::int64_t value) { u64(static_cast<std::uint64_t>(value)); }
    void text(std::string_view value);

private:
    std::string& out_;
};

class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }
    std::int64_t i64() { return static_cast<std::int64_t>(number(8)); }
    std::string text(std::size_t bytes_max);
    // True where everything was read, to the last byte.
    bool complete() const { return ok_ && rest_.empty(); }

private:
    std::uint64_t number(std::size_t bytes);
    std::string_view rest_;
    bool ok_ = true;
};

} // namespace tocsin::jobs
