// SPDX-License-Identifier: Apache-2.0
// The parsed form of an expression, and the fields it may name. Immutable after parsing, shared between threads.
#pragma once

#include "core/expression.hpp"
#include "core/expression_lexer.hpp"
#include "core/scalar.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace tocsin::expression {

// What a field's values are; payload values are whatever the sender chose.
enum class FieldKind : std::uint8_t { text, environment, integer, time, severity, event_type, payload };

struct Field {
    std::string_view name;
    FieldKind kind;
    // monostate where the event has no value; `scratch` keeps what is computed alive.
    Scalar (*get)(const Event& event, std::string& scratch);
};

// nullptr for unknown names. `payload` is not among them: its values are found by path.
const Field* find_field(std::string_view name);
const std::vector<std::string_view>& field_names(); // payload included

enum class Op : std::uint8_t { equal, unequal, less, less_equal, greater, greater_equal, in, regex, glob };

// `value op literal`; false for different kinds. Not for regex and glob.
bool compare(const Scalar& value, Op op, const Literal& literal);

} // namespace tocsin::expression

namespace tocsin {

struct Expression::Node {
    enum class Kind : std::uint8_t { all, any, negation, comparison };
    Kind kind = Kind::comparison;
    std::vector<std::unique_ptr<Node>> children{}; // of all, any, negation

    const expression::Field* field = nullptr; // nullptr: `path` in the payload
    std::vector<std::string> path{};
    expression::Op op = expression::Op::equal;
    std::vector<expression::Literal> values{}; // one, or the alternatives of `in`
    std::shared_ptr<const re2::RE2> pattern{};

    bool matches(const Event& event) const;
    bool compares(const Scalar& value) const;
};

} // namespace tocsin
