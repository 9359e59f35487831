// SPDX-License-Identifier: Apache-2.0
// The one small closed filter language (`where`, later rules, handlers and streams):
//   event_name == "sshd.login_failed" and payload.user != "probe"
// Fields and payload paths; == != < <= > >= in [..]; ~ (RE2, unanchored); glob; and or not; brackets; strings in double or
// single quotes, integers, reals, true, false. Severities compare by rank. A comparison with a field that has no value is
// false (and `!=` true); one between different kinds is false. Evaluation is linear in the size of the event.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace tocsin {

class Expression {
public:
    // invalid_argument with the column and what was expected there.
    static Result<std::shared_ptr<const Expression>> parse(std::string_view text);
    ~Expression();
    Expression(const Expression&) = delete;
    Expression& operator=(const Expression&) = delete;

    bool matches(const Event& event) const;
    const std::string& text() const { return text_; }

    struct Node;

private:
    explicit Expression(std::string text, std::unique_ptr<Node> root);
    std::string text_;
    std::unique_ptr<Node> root_;
};

// Shell glob over bytes: * ? and \ as escape; matches the whole text.
bool glob_match(std::string_view pattern, std::string_view text);

} // namespace tocsin
