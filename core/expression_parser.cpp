// SPDX-License-Identifier: Apache-2.0
// Recursive descent over the tokens, with bounds on bytes, nodes, depth and regular expressions.
//   or := and ("or" and)* · and := not ("and" not)* · not := "not" not | "(" or ")" | comparison
//   comparison := field (("==" "!=" "<" "<=" ">" ">=") value | "in" "[" value,… "]" | "~" string | "glob" string)
#include "core/expression_node.hpp"

#include "core/limits.hpp"
#include "core/nearest.hpp"
#include "core/time.hpp"

#include <re2/re2.h>

#include <array>
#include <utility>

namespace tocsin {
namespace expression {
namespace {

constexpr unsigned patterns_max = 16;                                // regular expressions of one expression
constexpr std::int64_t pattern_bytes_max = std::int64_t{512} * 1024; // memory of one, compiled

using Node = Expression::Node;
using NodeResult = Result<std::unique_ptr<Node>>;

struct Symbol {
    std::string_view text;
    Op op;
};

constexpr std::array symbols{
    Symbol{"==", Op::equal}, Symbol{"!=", Op::unequal},       Symbol{"<=", Op::less_equal},
    Symbol{"<", Op::less},   Symbol{">=", Op::greater_equal}, Symbol{">", Op::greater},
    Symbol{"in", Op::in},    Symbol{"~", Op::regex},          Symbol{"glob", Op::glob},
};

std::string shown(const Token& token) {
    return token.kind == TokenKind::end ? "the end" : "\"" + std::string(token.text.substr(0, 64)) + "\"";
}

std::unexpected<Error> expected(std::string_view what, const Token& found) {
    return syntax_error(found.column, "expected " + std::string(what) + ", found " + shown(found));
}

std::string kind_word(const Literal& value) {
    constexpr std::array<std::string_view, 5> words{"true or false", "an integer", "an integer", "a number",
                                                    "a string"};
    return std::string(words.at(value.index()));
}

Result<void> to_rank(Literal& value, std::size_t column) {
    const auto* name = std::get_if<std::string>(&value);
    const std::optional<Severity> severity = name == nullptr ? std::nullopt : severity_from(*name);
    if (!severity) {
        return syntax_error(column, "a severity is one of \"info\", \"warning\", \"error\", \"critical\"");
    }
    value = static_cast<std::int64_t>(*severity);
    return {};
}

Result<void> to_time(Literal& value, std::size_t column) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        value = time_us_from_integer(*number);
        return {};
    }
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
        return syntax_error(column, "a time is a string such as \"2026-01-02T03:00:04Z\", or an integer");
    }
    const Zone utc = Zone::utc();
    Result<std::int64_t> time = parse_time_us(*text, utc);
    if (!time) {
        return syntax_error(column, time.error().reason);
    }
    value = *time;
    return {};
}

Result<void> to_type(Literal& value, std::size_t column) {
    const auto* name = std::get_if<std::string>(&value);
    const std::optional<EventType> type = name == nullptr ? std::nullopt : event_type_from(*name);
    if (!type) {
        return syntax_error(column, "an event_type is \"standard\" or \"dataset\"");
    }
    value = std::string(to_string(*type));
    return {};
}

// Turns a literal into what the field's values look like; a mistake that could never match is told at once.
Result<void> adapt(const Field* field, Literal& value, std::size_t column) {
    const FieldKind kind = field == nullptr ? FieldKind::payload : field->kind;
    const bool is_text = std::holds_alternative<std::string>(value);
    switch (kind) {
    case FieldKind::payload:
        return {};
    case FieldKind::severity:
        return to_rank(value, column);
    case FieldKind::time:
        return to_time(value, column);
    case FieldKind::event_type:
        return to_type(value, column);
    case FieldKind::integer:
        if (is_text || std::holds_alternative<bool>(value)) {
            return syntax_error(column, std::string(field->name) + " is a number, not " + kind_word(value));
        }
        return {};
    case FieldKind::text:
    case FieldKind::environment:
        if (!is_text) {
            return syntax_error(column, std::string(field->name) + " is a string: write the value in quotes");
        }
        if (kind == FieldKind::environment) {
            value = std::string(canonical_environment(std::get<std::string>(value)));
        }
        return {};
    }
    fatal("a FieldKind that is none");
}

bool has_text(const Field* field) {
    return field == nullptr || field->kind == FieldKind::text || field->kind == FieldKind::environment ||
           field->kind == FieldKind::event_type;
}

class Parser {
public:
    explicit Parser(std::string_view text) : lexer_(text) {}

    NodeResult parse() {
        if (Result<void> read = advance(); !read) {
            return std::unexpected(std::move(read.error()));
        }
        NodeResult root = alternatives(0);
        if (root && token_.kind != TokenKind::end) {
            return expected("\"and\", \"or\" or the end", token_);
        }
        return root;
    }

private:
    NodeResult alternatives(unsigned depth) { return chain(depth, Node::Kind::any); }

    // Operands of "or" are chains of "and"; a chain of one is its operand.
    NodeResult chain(unsigned depth, Node::Kind kind) {
        const bool is_or = kind == Node::Kind::any;
        NodeResult first = is_or ? chain(depth, Node::Kind::all) : operand(depth);
        if (!first || !is_word(is_or ? "or" : "and")) {
            return first;
        }
        NodeResult node = make(kind);
        if (!node) {
            return node;
        }
        (*node)->children.push_back(std::move(*first));
        while (is_word(is_or ? "or" : "and")) {
            if (Result<void> read = advance(); !read) {
                return std::unexpected(std::move(read.error()));
            }
            NodeResult next = is_or ? chain(depth, Node::Kind::all) : operand(depth);
            if (!next) {
                return next;
            }
            (*node)->children.push_back(std::move(*next));
        }
        return node;
    }

    NodeResult operand(unsigned depth) {
        if (depth >= limits::where_depth) {
            return syntax_error(token_.column, "is nested deeper than " + std::to_string(limits::where_depth));
        }
        if (is_word("not")) {
            return negation(depth);
        }
        if (is_symbol("(")) {
            return brackets(depth);
        }
        return comparison();
    }

    NodeResult negation(unsigned depth) {
        NodeResult node = make(Node::Kind::negation);
        if (!node) {
            return node;
        }
        if (Result<void> read = advance(); !read) {
            return std::unexpected(std::move(read.error()));
        }
        NodeResult child = operand(depth + 1);
        if (!child) {
            return child;
        }
        (*node)->children.push_back(std::move(*child));
        return node;
    }

    NodeResult brackets(unsigned depth) {
        if (Result<void> read = advance(); !read) {
            return std::unexpected(std::move(read.error()));
        }
        NodeResult inner = alternatives(depth + 1);
        if (!inner) {
            return inner;
        }
        if (!is_symbol(")")) {
            return expected("\"and\", \"or\" or \")\"", token_);
        }
        if (Result<void> read = advance(); !read) {
            return std::unexpected(std::move(read.error()));
        }
        return inner;
    }

    NodeResult comparison() {
        NodeResult node = make(Node::Kind::comparison);
        if (!node) {
            return node;
        }
        if (Result<void> done = set_field(**node); !done) {
            return std::unexpected(std::move(done.error()));
        }
        if (Result<void> done = set_operator(**node); !done) {
            return std::unexpected(std::move(done.error()));
        }
        const Op op = (*node)->op;
        Result<void> done = op == Op::in                        ? set_list(**node)
                            : op == Op::regex || op == Op::glob ? set_pattern(**node)
                                                                : set_value(**node);
        if (!done) {
            return std::unexpected(std::move(done.error()));
        }
        return node;
    }

    Result<void> set_field(Node& node) {
        if (token_.kind != TokenKind::field) {
            return expected("a field, \"not\" or \"(\"", token_);
        }
        std::vector<std::string>& path = token_.path;
        if (path.front() == "payload") {
            if (path.size() < 2) {
                return syntax_error(token_.column, "name a key of the payload, as in payload.user");
            }
            node.path.assign(std::make_move_iterator(path.begin() + 1), std::make_move_iterator(path.end()));
            return advance();
        }
        std::string name = path.front();
        for (std::size_t i = 1; i < path.size(); ++i) {
            name += "." + path[i];
        }
        node.field = find_field(name);
        if (node.field == nullptr) {
            return syntax_error(token_.column,
                                "\"" + name.substr(0, 64) + "\" is not a field" + suggestion(name, field_names()));
        }
        return advance();
    }

    Result<void> set_operator(Node& node) {
        for (const Symbol& symbol : symbols) {
            const bool wanted_kind = token_.kind == TokenKind::word || token_.kind == TokenKind::symbol;
            if (wanted_kind && token_.text == symbol.text) {
                node.op = symbol.op;
                return advance();
            }
        }
        return expected("one of == != < <= > >= in ~ glob", token_);
    }

    Result<void> set_value(Node& node) {
        const std::size_t column = token_.column;
        if (is_word("true") || is_word("false")) {
            token_.value = token_.text == "true";
        } else if (token_.kind != TokenKind::text && token_.kind != TokenKind::number) {
            return expected("a value: a string in quotes, a number, true or false", token_);
        }
        if (Result<void> adapted = adapt(node.field, token_.value, column); !adapted) {
            return adapted;
        }
        node.values.push_back(std::move(token_.value));
        return advance();
    }

    Result<void> set_list(Node& node) {
        if (!is_symbol("[")) {
            return expected("\"[\" and values", token_);
        }
        do {
            if (++nodes_ > limits::where_nodes) {
                return too_many_nodes();
            }
            if (Result<void> read = advance(); !read) {
                return read;
            }
            if (Result<void> read = set_value(node); !read) {
                return read;
            }
        } while (is_symbol(","));
        if (!is_symbol("]")) {
            return expected("\",\" or \"]\"", token_);
        }
        return advance();
    }

    Result<void> set_pattern(Node& node) {
        const std::size_t column = token_.column;
        if (token_.kind != TokenKind::text) {
            return expected("a pattern in quotes", token_);
        }
        if (!has_text(node.field)) {
            return syntax_error(column, std::string(node.field->name) + " has no text to match");
        }
        if (node.op == Op::regex) {
            if (++patterns_ > patterns_max) {
                return syntax_error(column, "has more than " + std::to_string(patterns_max) + " regular expressions");
            }
            re2::RE2::Options options(re2::RE2::Quiet);
            options.set_max_mem(pattern_bytes_max);
            auto pattern = std::make_shared<const re2::RE2>(std::get<std::string>(token_.value), options);
            if (!pattern->ok()) {
                return syntax_error(column, "is not a regular expression: " + pattern->error());
            }
            node.pattern = std::move(pattern);
        }
        node.values.push_back(std::move(token_.value));
        return advance();
    }

    NodeResult make(Node::Kind kind) {
        if (++nodes_ > limits::where_nodes) {
            return std::unexpected(too_many_nodes().error());
        }
        auto node = std::make_unique<Node>();
        node->kind = kind;
        return node;
    }

    std::unexpected<Error> too_many_nodes() const {
        return syntax_error(token_.column, "has more than " + std::to_string(limits::where_nodes) + " parts");
    }

    Result<void> advance() {
        Result<Token> next = lexer_.next();
        if (!next) {
            return std::unexpected(std::move(next.error()));
        }
        token_ = std::move(*next);
        return {};
    }

    bool is_word(std::string_view word) const { return token_.kind == TokenKind::word && token_.text == word; }
    bool is_symbol(std::string_view symbol) const { return token_.kind == TokenKind::symbol && token_.text == symbol; }

    Lexer lexer_;
    Token token_{};
    std::size_t nodes_ = 0;
    unsigned patterns_ = 0;
};

} // namespace
} // namespace expression

Result<std::shared_ptr<const Expression>> Expression::parse(std::string_view text) {
    if (text.size() > limits::where_bytes) {
        return fail(Code::invalid_argument, "filter", "where",
                    "is longer than " + std::to_string(limits::where_bytes) + " bytes");
    }
    if (!valid_utf8(text)) {
        return fail(Code::invalid_argument, "filter", "where", "is not valid UTF-8");
    }
    auto root = expression::Parser(text).parse();
    if (!root) {
        return std::unexpected(std::move(root.error()));
    }
    struct Maker : Expression { // the constructor is private to everybody else
        Maker(std::string source, std::unique_ptr<Node> node) : Expression(std::move(source), std::move(node)) {}
    };
    return std::make_shared<const Maker>(std::string(text), std::move(*root));
}

} // namespace tocsin
