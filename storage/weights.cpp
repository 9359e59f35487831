// SPDX-License-Identifier: Apache-2.0
#include "storage/weights.hpp"

#include "storage/keys.hpp"

#include <string>

namespace tocsin::storage {

namespace {
constexpr std::size_t pair_bytes_max = 5 + 5;
constexpr std::size_t part_bytes = sealed_part_bytes - sealed_head_bytes - pair_bytes_max;
} // namespace

void put_weights(std::uint64_t block, std::span<const std::uint32_t> counts, std::vector<SealedRow>& out) {
    std::string body;
    std::uint32_t first = 0; // of the value
    std::uint32_t last = 0;
    const auto finish = [&body, &out, &first, block] {
        if (!body.empty()) {
            out.push_back(seal_row(Tree::sealed, sealed_key::weights(block, first), body));
            body.clear();
        }
    };
    for (std::uint32_t row = 0; row < counts.size(); ++row) {
        if (counts[row] == 1) {
            continue;
        }
        if (body.size() > part_bytes) {
            finish();
        }
        if (body.empty()) {
            first = last = row;
        }
        put_varint(body, row - last);
        put_varint(body, counts[row]);
        last = row;
    }
    finish();
}

Result<Weights> read_weights(const Txn& txn, std::uint64_t block) {
    Weights out;
    Cursor cursor(txn, Tree::sealed);
    const std::string prefix = sealed_key::weights(block, 0).substr(0, sizeof(block) + 1);
    auto found = cursor.at_or_after(prefix);
    for (; found && *found && (*found)->key.starts_with(prefix); found = cursor.next()) {
        const auto opened = open_sealed((*found)->key, (*found)->value);
        if (!opened) {
            return std::unexpected(opened.error());
        }
        std::uint64_t row = ByteReader((*found)->key.substr(prefix.size())).fixed<std::uint32_t>();
        ByteReader in(opened->checked);
        while (in.ok() && !in.done()) {
            row += in.varint();
            out.emplace_back(static_cast<std::uint32_t>(row), in.varint());
        }
        if (!in.ok()) {
            return sealed_damaged((*found)->key, "counts");
        }
    }
    return found ? Result<Weights>(std::move(out)) : std::unexpected(found.error());
}

} // namespace tocsin::storage
