// SPDX-License-Identifier: Apache-2.0
#include "core/expression.hpp"

#include "core/expression_node.hpp"
#include "core/json.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <compare>
#include <optional>
#include <utility>

namespace tocsin {
namespace expression {
namespace {

using Ordering = std::optional<std::partial_ordering>; // nullopt: different kinds

template <typename A, typename B> std::partial_ordering order_integers(A a, B b) {
    return std::cmp_less(a, b)      ? std::partial_ordering::less
           : std::cmp_greater(a, b) ? std::partial_ordering::greater
                                    : std::partial_ordering::equivalent;
}

// Exact: the integer never becomes a double, which has room for 53 bits only.
template <typename Integer> std::partial_ordering order_real(double real, Integer integer) {
    constexpr double two_to_63 = 9223372036854775808.0;
    if (std::isnan(real)) {
        return std::partial_ordering::unordered;
    }
    if (real >= 2 * two_to_63) {
        return std::partial_ordering::greater;
    }
    if (real < -two_to_63) {
        return std::partial_ordering::less;
    }
    const double whole = std::trunc(real);
    const std::partial_ordering by_whole = whole < 0 ? order_integers(static_cast<std::int64_t>(whole), integer)
                                                     : order_integers(static_cast<std::uint64_t>(whole), integer);
    return by_whole != std::partial_ordering::equivalent ? by_whole : real <=> whole;
}

std::partial_ordering reversed(std::partial_ordering order) {
    return 0 <=> order;
}

struct Order {
    Ordering operator()(bool a, bool b) const { return a <=> b; }
    Ordering operator()(std::string_view a, const std::string& b) const { return a <=> std::string_view(b); }
    Ordering operator()(double a, double b) const { return a <=> b; }
    template <typename A, typename B> Ordering operator()(const A& a, const B& b) const {
        constexpr bool a_integer = std::is_integral_v<A> && !std::is_same_v<A, bool>;
        constexpr bool b_integer = std::is_integral_v<B> && !std::is_same_v<B, bool>;
        if constexpr (a_integer && b_integer) {
            return order_integers(a, b);
        } else if constexpr (std::is_same_v<A, double> && b_integer) {
            return order_real(a, b);
        } else if constexpr (a_integer && std::is_same_v<B, double>) {
            return reversed(order_real(b, a));
        } else {
            return std::nullopt;
        }
    }
};

bool holds(Op op, std::partial_ordering order) {
    switch (op) {
    case Op::equal:
    case Op::in:
        return order == 0;
    case Op::less:
        return order < 0;
    case Op::less_equal:
        return order <= 0;
    case Op::greater:
        return order > 0;
    case Op::greater_equal:
        return order >= 0;
    case Op::unequal:
    case Op::regex:
    case Op::glob:
        break;
    }
    fatal("an operator that does not order");
}

} // namespace

bool compare(const Scalar& value, Op op, const Literal& literal) {
    if (op == Op::unequal) {
        return !compare(value, Op::equal, literal);
    }
    const Ordering order = std::visit(Order{}, value, literal);
    return order && holds(op, *order);
}

} // namespace expression

bool Expression::Node::compares(const Scalar& value) const {
    using expression::Op;
    if (op == Op::regex || op == Op::glob) {
        const auto* text = std::get_if<std::string_view>(&value);
        if (text == nullptr) {
            return false;
        }
        return pattern ? re2::RE2::PartialMatch(re2::StringPiece(text->data(), text->size()), *pattern)
                       : glob_match(std::get<std::string>(values.front()), *text);
    }
    if (op == Op::in) {
        return std::ranges::any_of(values, [&value](const auto& v) { return expression::compare(value, Op::in, v); });
    }
    return expression::compare(value, op, values.front());
}

bool Expression::Node::matches(const Event& event) const {
    switch (kind) {
    case Kind::all:
        return std::ranges::all_of(children, [&event](const auto& child) { return child->matches(event); });
    case Kind::any:
        return std::ranges::any_of(children, [&event](const auto& child) { return child->matches(event); });
    case Kind::negation:
        return !children.front()->matches(event);
    case Kind::comparison:
        break;
    }
    if (field != nullptr) {
        std::string scratch;
        return compares(field->get(event, scratch));
    }
    bool result = false;
    const auto use = [this, &result](const Scalar& value) { result = compares(value); };
    if (event.payload.empty() || !json::with_path(event.payload, path, use)) {
        result = compares(Scalar()); // no value: only != is true
    }
    return result;
}

Expression::Expression(std::string text, std::unique_ptr<Node> root) : text_(std::move(text)), root_(std::move(root)) {}

Expression::~Expression() = default;

bool Expression::matches(const Event& event) const {
    return root_->matches(event);
}

namespace {

constexpr char as_written(char c) {
    return c;
}

constexpr char lower_ascii(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Remembers the last star only: a later star makes every earlier choice good enough. At worst pattern × text steps.
template <char (*fold)(char)> bool match(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_text = 0;
    while (t < text.size()) {
        const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.size() && (escaped ? fold(pattern[p + 1]) == fold(text[t])
                                                  : pattern[p] == '?' || fold(pattern[p]) == fold(text[t]))) {
            p += escaped ? 2 : 1;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') {
        ++p;
    }
    return p == pattern.size();
}

} // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
    return match<as_written>(pattern, text);
}

bool glob_match_any_case(std::string_view pattern, std::string_view text) {
    return match<lower_ascii>(pattern, text);
}

} // namespace tocsin
