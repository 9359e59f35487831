// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/target.hpp"

#include "core/event.hpp"
#include "ipc/http/problem.hpp"

#include <optional>

namespace tocsin::ipc::http {
namespace {

constexpr std::size_t segments_max = 16;
constexpr std::size_t parameters_max = 1'000;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return std::nullopt;
            }
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += plus_is_space && text[i] == '+' ? ' ' : text[i];
        }
    }
    if (out.find('\0') != std::string::npos || !valid_utf8(out)) {
        return std::nullopt;
    }
    return out;
}

std::unexpected<Error> undecodable(std::string_view what) {
    return std::unexpected(bad_request(what, "is not valid: % must be followed by two hexadecimal digits, and the "
                                             "decoded text must be UTF-8 without U+0000"));
}

Result<void> read_path(std::string_view path, Target& target) {
    path.remove_prefix(1);
    if (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    while (!path.empty()) {
        const std::size_t end = path.find('/');
        auto segment = decode(path.substr(0, end), false);
        if (!segment) {
            return undecodable("path");
        }
        if (target.segments.size() == segments_max) {
            return std::unexpected(bad_request("path", "has too many segments"));
        }
        target.segments.push_back(std::move(*segment));
        if (end == std::string_view::npos) {
            break;
        }
        path.remove_prefix(end + 1);
        if (path.empty()) {
            target.segments.emplace_back(); // "//" at the end: an empty segment, which no route has
        }
    }
    return {};
}

Result<void> read_query(std::string_view query, Target& target) {
    while (!query.empty()) {
        const std::size_t end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        if (pair.empty()) {
            continue;
        }
        const std::size_t equals = pair.find('=');
        auto key = decode(pair.substr(0, equals), true);
        auto value = decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true);
        if (!key || !value) {
            return undecodable("query");
        }
        if (target.parameters.size() == parameters_max) {
            return std::unexpected(bad_request("query", "has too many parameters"));
        }
        target.parameters.emplace_back(std::move(*key), std::move(*value));
    }
    return {};
}

} // namespace

Result<Target> parse_target(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.starts_with(scheme)) {
            const std::size_t path = target.find_first_of("/?", scheme.size());
            target = path == std::string_view::npos ? "/" : target.substr(path);
        }
    }
    target = target.substr(0, target.find('#'));
    const std::size_t mark = target.find('?');
    const std::string_view path = target.substr(0, mark);
    if (!path.starts_with('/')) {
        return std::unexpected(bad_request("target", "must be a path that begins with /"));
    }
    Target parsed;
    if (auto read = read_path(path, parsed); !read) {
        return std::unexpected(read.error());
    }
    if (mark != std::string_view::npos) {
        if (auto read = read_query(target.substr(mark + 1), parsed); !read) {
            return std::unexpected(read.error());
        }
    }
    return parsed;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size() + 8);
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        }
    }
    return out;
}

} // namespace tocsin::ipc::http
