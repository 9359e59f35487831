// SPDX-License-Identifier: Apache-2.0
// What fuzz targets share: bytes taken one choice after the other, and a check that ends the run with a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace tocsin::fuzz {

// What must hold whatever the input is.
inline void expect(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "does not hold: %s\n", what);
        std::abort();
    }
}

class Bytes {
public:
    Bytes(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
    bool empty() const { return rest_.empty(); }
    // Zero behind the end.
    template <typename T> T number() {
        T value{};
        const std::size_t size = rest_.size() < sizeof value ? rest_.size() : sizeof value;
        std::memcpy(&value, rest_.data(), size);
        rest_.remove_prefix(size);
        return value;
    }
    std::uint8_t below(std::uint8_t bound) { return static_cast<std::uint8_t>(number<std::uint8_t>() % bound); }
    std::string_view text(std::size_t most) {
        const std::string_view taken = rest_.substr(0, most);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

} // namespace tocsin::fuzz
