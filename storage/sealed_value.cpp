// SPDX-License-Identifier: Apache-2.0
#include "storage/sealed_value.hpp"

#include "core/hash.hpp"
#include "storage/bytes.hpp"

#include <utility>

namespace tocsin::storage {

namespace {
constexpr std::uint8_t sealed_version = 1;

std::uint64_t checksum(std::string_view key, std::string_view head, std::string_view checked) {
    return hash64(checked, hash_mix(hash64(key), hash64(head)));
}
} // namespace

SealedRow seal_row(Tree tree, std::string key, std::string_view checked, std::string_view rest) {
    SealedRow row{.tree = tree, .key = std::move(key)};
    row.value.reserve(sealed_head_bytes + checked.size() + rest.size());
    put_fixed(row.value, sealed_version);
    put_fixed(row.value, static_cast<std::uint16_t>(checked.size()));
    put_fixed(row.value, checksum(row.key, row.value, checked));
    row.value += checked;
    row.value += rest;
    return row;
}

Result<OpenedValue> open_sealed(std::string_view key, std::string_view value) {
    ByteReader in(value);
    const auto version = in.fixed<std::uint8_t>();
    const auto size = in.fixed<std::uint16_t>();
    const auto sum = in.fixed<std::uint64_t>();
    OpenedValue out;
    out.checked = in.bytes(size);
    out.rest = in.bytes(in.left());
    if (in.ok() && version != sealed_version) {
        return fail(Code::unavailable, "read", "sealed block " + std::to_string(ByteReader(key).fixed<std::uint64_t>()),
                    "format " + std::to_string(version) +
                        " is not known to this version; run the version that wrote it, or restore a backup");
    }
    if (!in.ok() || checksum(key, value.substr(0, 3), out.checked) != sum) {
        return sealed_damaged(key, "checksum");
    }
    return out;
}

std::unexpected<Error> sealed_damaged(std::string_view key, std::string_view what) {
    return fail(Code::unavailable, "read", "sealed block " + std::to_string(ByteReader(key).fixed<std::uint64_t>()),
                std::string(what) + " is damaged; restore a backup");
}

} // namespace tocsin::storage
