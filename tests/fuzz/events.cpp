// SPDX-License-Identifier: Apache-2.0
// Events as JSON and NDJSON: read in one pass or by the tree, they are the same; and what was read is written so that
// it reads as itself.
#include "core/json.hpp"
#include "fuzz.hpp"

#include <string>

using tocsin::fuzz::Bytes;
using tocsin::fuzz::expect;

namespace {

constexpr std::int64_t now_us = 1'767'322'804'000'000;

tocsin::IntakeRules rules_of(std::uint8_t kind) {
    tocsin::IntakeRules rules;
    rules.host = "h";
    if ((kind & 1U) != 0) {
        rules.redact = {"pass*", "token"};
    }
    return rules;
}

std::string text_of(const tocsin::Event& event) {
    std::string out;
    tocsin::json::append_object(out, event);
    return out;
}

// The line alone may be read in one pass, the array never is.
void compare(tocsin::json::Parser& parser, std::string_view text, const tocsin::IntakeRules& rules) {
    std::vector<tocsin::Event> plain;
    const auto appended = parser.append(plain, text, rules, now_us);
    const auto by_tree = parser.events("[" + std::string(text) + "]", rules, now_us);
    if (appended && plain.size() == 1) {
        expect(by_tree.has_value() && by_tree->size() == 1, "what one pass takes the tree takes");
        expect(text_of(plain.front()) == text_of(by_tree->front()), "both read the same");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Bytes bytes(data, size);
    const tocsin::IntakeRules rules = rules_of(bytes.number<std::uint8_t>());
    tocsin::json::Parser parser;
    static_cast<void>(parser.events(bytes.rest(), rules, now_us));
    const auto lines = parser.ndjson(bytes.rest(), rules, now_us);
    if (lines) {
        for (const tocsin::Event& event : *lines) {
            std::string written;
            tocsin::json::append_object(written, event);
            expect(tocsin::json::minify(written).has_value(), "what is written is JSON");
        }
    }
    if (bytes.rest().find('\n') == std::string_view::npos) {
        compare(parser, bytes.rest(), rules);
    }
    return 0;
}
