// SPDX-License-Identifier: Apache-2.0
#include "jobs/bytes.hpp"

namespace tocsin::jobs {

namespace {

void append_number(std::string& out, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) {
        out += static_cast<char>(value >> (8 * i) & 0xff);
    }
}

} // namespace

void ByteWriter::u8(std::uint8_t value) {
    append_number(out_, value, 1);
}
void ByteWriter::u32(std::uint32_t value) {
    append_number(out_, value, 4);
}
void ByteWriter::u64(std::uint64_t value) {
    append_number(out_, value, 8);
}

void ByteWriter::text(std::string_view value) {
    u32(static_cast<std::uint32_t>(value.size()));
    out_ += value;
}

std::uint64_t ByteReader::number(std::size_t bytes) {
    if (!ok_ || rest_.size() < bytes) {
        ok_ = false;
        return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
        value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
    }
    rest_.remove_prefix(bytes);
    return value;
}

std::string ByteReader::text(std::size_t bytes_max) {
    const std::size_t size = u32();
    if (!ok_ || size > bytes_max || size > rest_.size()) {
        ok_ = false;
        return {};
    }
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
}

} // namespace tocsin::jobs
