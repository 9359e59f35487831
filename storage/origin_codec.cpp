// SPDX-License-Identifier: Apache-2.0
#include "storage/origin_codec.hpp"

#include "storage/bytes.hpp"

#include <limits>

namespace tocsin::storage {

namespace {
namespace origin_bits {
constexpr std::uint8_t uid = 1;
constexpr std::uint8_t gid = 2;
constexpr std::uint8_t pid = 4;
constexpr std::uint8_t known = 7;
} // namespace origin_bits
} // namespace

void encode_origin(std::string& out, const Origin& origin) {
    const unsigned set = (origin.uid ? origin_bits::uid : 0U) | (origin.gid ? origin_bits::gid : 0U) |
                         (origin.pid ? origin_bits::pid : 0U);
    out += static_cast<char>(set);
    for (const auto& number : {origin.uid, origin.gid, origin.pid}) {
        if (number) {
            put_varint(out, *number);
        }
    }
    put_string(out, origin.transport);
    put_string(out, origin.unit);
    put_string(out, origin.executable);
}

bool decode_origin(std::string_view bytes, Origin& origin) {
    ByteReader in(bytes);
    const auto set = in.fixed<std::uint8_t>();
    bool fits = (set & ~origin_bits::known) == 0;
    const auto number = [&in, &fits](bool there, std::optional<std::uint32_t>& out) {
        out.reset();
        if (there) {
            const std::uint64_t value = in.varint();
            fits = fits && value <= std::numeric_limits<std::uint32_t>::max();
            out = static_cast<std::uint32_t>(value);
        }
    };
    number((set & origin_bits::uid) != 0, origin.uid);
    number((set & origin_bits::gid) != 0, origin.gid);
    number((set & origin_bits::pid) != 0, origin.pid);
    origin.transport = in.string();
    origin.unit = in.string();
    origin.executable = in.string();
    return fits && in.done();
}

} // namespace tocsin::storage
