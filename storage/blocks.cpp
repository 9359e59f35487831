// SPDX-License-Identifier: Apache-2.0
#include "storage/blocks.hpp"

#include "storage/bytes.hpp"
#include "storage/keys.hpp"

namespace tocsin::storage {

namespace {
constexpr std::uint8_t block_version = 1;
}

std::string encode_block(const BlockSummary& block) {
    std::string out(1, static_cast<char>(block_version));
    put_varint(out, block.last);
    put_varint(out, block.events);
    put_zigzag(out, block.min_event_us);
    put_zigzag(out, block.max_event_us);
    put_zigzag(out, block.min_received_us);
    put_zigzag(out, block.max_received_us);
    put_varint(out, block.keys);
    return out;
}

Result<BlockSummary> decode_block(std::string_view key, std::string_view value) {
    const auto first = read_fixed<std::uint64_t>(key);
    ByteReader in(value);
    const auto version = in.fixed<std::uint8_t>();
    BlockSummary block;
    block.first = first.value_or(0);
    block.last = in.varint();
    block.events = in.varint();
    block.min_event_us = in.zigzag();
    block.max_event_us = in.zigzag();
    block.min_received_us = in.zigzag();
    block.max_received_us = in.zigzag();
    block.keys = in.varint();
    if (!first || version != block_version || !in.done() || block.last < block.first) {
        return fail(Code::unavailable, "read", "block " + std::to_string(block.first),
                    "its summary is damaged; restore a backup");
    }
    return block;
}

} // namespace tocsin::storage
