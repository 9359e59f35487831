// SPDX-License-Identifier: Apache-2.0
// The one small closed filter language (`where`, later rules, handlers and streams):
//   event_name == "sshd.login_failed" and payload.user != "probe"
// Fields and payload paths (payload.via.host, payload["odd key"], origin.uid); == != < <= > >= in [..]; ~ (RE2,
// unanchored, case-sensitive); glob; not before and before or; brackets; strings in double or single quotes, integers,
// reals, true, false. Severities compare by rank; event_time and received_time with times as text (UTC) or integers;
// numbers exactly, whatever their kinds. A comparison with a field that has no value, or with a value of another kind,
// is false; `!=` is the opposite of `==` and so true. What a field of an event can never be is refused when it is
// parsed. Evaluation is linear in the size of the event.
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
// The same where A is a.
bool glob_match_any_case(std::string_view pattern, std::string_view text);

} // namespace tocsin
