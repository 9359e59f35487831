// SPDX-License-Identifier: Apache-2.0
#include "core/expression_lexer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tocsin::expression {
namespace {

constexpr std::array<std::string_view, 7> keywords{"and", "or", "not", "in", "glob", "true", "false"};
constexpr std::array<std::string_view, 6> two_byte_symbols{"==", "!=", "<=", ">=", "&&", "||"};
constexpr std::string_view one_byte_symbols = "<>~()[],=!";

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool starts_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool in_word(char c) {
    return starts_word(c) || is_digit(c);
}
bool in_key(char c) {
    return in_word(c) || c == '-' || static_cast<unsigned char>(c) >= 0x80;
}

} // namespace

std::unexpected<Error> syntax_error(std::size_t column, std::string reason) {
    return fail(Code::invalid_argument, "filter", "where",
                "column " + std::to_string(column) + ": " + std::move(reason));
}

Token Lexer::token(TokenKind kind, std::size_t begin) const {
    Token token;
    token.kind = kind;
    token.column = begin + 1;
    token.text = text_.substr(begin, at_ - begin);
    return token;
}

Result<Token> Lexer::next() {
    while (is_space(peek())) {
        ++at_;
    }
    if (at_ >= text_.size()) {
        return token(TokenKind::end, at_);
    }
    const char c = peek();
    if (starts_word(c)) {
        return word();
    }
    if (is_digit(c) || (c == '-' && is_digit(peek(1)))) {
        return number();
    }
    if (c == '"' || c == '\'') {
        return quoted();
    }
    return symbol();
}

Result<Token> Lexer::word() {
    const std::size_t begin = at_;
    while (in_word(peek())) {
        ++at_;
    }
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (std::ranges::find(keywords, name) != keywords.end()) {
        return token(TokenKind::word, begin);
    }
    std::vector<std::string> keys{std::string(name)};
    if (Result<void> read = path(keys); !read) {
        return std::unexpected(std::move(read.error()));
    }
    Token field = token(TokenKind::field, begin);
    field.path = std::move(keys);
    return field;
}

// .key and ["key"], as often as they come
Result<void> Lexer::path(std::vector<std::string>& path) {
    while (peek() == '.' || peek() == '[') {
        if (peek() == '.') {
            const std::size_t begin = ++at_;
            while (in_key(peek())) {
                ++at_;
            }
            if (at_ == begin) {
                return syntax_error(at_ + 1, "expected a key after the dot; write [\"…\"] around odd ones");
            }
            path.emplace_back(text_.substr(begin, at_ - begin));
            continue;
        }
        ++at_;
        if (peek() != '"' && peek() != '\'') {
            return syntax_error(at_ + 1, "expected a key in quotes after [");
        }
        Result<std::string> key = quoted_text();
        if (!key) {
            return std::unexpected(std::move(key.error()));
        }
        if (peek() != ']') {
            return syntax_error(at_ + 1, "expected ] after the key");
        }
        ++at_;
        path.push_back(std::move(*key));
    }
    return {};
}

Result<Token> Lexer::number() {
    const std::size_t begin = at_;
    bool real = false;
    ++at_;
    while (in_word(peek()) || peek() == '.' || ((peek() == '-' || peek() == '+') && (text_[at_ - 1] | 0x20) == 'e')) {
        real = real || !is_digit(peek());
        ++at_;
    }
    Token result = token(TokenKind::number, begin);
    const char* first = result.text.data();
    const char* last = first + result.text.size();
    std::from_chars_result read{};
    if (real) {
        read = std::from_chars(first, last, result.value.emplace<double>());
    } else {
        read = std::from_chars(first, last, result.value.emplace<std::int64_t>());
        if (read.ec == std::errc::result_out_of_range) {
            read = std::from_chars(first, last, result.value.emplace<std::uint64_t>());
        }
    }
    if (read.ec != std::errc() || read.ptr != last) {
        return syntax_error(begin + 1, "\"" + std::string(result.text.substr(0, 64)) + "\" is not a number of 64 bits");
    }
    return result;
}

Result<Token> Lexer::quoted() {
    const std::size_t begin = at_;
    Result<std::string> text = quoted_text();
    if (!text) {
        return std::unexpected(std::move(text.error()));
    }
    Token result = token(TokenKind::text, begin);
    result.value = std::move(*text);
    return result;
}

// The backslash escapes the quotes, itself, n, r and t; before anything else it stays, so that "\d+" and "\\d+" are
// one.
Result<std::string> Lexer::quoted_text() {
    const std::size_t begin = at_;
    const char quote = text_[at_++];
    std::string text;
    while (at_ < text_.size() && peek() != quote) {
        char c = text_[at_++];
        if (c == '\\' && at_ < text_.size()) {
            constexpr std::string_view escapes = "\"'\\nrt";
            constexpr std::string_view meanings = "\"'\\\n\r\t";
            const std::size_t found = escapes.find(peek());
            if (found != std::string_view::npos) {
                c = meanings[found];
                ++at_;
            }
        }
        text += c;
    }
    if (at_ >= text_.size()) {
        return syntax_error(begin + 1, "the string that begins here has no end");
    }
    ++at_;
    return text;
}

Result<Token> Lexer::symbol() {
    const std::size_t begin = at_;
    const std::string_view two = text_.substr(at_, 2);
    if (std::ranges::find(two_byte_symbols, two) != two_byte_symbols.end()) {
        at_ += 2;
    } else if (one_byte_symbols.find(peek()) != std::string_view::npos) {
        at_ += 1;
    } else {
        return syntax_error(begin + 1, "unexpected character");
    }
    Token result = token(TokenKind::symbol, begin);
    if (result.text == "=") {
        return syntax_error(result.column, "write == to compare");
    }
    if (result.text == "&&" || result.text == "||" || result.text == "!") {
        return syntax_error(result.column, "write and, or, not in words");
    }
    return result;
}

} // namespace tocsin::expression
