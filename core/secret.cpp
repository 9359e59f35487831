// SPDX-License-Identifier: Apache-2.0
#include "core/secret.hpp"

#include "core/error.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <sys/random.h>

namespace tocsin {

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::string_view digits = "0123456789abcdef";

} // namespace

std::string new_secret() {
    std::array<unsigned char, secret_bytes> bytes{};
    ssize_t got = -1;
    do { // up to 256 bytes come whole
        got = ::getrandom(bytes.data(), bytes.size(), 0);
    } while (got < 0 && errno == EINTR);
    if (got != static_cast<ssize_t>(bytes.size())) {
        fatal("the kernel gives no random numbers");
    }
    std::string text;
    for (const unsigned char byte : bytes) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

bool is_secret(std::string_view text) {
    return text.size() == 2 * secret_bytes && text.find_first_not_of(digits) == std::string_view::npos;
}

bool same_secret(std::string_view one, std::string_view other) {
    if (one.empty() || one.size() != other.size()) {
        return false;
    }
    volatile unsigned char difference = 0; // volatile: no compiler may stop early
    for (std::size_t i = 0; i < one.size(); ++i) {
        difference = static_cast<unsigned char>(
            difference | (static_cast<unsigned char>(one[i]) ^ static_cast<unsigned char>(other[i])));
    }
    return difference == 0;
}

} // namespace tocsin
