// SPDX-License-Identifier: Apache-2.0
#include "jobs/secret.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <sys/random.h>

namespace tocsin::jobs {

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::string_view digits = "0123456789abcdef";

bool is_digits(std::string_view text) {
    return text.size() == 2 * secret_bytes && text.find_first_not_of(digits) == std::string_view::npos;
}

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

std::string callback_token(std::uint64_t job_id, std::string_view secret) {
    return std::to_string(job_id) + '-' + std::string(secret);
}

std::string callback_address(std::string_view base, std::uint64_t job_id, std::string_view secret) {
    return std::string(base) + "/v1/callbacks/" + callback_token(job_id, secret);
}

std::optional<CallbackToken> read_callback_token(std::string_view text) {
    const std::size_t dash = std::min(text.find('-'), text.size());
    const std::string_view id = text.substr(0, dash);
    CallbackToken token;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), token.job_id);
    token.secret = text.substr(std::min(dash + 1, text.size()));
    const bool whole = error == std::errc{} && end == id.data() + id.size() && !id.empty() && id.front() != '0';
    return whole && is_digits(token.secret) ? std::optional(token) : std::nullopt;
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

} // namespace tocsin::jobs
