// SPDX-License-Identifier: Apache-2.0
#include "storage/blocks.hpp"

#include "storage/bytes.hpp"
#include "storage/keys.hpp"

namespace tocsin::storage {

namespace {
constexpr std::uint8_t block_version = 2;
constexpr std::uint8_t block_version_whole = 1; // nothing could expire then

void decode_rest(ByteReader& in, BlockSummary& block) {
    for (std::uint64_t& events : block.by_severity) {
        events = in.varint();
    }
    block.removed = in.varint();
    block.alive = block.first + in.varint();
    const std::uint64_t holdings = in.varint();
    for (std::uint64_t i = 0; i < holdings && in.ok(); ++i) {
        const std::uint64_t uid = in.varint();
        Holding holding{.events = in.varint(), .bytes = in.varint()};
        if (uid != 0) {
            holding.uid = static_cast<std::uint32_t>(uid - 1);
        }
        block.holdings.push_back(holding);
    }
}
} // namespace

std::string encode_block(const BlockSummary& block) {
    std::string out(1, static_cast<char>(block_version));
    put_varint(out, block.last);
    put_varint(out, block.events);
    put_zigzag(out, block.min_event_us);
    put_zigzag(out, block.max_event_us);
    put_zigzag(out, block.min_received_us);
    put_zigzag(out, block.max_received_us);
    put_varint(out, block.keys);
    for (const std::uint64_t events : block.by_severity) {
        put_varint(out, events);
    }
    put_varint(out, block.removed);
    put_varint(out, block.alive - block.first);
    put_varint(out, block.holdings.size());
    for (const Holding& holding : block.holdings) {
        put_varint(out, holding.uid ? std::uint64_t{*holding.uid} + 1 : 0);
        put_varint(out, holding.events);
        put_varint(out, holding.bytes);
    }
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
    const bool known = version == block_version || version == block_version_whole;
    if (version == block_version_whole) {
        block.by_severity.fill(block.events);
        block.alive = block.first;
    } else if (known) {
        decode_rest(in, block);
    }
    if (!first || !known || !in.done() || block.last < block.first) {
        return fail(Code::unavailable, "read", "block " + std::to_string(block.first),
                    "its summary is damaged; restore a backup");
    }
    return block;
}

} // namespace tocsin::storage
