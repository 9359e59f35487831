// SPDX-License-Identifier: Apache-2.0
// Words of the filter language. A token keeps the column (1-based, in bytes) where it begins, for messages; a field is
// one token with its whole path (payload.user.name, payload["odd key"]). Bounded by limits::where_bytes through its
// caller.
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tocsin::expression {

enum class TokenKind : std::uint8_t { end, word, field, text, number, symbol };

// A literal of the language; also what a field's value is compared with.
using Literal = std::variant<bool, std::int64_t, std::uint64_t, double, std::string>;

struct Token {
    TokenKind kind = TokenKind::end;
    std::size_t column = 1;
    std::string_view text{};         // as written
    std::vector<std::string> path{}; // of a field: its name, then keys below it
    Literal value = false;           // of text and number
};

class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}
    Result<Token> next();

private:
    Result<Token> word();
    Result<void> path(std::vector<std::string>& path);
    Result<Token> number();
    Result<Token> quoted();
    Result<std::string> quoted_text();
    Result<Token> symbol();
    Token token(TokenKind kind, std::size_t begin) const;
    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

    std::string_view text_;
    std::size_t at_ = 0;
};

// "column 7: …" as invalid_argument.
std::unexpected<Error> syntax_error(std::size_t column, std::string reason);

} // namespace tocsin::expression
